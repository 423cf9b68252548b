/**
 * Finds the route of a request in one lookup: a map for fixed paths, a tree of segments for patterns.
 *
 * ```ts
 * const router = Router.make([{ name: "user", methods: ["GET"], pattern: Pattern.parse("/users/{id}"), value: show }])
 * Router.find(router, "GET", "/users/42") // { entry, params: { id: "42" } }
 * ```
 *
 * A fixed path beats a pattern; otherwise the order of declaration decides. A route that can never be reached is refused
 * when the router is made. HEAD is answered by GET where no route takes it. The cost of a lookup does not grow with routes.
 *
 * @source aiohttp.web.UrlDispatcher
 * @spec RFC 9110 §9.3.2, §15.5.6
 */
import type * as Pattern from "./http/Pattern.ts"
import * as Tree from "./internal/routeTree.ts"

/** A route as the router sees it. No `methods` means any method; `boundary` ends the search below its path. */
export interface Entry<A> {
  readonly name: string
  readonly pattern: Pattern.Pattern
  readonly methods: ReadonlyArray<string> | undefined
  readonly boundary?: boolean
  readonly value: A
}

/** What was found: a route with its parameters, or nothing, with the methods that the path does allow. */
export type Found<A> =
  | { readonly entry: Entry<A>; readonly params: Readonly<Record<string, string>> }
  | {
      readonly entry: undefined
      readonly allowed: ReadonlyArray<string>
      readonly boundary: Entry<A> | undefined
    }

/** A router, made by `make`. */
export interface Router<A> {
  readonly fixed: ReadonlyMap<string, Tree.Resource<Entry<A>>>
  readonly tree: Tree.Node<Entry<A>>
}

/** Builds the router. Throws a TypeError on a duplicate or a shadowed route, naming both and the cure. */
export const make = <A>(entries: ReadonlyArray<Entry<A>>): Router<A> => {
  const fixed = new Map<string, Tree.Resource<Entry<A>>>()
  const tree = Tree.make<Entry<A>>()
  entries.forEach((entry, index) => {
    const path = entry.pattern.fixed
    if (path === undefined || entry.boundary) {
      const shape = Tree.shape(entry.pattern, entry.boundary === true)
      const shadow = Tree.covering(tree, shape, (other) => overlap(other, entry))
      if (shadow !== undefined) throw unreachable(entry, shadow)
      add(Tree.insert(tree, shape, index), entry, shape.names)
      return
    }
    const resource = fixed.get(path) ?? Tree.resource(index, Tree.shape(entry.pattern, false))
    fixed.set(path, resource)
    add(resource, entry, [])
  })
  return { fixed, tree }
}

/** Looks a decoded path up (see `Pattern.decode`). Methods are case-sensitive tokens. */
export const find = <A>(router: Router<A>, method: string, path: string): Found<A> => {
  const exact = router.fixed.get(path)
  const hit = exact === undefined ? undefined : pick(exact, method)
  if (hit !== undefined) return { entry: hit.entry, params: noParams }
  const allowed = exact === undefined ? undefined : new Set(exact.methods.keys())
  return search(Tree.candidates(router.tree, path), method, path, allowed)
}

const search = <A>(
  candidates: ReadonlyArray<Tree.Resource<Entry<A>>>,
  method: string,
  path: string,
  seen: Set<string> | undefined
): Found<A> => {
  let allowed = seen
  for (const resource of candidates) {
    const values = Tree.capture(resource.shape, path)
    if (values === undefined) continue
    const hit = pick(resource, method)
    if (hit?.entry.boundary) return { entry: undefined, allowed: allow(allowed), boundary: hit.entry }
    if (hit !== undefined) return { entry: hit.entry, params: Tree.record(hit.names, values) }
    allowed ??= new Set()
    for (const name of resource.methods.keys()) allowed.add(name)
  }
  return { entry: undefined, allowed: allow(allowed), boundary: undefined }
}

const noParams: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

const pick = <A>(resource: Tree.Resource<Entry<A>>, method: string) =>
  resource.methods.get(method) ?? (method === "HEAD" ? resource.methods.get("GET") : undefined) ?? resource.any

// HEAD comes with GET, OPTIONS with every path (RFC 9110 §10.2.1).
const allow = (methods: Set<string> | undefined): ReadonlyArray<string> => {
  if (methods === undefined || methods.size === 0) return []
  if (methods.has("GET")) methods.add("HEAD")
  return [...methods.add("OPTIONS")].sort()
}

const add = <A>(resource: Tree.Resource<Entry<A>>, entry: Entry<A>, names: ReadonlyArray<string>): void => {
  if (entry.methods === undefined) {
    if (resource.any !== undefined) throw duplicate(entry, resource.any.entry)
    resource.any = { entry, names }
    return
  }
  for (const method of entry.methods) {
    const other = resource.methods.get(method) ?? resource.any
    if (other !== undefined) throw duplicate(entry, other.entry)
    resource.methods.set(method, { entry, names })
  }
}

const overlap = <A>(earlier: Entry<A>, later: Entry<A>): boolean =>
  earlier.methods === undefined || (later.methods?.some((method) => earlier.methods?.includes(method)) ?? false)

const show = <A>(entry: Entry<A>): string =>
  `"${entry.name}" (${entry.methods?.join(", ") ?? "any method"} ${entry.pattern.path || "/"}${entry.boundary ? "/..." : ""})`

const duplicate = <A>(later: Entry<A>, earlier: Entry<A>): TypeError =>
  new TypeError(
    `The routes ${show(earlier)} and ${show(later)} answer the same requests; remove one or change its path`
  )

const unreachable = <A>(later: Entry<A>, earlier: Entry<A>): TypeError =>
  new TypeError(
    `The route ${show(later)} is never reached, ${show(earlier)} takes its requests; declare it before that one`
  )
