/**
 * Turns an app into what answers requests: the routers by host, and for each route its handler inside its middleware.
 *
 * ```ts
 * const compiled = compile(app)
 * const target = compiled.dispatch("GET", "example.com", "/users/42")
 * ```
 *
 * The onion is composed once: app by app from the outside in, then the route's own middleware, then its handler. What is not
 * found is a failure inside the innermost app whose prefix fits, so its middleware and its error renderer see it.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type * as App from "../App.ts"
import * as ErrorResponse from "../ErrorResponse.ts"
import type { Handler } from "../Handler.ts"
import * as HttpError from "../HttpError.ts"
import * as Host from "../http/Host.ts"
import * as Pattern from "../http/Pattern.ts"
import type * as Route from "../Route.ts"
import * as Router from "../Router.ts"
import * as ByteLimit from "./byteLimit.ts"
import { normalized } from "./normalizePath.ts"

/** A handler in its middleware, with what the engine has to know of it. */
export interface Endpoint {
  readonly handler: Handler<unknown, unknown>
  /** The handler with every failure answered. */
  readonly answer: Handler<never, unknown>
  readonly renderer: ErrorResponse.Renderer
  /** Puts a handler into the middleware of the endpoint's app: for what is not found below it. */
  readonly wrap: (handler: Handler<unknown, unknown>) => Handler<unknown, unknown>
  readonly route: Route.Any | undefined
}

/** What a request is answered by. */
export interface Target {
  readonly handler: Handler<unknown, unknown>
  readonly answer: Handler<never, unknown>
  readonly renderer: ErrorResponse.Renderer
  readonly context: {
    readonly params: Readonly<Record<string, string>>
    readonly name: string
    readonly path: string
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

type Entry = Router.Entry<Endpoint>

interface Frame {
  readonly prefix: Pattern.Pattern
  readonly names: ReadonlyArray<string>
  readonly wrap: Endpoint["wrap"]
  readonly renderer: ErrorResponse.Renderer
  readonly builds: Array<Effect.Effect<void, never, Scope.Scope>>
}

const root = Pattern.parse("")

/** Compiles an app; failures are rendered by `renderer` where no app says otherwise. Throws a TypeError for what `Router.make` and `Pattern.parse` refuse, and for a host below the root. */
export const compile = (app: App.Any, renderer: ErrorResponse.Renderer = ErrorResponse.render): Compiled => {
  const frame = enter(app, { prefix: root, names: [], wrap: (handler) => handler, renderer, builds: [] })
  const table = Router.make(flatten(app, frame, true))
  const hosts = hostsOf(app).map(([name, { host, app }]) => {
    const inner = enter(app, { ...frame, names: [name] })
    return { pattern: Host.pattern(host), router: Router.make(flatten(app, inner, false)), frame: inner }
  })
  const exact = new Map(hosts.filter(({ pattern }) => pattern.exact).map((host) => [host.pattern.text, host]))
  const open = hosts.filter(({ pattern }) => !pattern.exact)

  const dispatch: Compiled["dispatch"] = (method, hostname, path, search) => {
    if (hosts.length === 0) return resolve(table, frame, method, path, search, app.options, undefined)
    const host = exact.get(hostname)
    if (host !== undefined) return resolve(host.router, host.frame, method, path, search, app.options, undefined)
    for (const { frame, pattern, router } of open) {
      const params = pattern.match(hostname)
      if (params !== undefined) return resolve(router, frame, method, path, search, app.options, params)
    }
    return resolve(table, frame, method, path, search, app.options, undefined)
  }
  return {
    dispatch,
    failure: (error) => missing(frame, Effect.fail(error), ""),
    prepare: Effect.all(frame.builds, { discard: true }),
    renderer: frame.renderer
  }
}

const resolve = (
  router: Router.Router<Endpoint>,
  frame: Frame,
  method: string,
  rawPath: string,
  search: string,
  options: App.Options,
  hostParams: Readonly<Record<string, string>> | undefined
): Target => {
  // The server as a whole (RFC 9110 §9.3.7).
  if (rawPath === "*") return missing(frame, Effect.succeed(allow(["GET", "HEAD", "OPTIONS"])), rawPath)
  const path = Pattern.decode(rawPath)
  if (path === undefined) {
    return missing(
      frame,
      Effect.fail(new HttpError.BadRequest({ text: "The path is not valid percent-encoded UTF-8" })),
      rawPath
    )
  }
  const found = Router.find(router, method, path)
  if (found.entry !== undefined) {
    const { name, pattern, value } = found.entry
    const params =
      hostParams === undefined ? found.params : Object.assign(Object.create(null), hostParams, found.params)
    const { answer, handler, renderer } = value
    return { handler, answer, renderer, context: { params, name, path: pattern.path } }
  }
  const location = options.normalizePath ? normalized(router, method, rawPath) : undefined
  if (location !== undefined) {
    const redirect = HttpServerResponse.redirect(location + search, { status: 308 })
    return missing(frame, Effect.succeed(redirect), rawPath)
  }
  const boundary = found.boundary?.value ?? frame
  if (found.allowed.length === 0) return missing(boundary, notFound, rawPath)
  if (method === "OPTIONS") return missing(boundary, Effect.succeed(allow(found.allowed)), rawPath)
  return missing(boundary, Effect.fail(new HttpError.MethodNotAllowed({ method, allowed: found.allowed })), rawPath)
}

const notFound = Effect.suspend(() => Effect.fail(new HttpError.NotFound()))
const noParams: Readonly<Record<string, string>> = Object.freeze(Object.create(null))

const allow = (methods: ReadonlyArray<string>): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({ status: 204, headers: { allow: methods.join(", ") } })

const missing = (owner: Owner, handler: Handler<unknown>, path: string): Target => ({
  ...inside(owner, handler),
  context: { params: noParams, name: "", path }
})

type Owner = Pick<Endpoint, "renderer" | "wrap">

// A handler in the middleware of its app.
const inside = ({ renderer, wrap }: Owner, handler: Handler<unknown, unknown>) => {
  const wrapped = wrap(handler)
  return { handler: wrapped, answer: answered(wrapped, renderer), renderer, wrap }
}

const answered = (handler: Handler<unknown, unknown>, renderer: ErrorResponse.Renderer): Handler<never, unknown> =>
  Effect.catchCause(Effect.interruptible(handler), (cause) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => ErrorResponse.answer(cause, request, renderer))
  )

const enter = (app: App.Any, outer: Frame): Frame => {
  const { bodyLimit, errorResponse } = app.options
  const limit = bodyLimit === undefined ? undefined : ByteLimit.parse(bodyLimit)
  return {
    ...outer,
    renderer: errorResponse ?? outer.renderer,
    wrap: (handler) => {
      const onion = app.middleware.reduce((inner, middleware) => middleware(inner), handler)
      const limited = limit === undefined ? onion : Effect.provideService(onion, HttpServerRequest.MaxBodySize, limit)
      return outer.wrap(limited)
    }
  }
}

const flatten = (app: App.Any, frame: Frame, hosts: boolean): ReadonlyArray<Entry> =>
  entriesOf(app).flatMap(([key, entry]): ReadonlyArray<Entry> => {
    const names = [...frame.names, key]
    const name = names.join(".")
    if (entry._tag === "Host") {
      if (hosts) return []
      throw new TypeError(`The host "${entry.host}" ("${name}") is inside another app; declare hosts in the root app`)
    }
    const pattern = Pattern.join(frame.prefix, Pattern.parse(entry._tag === "Route" ? entry.path : prefix(entry.path)))
    if (entry._tag === "Mount") {
      const inner = enter(entry.app, { ...frame, prefix: pattern, names })
      const routes = flatten(entry.app, inner, false)
      if (pattern.path === frame.prefix.path) return routes
      const endpoint: Endpoint = { ...inside(inner, notFound), route: undefined }
      return [...routes, { name, pattern, methods: undefined, boundary: true, value: endpoint }]
    }
    if (entry._tag === "MountedHandler") return mounted(name, pattern, entry, frame)
    const own = entry.middleware
    return Object.entries(entry.handlers).map(([method, handler]) => ({
      name,
      pattern: pattern.path === "" ? Pattern.parse("/") : pattern,
      methods: method === "*" ? undefined : [method],
      value: {
        ...inside(
          frame,
          own.reduce((inner, middleware) => middleware(inner), handler)
        ),
        route: entry
      }
    }))
  })

// A foreign handler takes its prefix and everything below, and sees the rest of the path.
const mounted = (
  name: string,
  pattern: Pattern.Pattern,
  entry: Route.MountedHandler<unknown, unknown>,
  frame: Frame
): ReadonlyArray<Entry> => {
  let built = entry.handler
  if (entry.build !== undefined) {
    frame.builds.push(
      Effect.map(entry.build as Effect.Effect<Handler, never, Scope.Scope>, (handler) => {
        built = handler
      })
    )
  }
  const depth = pattern.path.split("/").length - 1
  const handler = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Effect.provideService(
      built,
      HttpServerRequest.HttpServerRequest,
      request.modify({ url: below(request.url, depth) })
    )
  )
  const value: Endpoint = { ...inside(frame, handler), route: undefined }
  const whole = pattern.path === "" ? [] : [{ name, pattern, methods: undefined, value }]
  return [...whole, { name, pattern: Pattern.parse(`${pattern.path}/{_rest:[^]*}`), methods: undefined, value }]
}

const below = (url: string, depth: number): string => {
  const end = url.search(/[?#]|$/)
  const rest = url
    .slice(0, end)
    .split("/")
    .slice(depth + 1)
    .join("/")
  return `/${rest}${url.slice(end)}`
}

const prefix = (path: string): string => {
  if (path !== "" && !path.startsWith("/"))
    throw new TypeError(`The prefix "${path}" has to start with "/": write "/${path}"`)
  return path.replace(/\/+$/, "")
}

// Entry hides the tags from the types of tables.
const entriesOf = (app: App.Any) => Object.entries(app.routes as unknown as Readonly<Record<string, Route.AnyEntry>>)

const hostsOf = (app: App.Any) =>
  entriesOf(app).filter((entry): entry is [string, Route.Host<App.Any>] => entry[1]._tag === "Host")
