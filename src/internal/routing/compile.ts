/**
 * Turns an app into what answers requests: the routers by host, and for each request its target.
 *
 * ```ts
 * const compiled = compile(app)
 * const target = compiled.dispatch("GET", "example.com", "/users/42", "?page=2")
 * ```
 *
 * What is not found is a failure inside an app, so that its middleware and its error renderer see it: a 405 and the answer to
 * OPTIONS inside the app of the path's first route, a 404 inside the innermost app whose prefix fits.
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type * as App from "../../App.ts"
import * as ErrorResponse from "../../ErrorResponse.ts"
import type { Handler } from "../../Handler.ts"
import * as HttpError from "../../HttpError.ts"
import * as Host from "../../http/Host.ts"
import * as Pattern from "../../http/Pattern.ts"
import * as Router from "../../Router.ts"
import type { Policies } from "../policies/policy.ts"
import { normalized } from "../requests/normalizePath.ts"
import * as Preflight from "../security/preflight.ts"
import { type Endpoint, inside, type Owner } from "./endpoint.ts"
import { type Entry, enter, type Frame, flatten, hostsOf, notFound, outermost } from "./flatten.ts"

/** What a request is answered by. */
export interface Target extends Endpoint {
  readonly context: {
    readonly params: Readonly<Record<string, string>>
    readonly name: string
    readonly path: string
    readonly policies?: Policies
  }
}

/** A compiled app. */
export interface Compiled {
  /** Gives the target of a request; `path` is as on the wire, without the query. Never fails: a miss is a target too. */
  readonly dispatch: (method: string, hostname: string, path: string, search: string) => Target
  /** A target that fails with an error, inside the middleware of the root app: for what never reached a route. */
  readonly failure: (error: HttpError.HttpError) => Target
  /** Builds the mounted layers in the scope. */
  readonly prepare: Effect.Effect<void, never, Scope.Scope>
  readonly renderer: ErrorResponse.Renderer
}

interface Table {
  readonly router: Router.Router<Endpoint>
  readonly frame: Frame
  /** The 404 of its app. */
  readonly miss: Endpoint
}

/**
 * Compiles an app; failures are rendered by `renderer` where no app says otherwise. Throws a TypeError for what `Router.make` and
 * `Pattern.parse` refuse, for a host below the root, and for one that is there twice.
 */
export const compile = (app: App.Any, renderer: ErrorResponse.Renderer = ErrorResponse.render): Compiled => {
  const { frame, hosts, main } = tables(app, renderer, rooted)
  const exact = new Map(hosts.filter(({ pattern }) => pattern.exact).map((host) => [host.pattern.text, host]))
  const open = hosts.filter(({ pattern }) => !pattern.exact)

  const dispatch: Compiled["dispatch"] = (method, hostname, path, search) => {
    if (hosts.length === 0) return resolve(main, method, path, search, undefined)
    const host = exact.get(hostname.replace(/\.$/, ""))
    if (host !== undefined) return resolve(host, method, path, search, undefined)
    for (const host of open) {
      const params = host.pattern.match(hostname)
      if (params !== undefined) return resolve(host, method, path, search, params)
    }
    return resolve(main, method, path, search, undefined)
  }
  return {
    dispatch,
    failure: (error) => missing(frame, Effect.fail(error), ""),
    prepare: Effect.all(frame.builds, { discard: true }),
    renderer: frame.renderer
  }
}

/** Throws what `compile` would throw of an app that may yet be mounted: there "" and "/" are two paths. */
export const check = (app: App.Any): void => {
  tables(app, ErrorResponse.render, (entry) => entry)
}

const rooted = (entry: Entry): Entry =>
  entry.pattern.path === "" && !entry.boundary && !entry.subtree ? { ...entry, pattern: Pattern.parse("/") } : entry

const tables = (app: App.Any, renderer: ErrorResponse.Renderer, place: (entry: Entry) => Entry) => {
  const frame = enter(app, outermost(renderer))
  const table = (entries: ReadonlyArray<Entry>, frame: Frame): Table => ({
    router: Router.make(entries),
    frame,
    miss: inside(frame, notFound)
  })
  const main = table(flatten(app, frame, true).map(place), frame)
  const names = new Map<string, string>()
  const hosts = hostsOf(app).map(([name, { app, host }]) => {
    const pattern = Host.pattern(host)
    const key = pattern.text.replace(/\{\w+\}/g, "{}")
    const other = names.get(key)
    if (other !== undefined) throw new TypeError(`"${other}" and "${name}" are the same host, ${key}; remove one`)
    names.set(key, name)
    const inner = enter(app, { ...frame, names: [name] })
    const entries = flatten(app, inner, false).map(rooted)
    const twice = entries.find((entry) => entry.pattern.names.some((param) => pattern.names.includes(param)))
    if (twice !== undefined) {
      throw new TypeError(`"${twice.name}" has a parameter of the host ${host} again; give it another name`)
    }
    return { pattern, ...table(entries, inner) }
  })
  return { frame, main, hosts }
}

const resolve = (
  { frame, miss, router }: Table,
  method: string,
  rawPath: string,
  search: string,
  hostParams: Readonly<Record<string, string>> | undefined
): Target => {
  // The server as a whole (RFC 9110 §9.3.7).
  if (rawPath === "*") return missing(frame, allow(["GET", "HEAD", "OPTIONS"]), rawPath)
  const path = Pattern.decode(rawPath)
  if (path === undefined) {
    const text = "The path is not valid percent-encoded UTF-8"
    return missing(frame, Effect.fail(new HttpError.BadRequest({ text })), rawPath)
  }
  const found = Router.find(router, method, path)
  if (found.entry !== undefined) {
    const { name, pattern, value } = found.entry
    const params =
      hostParams === undefined ? found.params : Object.assign(Object.create(null), hostParams, found.params)
    const context = { params, name, path: pattern.path, policies: value.policies }
    if (method === "OPTIONS") Preflight.note(context, lookup(router, path))
    return { ...value, context }
  }
  const owner = found.owner?.value ?? miss
  const location = owner.normalizePath ? normalized(router, method, rawPath) : undefined
  if (location !== undefined) {
    const redirect = HttpServerResponse.redirect(location + search, { status: 308 })
    return missing(owner, Effect.succeed(redirect), rawPath)
  }
  // Where no method is allowed, the owner is the end of a mount, whose handler is its 404.
  if (found.allowed.length === 0) return { ...owner, context: { params: noParams, name: "", path: rawPath } }
  if (method === "OPTIONS") {
    const target = missing(owner, Preflight.orElse(allow(found.allowed)), rawPath)
    Preflight.note(target.context, lookup(router, path))
    return target
  }
  return missing(owner, Effect.fail(new HttpError.MethodNotAllowed({ method, allowed: found.allowed })), rawPath)
}

const lookup =
  (router: Router.Router<Endpoint>, path: string): Preflight.Lookup =>
  (method) => {
    const found = Router.find(router, method, path)
    return found.entry === undefined
      ? { taken: false, allowed: found.allowed }
      : { taken: true, policy: found.entry.value.preflight }
  }

const noParams: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

const allow = (methods: ReadonlyArray<string>): Handler =>
  Effect.succeed(HttpServerResponse.empty({ status: 204, headers: { allow: methods.join(", ") } }))

const missing = (owner: Owner, handler: Handler<unknown>, path: string): Target => ({
  ...inside(owner, handler),
  context: { params: noParams, name: "", path }
})
