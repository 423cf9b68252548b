/**
 * An app is data: a record of routes, middleware around them, and options. Nothing runs until it is served.
 *
 * ```ts
 * const app = App.make({ home: Route.get("/", hello), user: Route.get("/{name}", hello) }).pipe(App.use(timing))
 * App.urls(app).user({ name: "Ada" }) // "/Ada"
 * ```
 *
 * @source aiohttp.web.Application
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Effect from "effect/Effect"
import type { HttpPlatform } from "effect/http/HttpPlatform"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import type * as Scope from "effect/Scope"
import type * as ErrorResponse from "./ErrorResponse.ts"
import type { Engine, Handler, Without } from "./Handler.ts"
import * as handling from "./internal/exchange/handling.ts"
import * as outcomes from "./internal/exchange/outcomes.ts"
import { append } from "./internal/policies/policy.ts"
import { check } from "./internal/routing/compile.ts"
import type { Hook } from "./internal/routing/hooks.ts"
import type { Servable } from "./internal/routing/servable.ts"
import * as table from "./internal/routing/table.ts"
import * as Middleware from "./Middleware.ts"
import type * as Outcome from "./Outcome.ts"
import type * as Route from "./Route.ts"

export type { Respondable, Servable } from "./internal/routing/servable.ts"
export type { Row, Urls } from "./internal/routing/table.ts"

/** A table of routes; the keys are their names. */
export interface Routes {
  readonly [name: string]: Route.Entry
}

/** What may be set for an app, and for all routes below it unless they set it themselves. */
export interface Options {
  /** The most bytes of a request body, decompressed; 1 MiB unless set. More is ContentTooLarge (413) when read. */
  readonly bodyLimit?: ByteSize.Input
  /** Redirects (308) a path that is not found to the one with its slashes merged, or its last slash added or removed. */
  readonly normalizePath?: boolean
  /** Renders every failure below this app; `ErrorResponse.render` unless set. */
  readonly errorResponse?: ErrorResponse.Renderer
}

/** An app: its failures E, its needs R, its routes T, and the failures that App.use put on every route. */
export interface App<out E, out R, out T extends Routes, out Added = never> extends Pipeable {
  readonly _tag: "App"
  readonly routes: T
  readonly options: Options
  /** In the order of use: the last is the outermost. */
  readonly middleware: ReadonlyArray<Middleware.Middleware<never, unknown, unknown, never>>
  /** What runs at its start and its stop, in the order of declaration. */
  readonly hooks: ReadonlyArray<Hook>
  readonly "~E": E
  readonly "~R": R
  readonly "~Added": Added
}

/** Any app. */
export interface Any extends App<unknown, unknown, Routes, unknown> {}

const proto = {
  _tag: "App",
  pipe() {
    // biome-ignore lint/complexity/noArguments: Pipeable is defined over `arguments`
    return pipeArguments(this, arguments)
  }
}

const build = (fields: Pick<Any, "routes" | "options" | "middleware" | "hooks">): Any =>
  Object.assign(Object.create(proto), fields)

/**
 * Makes an app of routes. Throws a TypeError for a bad pattern, a duplicate or a route that is never reached, naming the route
 * and the cure.
 */
export const make = <const T extends Routes>(
  routes: T,
  options: Options = {}
): App<Route.Failures<T[keyof T]>, Route.Needs<T[keyof T]>, T> => {
  const app = build({ routes, options, middleware: [], hooks: [] })
  check(app)
  return app as App<Route.Failures<T[keyof T]>, Route.Needs<T[keyof T]>, T>
}

/** Puts a middleware around every route of the app, its 404 and its 405. The last applied is the outermost. */
export const use =
  <P = never, E2 = never, R2 = never, C = never>(middleware: Middleware.Middleware<P, E2, R2, C>) =>
  <E, R, T extends Routes, Added>(
    app: App<E, R, T, Added>
  ): App<Without<E, C> | E2, Without<R, P> | Exclude<R2, Engine>, T, Without<Added, C> | E2> =>
    build({ ...app, middleware: [...app.middleware, middleware] } as Any) as never

const hook =
  (on: Hook["on"]) =>
  <E2, R2>(run: Effect.Effect<unknown, E2, R2>) =>
  <E, R, T extends Routes, Added>(app: App<E, R, T, Added>): App<E, R | Exclude<R2, Scope.Scope>, T, Added> =>
    build({ ...app, hooks: [...app.hooks, { on, run }] } as Any) as never

/**
 * Runs an effect before the server listens, in the order of declaration, those of an app before those of the apps mounted in it. What
 * it acquires in a scope is released when the server has stopped. If it fails, the server does not start: ServeError, and what was
 * acquired is released. Under other engines it runs at the first request.
 *
 * @source aiohttp.web.Application.on_startup, cleanup_ctx
 */
export const onStart = hook("start")

/**
 * Runs an effect when the server begins to stop: readiness says no, and the listeners stay open until it has ended, at most for
 * `shutdownTimeout`. For leaving a service registry. A failure is logged. Other engines do not run it.
 *
 * @source aiohttp.web.Application.on_shutdown
 */
export const onDrain = hook("drain")

/**
 * Runs an effect when the server has stopped and nothing is under way any more; the last declared is the first to run. It runs too when
 * an `onStart` that was declared behind it fails. A failure is logged. Other engines do not run it.
 *
 * @source aiohttp.web.Application.on_cleanup
 */
export const onStop = hook("stop")

/**
 * Changes, or looks at, every answer of the app just before it is sent: those to failures and to unknown paths, and a 101, included. It is
 * `Middleware.onResponse` around the whole app.
 *
 * @source aiohttp.web.Application.on_response_prepare
 */
export const onResponse = (
  f: Parameters<typeof Middleware.onResponse>[0]
): (<E, R, T extends Routes, Added>(app: App<E, R, T, Added>) => App<E, R, T, Added>) =>
  use(Middleware.onResponse(f)) as never

/**
 * Runs an effect for every request of the app when it has ended, with its outcome: errors, 404, clients that left, and WebSockets
 * included. It is background work: a failure is logged, a stop awaits it. Answers are changed by `onResponse`.
 */
export const onOutcome = <R2 = never>(
  f: (outcome: Outcome.Outcome) => Effect.Effect<unknown, unknown, R2>
): (<E, R, T extends Routes, Added>(app: App<E, R, T, Added>) => App<E, R | Exclude<R2, Engine>, T, Added>) =>
  use(outcomes.middleware(f)) as never

/**
 * Gives a policy, as `Route.timeout("5 seconds")`, to every route of the app that has none of its name, through mounts; what is not
 * found has none. It stands where it is applied: around the middleware applied before it, inside of what comes after.
 */
export const policy =
  <E2, R2>(policy: Route.Policy<E2, R2>) =>
  <E, R, T extends Routes, Added>(app: App<E, R, T, Added>): App<E | E2, R | R2, T, Added | E2> =>
    build({ ...app, middleware: append(app.middleware, policy.middleware, "The app") } as Any) as never

/**
 * Functions that build the URLs of the app's routes, by name, through mounts. Values are percent-encoded. They throw a
 * TypeError for a value that the route would not match.
 *
 * @source aiohttp.web.AbstractRoute.url_for
 */
export const urls = <T extends Routes>(
  app: App<unknown, unknown, T, unknown>
): { readonly [K in keyof T]: table.UrlOf<T[K], ""> } => table.urls(app) as table.Urls<T>

/** The table of all routes in the order of declaration, for people and for documents. */
export const routes = (app: Any): ReadonlyArray<table.Row> => table.rows(app)

/**
 * The app as a standard Effect HTTP app, for `HttpServer.serve`, `HttpRouter` or another app's `Route.mountHandler`. Every failure
 * is answered. Mounted layers are built at the first request and live as long as the process.
 */
export const toHandler = <E, R, T extends Routes, Added>(
  app: Servable<E, R, T, Added>
): Handler<never, R | HttpServerRequest | Scope.Scope | HttpPlatform> =>
  handling.toHandler(app as unknown as Any) as never

/** The app under the web standard: from Request to Response, for Bun, Deno, Workers. Provide all services first. */
export const toWebHandler = <E, T extends Routes, Added>(
  app: Servable<E, never, T, Added>
): ((request: globalThis.Request) => Promise<globalThis.Response>) => handling.toWebHandler(app as unknown as Any)
