/**
 * An app and the apps below it as one list of entries for the router, each handler inside its middleware.
 *
 * ```ts
 * Router.make(flatten(app, enter(app, outermost(ErrorResponse.render)), true))
 * ```
 *
 * The onion is composed here, once: app by app from the outside in, then the route's own middleware, then its handler.
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type * as App from "../App.ts"
import * as ErrorResponse from "../ErrorResponse.ts"
import type { Handler } from "../Handler.ts"
import * as HttpError from "../HttpError.ts"
import * as Pattern from "../http/Pattern.ts"
import type * as Route from "../Route.ts"
import type * as Router from "../Router.ts"
import * as ByteLimit from "./byteLimit.ts"

type AnyHandler = Handler<unknown, unknown>

/** What surrounds a handler: the middleware of the apps around it, and who renders its failures. */
export interface Owner {
  readonly wrap: (handler: AnyHandler) => AnyHandler
  readonly renderer: ErrorResponse.Renderer
}

/** A handler in its middleware. */
export interface Endpoint extends Owner {
  readonly handler: AnyHandler
  /** The handler with every failure answered. */
  readonly answer: Handler<never, unknown>
}

/** Where an app stands: below which path and names, and inside what. */
export interface Frame extends Owner {
  readonly prefix: Pattern.Pattern
  readonly names: ReadonlyArray<string>
  /** Builds the mounted layers. */
  readonly builds: Array<Effect.Effect<void, never, Scope.Scope>>
}

/** The frame around the root app. */
export const outermost = (renderer: ErrorResponse.Renderer): Frame => ({
  prefix: Pattern.parse(""),
  names: [],
  wrap: (handler) => handler,
  renderer,
  builds: []
})

/** The frame inside an app: its middleware, its body limit and its renderer. */
export const enter = (app: App.Any, outer: Frame): Frame => {
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

/** A handler inside its owner. */
export const inside = ({ renderer, wrap }: Owner, own: AnyHandler): Endpoint => {
  const handler = wrap(own)
  const answer = Effect.catchCause(Effect.interruptible(handler), (cause) =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => ErrorResponse.answer(cause, request, renderer))
  )
  return { handler, answer, renderer, wrap }
}

/** Fails with 404; one failure for all, for making an error costs more than the rest of the answer. */
export const notFound = Effect.fail(new HttpError.NotFound())

// Entry hides the tags from the types of tables.
const entriesOf = (app: App.Any) => Object.entries(app.routes as unknown as Readonly<Record<string, Route.AnyEntry>>)

/** The apps for hosts of a root app, by their names. */
export const hostsOf = (app: App.Any): ReadonlyArray<readonly [name: string, Route.Host<App.Any>]> =>
  entriesOf(app).filter((entry): entry is [string, Route.Host<App.Any>] => entry[1]._tag === "Host")

/** The entries of an app in the order of declaration. Throws a TypeError for a host that is not in the root. */
export const flatten = (app: App.Any, frame: Frame, isRoot: boolean): ReadonlyArray<Router.Entry<Endpoint>> =>
  entriesOf(app).flatMap(([key, entry]): ReadonlyArray<Router.Entry<Endpoint>> => {
    const names = [...frame.names, key]
    const name = names.join(".")
    if (entry._tag === "Host") {
      if (isRoot) return []
      throw new TypeError(`The host "${entry.host}" ("${name}") is inside another app; declare hosts in the root app`)
    }
    const pattern = Pattern.join(frame.prefix, Pattern.parse(entry._tag === "Route" ? entry.path : prefix(entry.path)))
    if (entry._tag === "Mount") {
      const inner = enter(entry.app, { ...frame, prefix: pattern, names })
      const routes = flatten(entry.app, inner, false)
      if (pattern.path === frame.prefix.path) return routes
      return [...routes, { name, pattern, methods: undefined, boundary: true, value: inside(inner, notFound) }]
    }
    if (entry._tag === "MountedHandler") return mounted(name, pattern, entry, frame)
    return Object.entries(entry.handlers).map(([method, handler]) => ({
      name,
      pattern: pattern.path === "" ? Pattern.parse("/") : pattern,
      methods: method === "*" ? undefined : [method],
      value: inside(
        frame,
        entry.middleware.reduce((inner, middleware) => middleware(inner), handler)
      )
    }))
  })

// A foreign handler takes its prefix and everything below, and sees the rest of the path.
const mounted = (
  name: string,
  pattern: Pattern.Pattern,
  entry: Route.MountedHandler<unknown, unknown>,
  frame: Frame
): ReadonlyArray<Router.Entry<Endpoint>> => {
  let built = entry.handler
  if (entry.build !== undefined) {
    const build = entry.build as Effect.Effect<AnyHandler, never, Scope.Scope>
    frame.builds.push(
      Effect.map(build, (handler) => {
        built = handler
      })
    )
  }
  const depth = pattern.path.split("/").length
  const handler = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const stripped = request.modify({ url: below(request.url, depth) })
    return Effect.provideService(built, HttpServerRequest.HttpServerRequest, stripped)
  })
  const value = inside(frame, handler)
  const whole = pattern.path === "" ? [] : [{ name, pattern, methods: undefined, value }]
  return [...whole, { name, pattern: Pattern.parse(`${pattern.path}/{_rest:[^]*}`), methods: undefined, value }]
}

// The path without its first segments, with its query.
const below = (url: string, depth: number): string => {
  const end = url.search(/[?#]|$/)
  const rest = url.slice(0, end).split("/").slice(depth).join("/")
  return `/${rest}${url.slice(end)}`
}

const prefix = (path: string): string => {
  if (path === "" || path.startsWith("/")) return path.replace(/\/+$/, "")
  throw new TypeError(`The prefix "${path}" has to start with "/": write "/${path}"`)
}
