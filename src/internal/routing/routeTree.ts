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
import { covers, type Shape } from "./routeShape.ts"

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
  const literal = node.literals.size === 0 ? undefined : node.literals.get(path.slice(start + 1, end))
  const next = end === path.length ? path.length + 1 : end
  if (literal !== undefined) collect(literal, path, next, out)
  if (node.other !== undefined) collect(node.other, path, next, out)
}

/** All routes of a resource. */
export const takers = <A>(resource: Resource<A>): ReadonlyArray<Taker<A>> =>
  resource.any === undefined ? [...resource.methods.values()] : [...resource.methods.values(), resource.any]

/** An earlier route that takes every path of this shape, if `matters` says that its methods meet. */
export const covering = <A>(tree: Node<A>, shape: Shape, matters: (entry: A) => boolean): A | undefined => {
  const visit = (node: Node<A>, at: number): A | undefined => {
    for (const resource of at === shape.segments.length ? [...node.tails, ...node.here] : node.tails) {
      if (resource.shape.key === shape.key || !covers(resource.shape, shape)) continue
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
