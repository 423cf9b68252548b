/**
 * Finds the route of a request in one lookup: a map for fixed paths, a tree of segments for patterns.
 *
 * ```ts
 * const router = Router.make([{ name: "user", methods: ["GET"], pattern: Pattern.parse("/users/{id}"), value: show }])
 * Router.find(router, "GET", "/users/42") // { entry, params: { id: "42" } }
 * ```
 *
 * A fixed path beats a pattern; otherwise the order of declaration decides, where the routes of one path stand together. A route
 * that can never be reached is refused when the router is made. HEAD is answered by GET where no route of the path takes it. The
 * cost of a lookup does not grow with routes.
 *
 * @source aiohttp.web.UrlDispatcher
 * @spec RFC 9110 §9.3.2, §15.5.6
 */
import type * as Pattern from "./http/Pattern.ts"
import * as Shape from "./internal/routing/routeShape.ts"
import * as Tree from "./internal/routing/routeTree.ts"

/** A route as the router sees it. */
export interface Entry<A> {
  readonly name: string
  readonly pattern: Pattern.Pattern
  /** Undefined for every method that no other route of the path takes. */
  readonly methods: ReadonlyArray<string> | undefined
  /** Takes everything below its path too. */
  readonly subtree?: boolean
  /** As `subtree`, but what comes to it is not found: the end of a mounted app. */
  readonly boundary?: boolean
  readonly value: A
}

/**
 * What was found: a route with its parameters. Or nothing, with the methods that the path does allow, and the `owner`: the first
 * route of the path, or the boundary that ended the search.
 */
export type Found<A> =
  | { readonly entry: Entry<A>; readonly params: Readonly<Record<string, string>> }
  | { readonly entry: undefined; readonly allowed: ReadonlyArray<string>; readonly owner: Entry<A> | undefined }

type Resource<A> = Tree.Resource<Entry<A>>
type Taker<A> = Tree.Taker<Entry<A>>

/** A router, made by `make`. */
export interface Router<A> {
  readonly fixed: ReadonlyMap<string, Resource<A>>
  readonly tree: Tree.Node<Entry<A>>
}

/** Builds the router. Throws a TypeError on a duplicate or a shadowed route, naming both and the cure. */
export const make = <A>(entries: ReadonlyArray<Entry<A>>): Router<A> => {
  const fixed = new Map<string, Resource<A>>()
  const tree = Tree.make<Entry<A>>()
  const resources = new Set<Resource<A>>()
  for (const [order, entry] of entries.entries()) {
    const subtree = entry.boundary === true || entry.subtree === true
    const shape = Shape.shape(entry.pattern, subtree)
    const path = subtree ? undefined : entry.pattern.fixed
    let resource = path === undefined ? undefined : (fixed.get(path) ?? Tree.resource(shape))
    if (path === undefined || resource === undefined) {
      const shadow = Tree.covering(tree, shape, (other) => takes(other, entry))
      if (shadow !== undefined) throw unreachable(entry, shadow)
      resource = Tree.insert(tree, shape)
    } else {
      fixed.set(path, resource)
    }
    resources.add(resource)
    add(resource, { entry, names: shape.names, order })
  }
  for (const resource of resources) settle(resource)
  return { fixed, tree }
}

/** Looks a decoded path up (see `Pattern.decode`). Methods are case-sensitive tokens. */
export const find = <A>(router: Router<A>, method: string, path: string): Found<A> => {
  const exact = router.fixed.get(path)
  const hit = exact === undefined ? undefined : pick(exact, method)
  if (hit !== undefined) return { entry: hit.entry, params: noParams }
  const near = Tree.candidates(router.tree, path)
  let best: Taker<A> | undefined
  let values: ReadonlyArray<string> = []
  for (const resource of near) {
    const taker = pick(resource, method)
    if (taker === undefined || (best !== undefined && best.order < taker.order)) continue
    const captured = Shape.capture(resource.shape, path)
    if (captured === undefined) continue
    best = taker
    values = captured
  }
  return best === undefined || best.entry.boundary
    ? missed(exact, near, path, best)
    : { entry: best.entry, params: Shape.record(best.names, values) }
}

const nothing = Object.freeze({ entry: undefined, allowed: [], owner: undefined })
const noParams: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

const pick = <A>(resource: Resource<A>, method: string): Taker<A> | undefined =>
  resource.methods.get(method) ?? resource.any

// Routes behind the boundary that ended the search are not there.
const missed = <A>(
  exact: Resource<A> | undefined,
  near: ReadonlyArray<Resource<A>>,
  path: string,
  boundary: Taker<A> | undefined
): Found<A> => {
  if (exact === undefined && near.length === 0) return nothing
  const end = boundary?.order ?? Number.POSITIVE_INFINITY
  const there = near.flatMap(({ methods, shape }) => {
    const open = [...methods].filter(([, { order }]) => order < end)
    return open.length === 0 || Shape.capture(shape, path) === undefined ? [] : open
  })
  const own = exact === undefined ? there : [...exact.methods]
  const owner = own.reduce<Taker<A> | undefined>(
    (a, [, b]) => (a === undefined || b.order < a.order ? b : a),
    undefined
  )
  const allowed = new Set([...own, ...there].map(([method]) => method))
  // OPTIONS comes with every path (RFC 9110 §10.2.1).
  if (allowed.size > 0) allowed.add("OPTIONS")
  return { entry: undefined, allowed: [...allowed].sort(), owner: (owner ?? boundary)?.entry }
}

const add = <A>(resource: Resource<A>, taker: Taker<A>): void => {
  const { methods } = taker.entry
  for (const method of methods ?? [undefined]) {
    const other = method === undefined ? resource.any : resource.methods.get(method)
    if (other !== undefined) throw duplicate(taker.entry, other.entry)
    if (method === undefined) resource.any = taker
    else resource.methods.set(method, { ...taker })
  }
}

// HEAD comes with GET (RFC 9110 §9.3.2). A route stands where the first stands that would take its method without it.
const settle = <A>({ any, methods }: Resource<A>): void => {
  const get = methods.get("GET")
  const head = methods.get("HEAD")
  for (const taker of methods.values()) taker.order = Math.min(taker.order, any?.order ?? taker.order)
  if (get === undefined) return
  if (head === undefined) methods.set("HEAD", get)
  else head.order = Math.min(head.order, get.order)
}

// A boundary behind a catch-all harms nobody: the fixed paths of its app are still reached.
const takes = <A>(earlier: Entry<A>, later: Entry<A>): boolean => {
  const { methods } = earlier
  if (later.boundary && !earlier.boundary && !earlier.subtree) return false
  if (methods === undefined) return true
  const has = (method: string) => methods.includes(method) || (method === "HEAD" && methods.includes("GET"))
  return later.methods?.some(has) ?? false
}

const show = <A>({ name, methods, pattern, boundary, subtree }: Entry<A>): string => {
  const path = boundary || subtree ? `${pattern.path}/...` : pattern.path || "/"
  return `"${name}" (${methods?.join(", ") ?? "any method"} ${path})`
}

const duplicate = <A>(later: Entry<A>, earlier: Entry<A>): TypeError =>
  new TypeError(
    `The routes ${show(earlier)} and ${show(later)} answer the same requests; remove one or change its path`
  )

const unreachable = <A>(later: Entry<A>, earlier: Entry<A>): TypeError =>
  new TypeError(
    `The route ${show(later)} is never reached, ${show(earlier)} takes its requests; declare it before that one`
  )
