/**
 * The tree of path segments under the router: where patterns live, how candidates for a path are found and captured.
 *
 * ```ts
 * const tree = make<string>()
 * insert(tree, shape(Pattern.parse("/users/{id}"), false))
 * ```
 *
 * Segments are compared from the left: literal segments by a map, all other segments by one branch, and what may span
 * slashes (a regex that can match "/", a catch-all, a subtree) is kept as a tail at the place it begins.
 */
import * as Pattern from "../http/Pattern.ts"

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

/** A route where it is found: `order` is its place among the declared, and `names` are those of its parameters. */
export interface Taker<A> {
  readonly entry: A
  readonly names: ReadonlyArray<string>
  order: number
}

/** The routes of one path; `any` takes the methods that no other takes. */
export interface Resource<A> {
  readonly shape: Shape
  readonly methods: Map<string, Taker<A>>
  any: Taker<A> | undefined
}

/** A node of the tree. */
export interface Node<A> {
  readonly literals: Map<string, Node<A>>
  other: Node<A> | undefined
  readonly here: Array<Resource<A>>
  readonly tails: Array<Resource<A>>
}

/** An empty tree. */
export const make = <A>(): Node<A> => ({ literals: new Map(), other: undefined, here: [], tails: [] })

/** The routes of a path that has none yet. */
export const resource = <A>(shape: Shape): Resource<A> => ({ shape, methods: new Map(), any: undefined })

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

/** Adds a shape; the same shape with other names gives the resource that is there. */
export const insert = <A>(tree: Node<A>, shape: Shape): Resource<A> => {
  let node = tree
  for (const each of shape.segments) {
    if ("literal" in each) {
      const next: Node<A> = node.literals.get(each.literal) ?? make()
      node.literals.set(each.literal, next)
      node = next
    } else {
      node = node.other ??= make()
    }
  }
  const list = shape.tail === "none" ? node.here : node.tails
  const there = list.find((other) => other.shape.key === shape.key)
  if (there !== undefined) return there
  const added = resource<A>(shape)
  list.push(added)
  return added
}

/** The resources whose segments fit a decoded path; `capture` decides. */
export const candidates = <A>(tree: Node<A>, path: string): ReadonlyArray<Resource<A>> => {
  const out: Array<Resource<A>> = []
  if (path.startsWith("/")) collect(tree, path, 0, out)
  return out
}

const collect = <A>(node: Node<A>, path: string, start: number, out: Array<Resource<A>>): void => {
  for (const tail of node.tails) out.push(tail)
  if (start > path.length) {
    for (const each of node.here) out.push(each)
    return
  }
  if (node.literals.size === 0 && node.other === undefined) return
  const slash = path.indexOf("/", start + 1)
  const end = slash === -1 ? path.length : slash
  // A path is "/a/b": each segment begins after its slash, the next one at `end`.
  const literal = node.literals.get(path.slice(start + 1, end))
  const next = end === path.length ? path.length + 1 : end
  if (literal !== undefined) collect(literal, path, next, out)
  if (node.other !== undefined) collect(node.other, path, next, out)
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

/** The parameters by name, without a prototype. */
export const record = (
  names: ReadonlyArray<string>,
  values: ReadonlyArray<string>
): Readonly<Record<string, string>> => {
  const params: Record<string, string> = Object.create(null)
  for (let i = 0; i < names.length; i++) params[names[i] as string] = values[i] as string
  return params
}

/** All routes of a resource. */
export const takers = <A>(resource: Resource<A>): ReadonlyArray<Taker<A>> =>
  resource.any === undefined ? [...resource.methods.values()] : [...resource.methods.values(), resource.any]

/** An earlier route that takes every path of this shape, if `matters` says that its methods meet. */
export const covering = <A>(tree: Node<A>, shape: Shape, matters: (entry: A) => boolean): A | undefined => {
  const visit = (node: Node<A>, at: number): A | undefined => {
    for (const resource of at === shape.segments.length ? [...node.tails, ...node.here] : node.tails) {
      if (resource.shape.key === shape.key || !covers(resource.shape, shape, at)) continue
      const taker = takers(resource).find(({ entry }) => matters(entry))
      if (taker !== undefined) return taker.entry
    }
    const segment = shape.segments[at]
    if (segment === undefined) return undefined
    const literal = "literal" in segment ? node.literals.get(segment.literal) : undefined
    return (literal && visit(literal, at + 1)) ?? (node.other && visit(node.other, at + 1))
  }
  return visit(tree, 0)
}

// `depth` is the number of the segments of `wide`; `narrow` has as many.
const covers = (wide: Shape, narrow: Shape, depth: number): boolean => {
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
