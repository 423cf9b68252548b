/**
 * A pattern cut into segments for the tree of routes: what it matches, what it captures, and what it hides.
 *
 * ```ts
 * capture(shape(Pattern.parse("/users/{id}"), false), "/users/42") // ["42"]
 * ```
 *
 * What may span slashes ends the segments: a regex that can match "/", a catch-all, everything below a prefix.
 */
import * as Pattern from "../../http/Pattern.ts"

/** One segment of a pattern: a literal, any non-empty text, or what a regex matches, "" among it or not. */
type Segment =
  | { readonly literal: string }
  | { readonly simple: true }
  | { readonly source: string; readonly empty: boolean }

/** A pattern cut into segments; `tail` is what follows them and may span slashes. */
export interface Shape {
  readonly segments: ReadonlyArray<Segment>
  readonly tail: "none" | "subtree" | "any" | "some" | "regex"
  readonly names: ReadonlyArray<string>
  /** The pattern without its names: equal for patterns that match the same paths by the same text. */
  readonly key: string
  /** Undefined where comparing the segments is enough. */
  readonly regex: RegExp | undefined
}

/** Cuts a pattern into a shape. A subtree matches its own path and everything below. */
export const shape = (pattern: Pattern.Pattern, subtree: boolean): Shape => {
  const groups = split(pattern)
  const crossing = groups.findIndex((parts) => parts.some((part) => typeof part !== "string" && crosses(part.regex)))
  const segments = (crossing === -1 ? groups : groups.slice(0, crossing)).map(segment)
  const tail = crossing === -1 ? (subtree ? "subtree" : "none") : tailOf(groups.slice(crossing))
  const plain = tail !== "regex" && segments.every((each) => !("source" in each))
  const whole = subtree ? new RegExp(pattern.regex.source.replace(/\$$/, "(?:/.*)?$"), "us") : pattern.regex
  return {
    segments,
    tail,
    names: pattern.names,
    key: JSON.stringify([subtree, groups.map(nameless)]),
    regex: plain ? undefined : whole
  }
}

/** The values of the parameters in order, or undefined when the path does not match. */
export const capture = (shape: Shape, path: string): ReadonlyArray<string> | undefined => {
  if (shape.regex !== undefined) {
    const match = shape.regex.exec(path)
    return match === null ? undefined : shape.names.map((name) => Pattern.decodeValue(match.groups?.[name] ?? ""))
  }
  const values: Array<string> = []
  let start = 0
  for (const each of shape.segments) {
    const slash = path.indexOf("/", start + 1)
    const end = slash === -1 ? path.length : slash
    if ("simple" in each) {
      if (end === start + 1) return undefined
      values.push(Pattern.decodeValue(path.slice(start + 1, end)))
    }
    start = end
  }
  if (shape.tail === "any" || shape.tail === "some") {
    if (start === path.length || (shape.tail === "some" && start + 1 === path.length)) return undefined
    values.push(Pattern.decodeValue(path.slice(start + 1)))
  }
  return values
}

/** The parameters by name; nothing is inherited. */
export const record = (
  names: ReadonlyArray<string>,
  values: ReadonlyArray<string>
): Readonly<Record<string, string>> => {
  const params: Record<string, string> = Object.create(null)
  for (let i = 0; i < names.length; i++) params[names[i] as string] = values[i] as string
  return params
}

/** Whether `wide` takes every path that `narrow` takes, which has at least as many segments; false where that is not plain. */
export const covers = (wide: Shape, narrow: Shape): boolean => {
  const depth = wide.segments.length
  if (!wide.segments.every((segment, index) => coversSegment(segment, narrow.segments[index] as Segment))) return false
  const more = narrow.segments[depth]
  const spans = narrow.tail !== "none" && narrow.tail !== "subtree"
  switch (wide.tail) {
    case "subtree":
      return true
    case "none":
      return narrow.tail === "none"
    case "any":
      return more !== undefined || spans
    case "some":
      if (more === undefined) return narrow.tail === "some"
      return spans || narrow.segments.length > depth + 1 || coversSegment({ simple: true }, more)
    case "regex":
      return false
  }
}

const coversSegment = (wide: Segment, narrow: Segment): boolean => {
  if ("literal" in wide) return "literal" in narrow && wide.literal === narrow.literal
  if ("source" in wide) return "source" in narrow && wide.source === narrow.source
  return "literal" in narrow ? narrow.literal !== "" : "simple" in narrow || !narrow.empty
}

const split = (pattern: Pattern.Pattern): ReadonlyArray<ReadonlyArray<Pattern.Part>> => {
  const groups: Array<Array<Pattern.Part>> = []
  for (const part of pattern.parts) {
    if (typeof part !== "string") {
      groups.at(-1)?.push(part)
      continue
    }
    const [first = "", ...more] = part.split("/")
    if (first !== "") groups.at(-1)?.push(first)
    for (const text of more) groups.push(text === "" ? [] : [text])
  }
  return groups
}

const segment = (parts: ReadonlyArray<Pattern.Part>): Segment => {
  const [only = ""] = parts
  if (parts.length <= 1 && typeof only === "string") return { literal: only }
  if (parts.length === 1 && typeof only === "object" && only.regex === undefined) return { simple: true }
  const empty = parts.every(
    (part) => typeof part === "object" && new RegExp(`^(?:${part.regex ?? "."})$`, "us").test("")
  )
  return { source: JSON.stringify(nameless(parts)), empty }
}

const nameless = (parts: ReadonlyArray<Pattern.Part>) =>
  parts.map((part) => (typeof part === "string" ? part : [part.regex]))

const tailOf = (groups: ReadonlyArray<ReadonlyArray<Pattern.Part>>): "any" | "some" | "regex" => {
  const only = groups.length === 1 && groups[0]?.length === 1 ? groups[0][0] : undefined
  const regex = typeof only === "object" ? only.regex : undefined
  return regex === ".*" ? "any" : regex === ".+" ? "some" : "regex"
}

// True unless the regex is plainly unable to match a slash: digits, words, literals, classes of those, negated ones with "/". A
// range may only begin with what comes after "/", as letters and digits do.
const crosses = (regex: string | undefined): boolean =>
  regex !== undefined &&
  !/^(?:[\w\-,;:=@!~ %&']|\\[dw.\-+*?()[\]{}|$^]|\[-?(?:\w-\w|[\w.,;:=@!~ %&'+*]|\\[dw.-])+-?\]|\[\^[^\]\\]*\/[^\]\\]*\]|\((?:\?:)?|[)|+*?]|\{\d+(?:,\d*)?\})+$/u.test(
    regex
  )
