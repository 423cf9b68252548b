/**
 * The tree of path segments under the router: where patterns live, how candidates for a path are found and captured.
 *
 * ```ts
 * const tree = make<string>()
 * insert(tree, shape(Pattern.parse("/users/{id}"), false), 0)
 * ```
 *
 * Segments are compared from the left: literal segments by a map, all other segments by one branch, and what may span
 * slashes (a regex that can match "/", a catch-all, the boundary of a mount) is kept as a tail at the place it begins.
 */
import * as Pattern from "../http/Pattern.ts"

/** One segment of a pattern: a literal, any non-empty text, or what a regex matches. */
type Segment = { readonly literal: string } | { readonly simple: true } | { readonly regex: RegExp }

/** A pattern cut into segments; `tail` is what follows them and may span slashes. */
export interface Shape {
  readonly segments: ReadonlyArray<Segment>
  readonly tail: "none" | "boundary" | "any" | "some" | "regex"
  readonly names: ReadonlyArray<string>
  /** The pattern without its names: equal for patterns that match the same paths by the same text. */
  readonly key: string
  readonly regex: RegExp | undefined
}

/** The routes of one path; `any` takes the methods that no other takes. */
export interface Resource<A> {
  readonly index: number
  readonly shape: Shape
  readonly methods: Map<string, { readonly entry: A; readonly names: ReadonlyArray<string> }>
  any: { readonly entry: A; readonly names: ReadonlyArray<string> } | undefined
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

/** An empty resource; the index is its place in the order of declaration. */
export const resource = <A>(index: number, shape: Shape): Resource<A> => ({
  index,
  shape,
  methods: new Map(),
  any: undefined
})

/** Cuts a pattern into a shape. A boundary matches its own path and everything below. */
export const shape = (pattern: Pattern.Pattern, boundary: boolean): Shape => {
  const groups = split(pattern)
  const crossing = groups.findIndex((parts) => parts.some((part) => typeof part !== "string" && crosses(part.regex)))
  const own = crossing === -1 ? groups : groups.slice(0, crossing)
  const rest = crossing === -1 ? [] : groups.slice(crossing)
  const segments = own.map(segment)
  const key = groups
    .map((parts) => parts.map((part) => (typeof part === "string" ? part : `{${part.regex ?? ""}}`)).join(""))
    .join("/")
  const plain = segments.every((each) => !("regex" in each))
  const only = rest.length === 1 && rest[0]?.length === 1 ? rest[0][0] : undefined
  const tail =
    crossing === -1
      ? boundary
        ? "boundary"
        : "none"
      : typeof only === "object" && only.regex === ".*"
        ? "any"
        : typeof only === "object" && only.regex === ".+"
          ? "some"
          : "regex"
  const regex = plain && tail !== "regex" ? undefined : expression(pattern, boundary)
  return { segments, tail, names: pattern.names, key: boundary ? `${key}/...` : key, regex }
}

/** Adds a shape; the same shape with other names gives the resource that is there. */
export const insert = <A>(tree: Node<A>, shape: Shape, index: number): Resource<A> => {
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
  const added = resource<A>(index, shape)
  list.push(added)
  return added
}

/** The resources whose segments fit a decoded path, in the order of declaration; `capture` decides. */
export const candidates = <A>(tree: Node<A>, path: string): ReadonlyArray<Resource<A>> => {
  const out: Array<Resource<A>> = []
  collect(tree, path, 0, out)
  return out.length < 2 ? out : out.sort((a, b) => a.index - b.index)
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
    if (start === path.length) return undefined
    const rest = path.slice(start + 1)
    if ((shape.tail === "some" && rest === "") || rest.includes("\n")) return undefined
    values.push(Pattern.decodeValue(rest))
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

/** An earlier route that takes every path of this shape, if `matters` says that its methods meet. */
export const covering = <A>(tree: Node<A>, shape: Shape, matters: (entry: A) => boolean): A | undefined => {
  const visit = (node: Node<A>, at: number): A | undefined => {
    const lists = at === shape.segments.length ? [node.tails, node.here] : [node.tails]
    for (const resource of lists.flat()) {
      if (resource.shape.key === shape.key || !covers(resource.shape, shape, at)) continue
      for (const { entry } of [...resource.methods.values(), ...(resource.any === undefined ? [] : [resource.any])]) {
        if (matters(entry)) return entry
      }
    }
    const segment = shape.segments[at]
    if (segment === undefined) return undefined
    const literal = "literal" in segment ? node.literals.get(segment.literal) : undefined
    return (literal && visit(literal, at + 1)) ?? (node.other && visit(node.other, at + 1))
  }
  return visit(tree, 0)
}

const covers = (wide: Shape, narrow: Shape, depth: number): boolean => {
  for (let i = 0; i < depth; i++) {
    const a = wide.segments[i]
    const b = narrow.segments[i]
    if (a === undefined || b === undefined || !coversSegment(a, b)) return false
  }
  if (wide.tail === "boundary") return true
  if (wide.tail === "none") return narrow.tail === "none"
  if (narrow.tail === "boundary") return false
  const more = narrow.segments[depth]
  if (wide.tail === "any")
    return more !== undefined || narrow.tail === "any" || narrow.tail === "some" || narrow.tail === "regex"
  if (wide.tail === "some")
    return more !== undefined ? !("literal" in more && more.literal === "") : narrow.tail === "some"
  return false
}

const coversSegment = (wide: Segment, narrow: Segment): boolean => {
  if ("literal" in wide) return "literal" in narrow && wide.literal === narrow.literal
  if ("regex" in wide) return "regex" in narrow && wide.regex.source === narrow.regex.source
  if ("literal" in narrow) return narrow.literal !== ""
  return "simple" in narrow || !narrow.regex.test("")
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
  const [only] = parts
  if (parts.length === 0) return { literal: "" }
  if (parts.length === 1 && typeof only === "string") return { literal: only }
  if (parts.length === 1 && typeof only === "object" && only.regex === undefined) return { simple: true }
  return { regex: new RegExp(`^${parts.map(source).join("")}$`, "u") }
}

const expression = (pattern: Pattern.Pattern, boundary: boolean): RegExp =>
  new RegExp(`^${pattern.parts.map(source).join("")}${boundary ? "(?:/.*)?" : ""}$`, boundary ? "us" : "u")

const source = (part: Pattern.Part): string =>
  typeof part === "string" ? part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&") : `(?<${part.name}>${part.regex ?? "[^/]+"})`

// True unless the regex is plainly unable to match a slash: digits, words, literals, classes without negation.
const crosses = (regex: string | undefined): boolean =>
  regex !== undefined &&
  !/^(?:[\w\-,;:=@!~ %&']|\\[dw.\-+*?()[\]{}|$^]|\[(?:[\w\-.,;:=@!~ %&'+*]|\\[dw.-])+\]|\((?:\?:)?|[)|+*?]|\{\d+(?:,\d*)?\})+$/u.test(
    regex
  )
