/**
 * Routes: a method, a path and a handler, as a value in a record whose keys are the routes' names.
 *
 * ```ts
 * const routes = {
 *   item: Route.get("/items/{id:\\d+}", ({ params }) => show(params.id)),
 *   create: Route.post("/users", { body: Body.json(NewUser), success: Response.schema(User) }, ({ body }) => create(body)),
 *   admin: Route.mount("/admin", adminApp)
 * }
 * ```
 *
 * @source aiohttp.web.get, post, put, patch, delete, head, options, route, view; add_subapp, add_domain
 */
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { type Pipeable, pipeArguments } from "effect/Pipeable"
import type * as App from "./App.ts"
import type { Engine, Handler, Without } from "./Handler.ts"
import type { ParamName } from "./http/Pattern.ts"
import { append } from "./internal/policies/policy.ts"
import * as Described from "./internal/routing/described.ts"
import type * as Of from "./internal/routing/description.ts"
import * as Direct from "./internal/routing/direct.ts"
import * as Mounted from "./internal/routing/mountedLayer.ts"
import type * as Middleware from "./Middleware.ts"
import * as WebSocket from "./WebSocket.ts"

export { type Concurrency, concurrency } from "./internal/policies/concurrency.ts"
export { draining, finishWithin, onDisconnect, onDrain } from "./internal/policies/lifecycle.ts"
export type { FinishWithin, Policies, Policy } from "./internal/policies/policy.ts"
export { type Priority, priority } from "./internal/policies/priority.ts"
export { bodyLimit, timeout } from "./internal/policies/timeout.ts"
export { transactional } from "./internal/policies/transactional.ts"

/** What may stand in a table of routes. Its failures are no part of it: a table must not say what those of a route are. */
export interface Entry {
  readonly _tag: "Route" | "Mount" | "Host" | "MountedHandler"
}

/** The failures, and the needs, of what stands in a table. */
export type Failures<T> = T extends { readonly "~E": infer E } ? E : never
export type Needs<T> = T extends { readonly "~R": infer R } ? R : never

/** A route: its path, its failures E, its needs R, what it takes and what it gives. */
export interface Route<out Path extends string, out E, out R, out In = unknown, out Out = unknown> extends Pipeable {
  readonly _tag: "Route"
  readonly path: Path
  /** Handlers by method; "*" takes the methods that no other takes. */
  readonly handlers: { readonly [method: string]: Handler<unknown, unknown> }
  readonly description: Of.Description<string> | undefined
  /** In the order of use: the last is the outermost. */
  readonly middleware: ReadonlyArray<Middleware.Middleware<never, unknown, unknown, never>>
  readonly "~E": E
  readonly "~R": R
  readonly "~In": In
  readonly "~Out": Out
}

/** Any route. */
export type Any = Route<string, unknown, unknown>

/** An app below a path. */
export interface Mount<out Path extends string, out A extends App.Any> extends Pipeable {
  readonly _tag: "Mount"
  readonly path: Path
  readonly app: A
  readonly "~E": A["~E"]
  readonly "~R": A["~R"]
}

/** An app for a host. */
export interface Host<out A extends App.Any> extends Pipeable {
  readonly _tag: "Host"
  readonly host: string
  readonly app: A
  readonly "~E": A["~E"]
  readonly "~R": A["~R"]
}

/** A foreign Effect handler below a path. */
export interface MountedHandler<out Path extends string, out E, out R> extends Pipeable {
  readonly _tag: "MountedHandler"
  readonly path: Path
  readonly handler: Handler<unknown, unknown>
  /** Builds the handler of a mounted layer when the app starts. */
  readonly build: Effect.Effect<Handler<unknown, unknown>, never, unknown> | undefined
  readonly "~E": E
  readonly "~R": R
}

/** What stands in a table, with its tag. */
export type AnyEntry = Any | Mount<string, App.Any> | Host<App.Any> | MountedHandler<string, unknown, unknown>

/** The two ways to declare a route: path and handler (or the response itself), or path, description and handler. */
export interface Verb {
  <const Path extends string, E = never, R = never>(
    path: Path,
    handler:
      | HttpServerResponse
      | Handler<E, R>
      | ((input: {
          readonly params: { readonly [K in ParamName<Path>]: string }
        }) => HttpServerResponse | Handler<E, R>)
  ): Route<
    Path,
    E,
    Exclude<R, Engine>,
    { readonly [_ in Of.ParamSlot<Path>]: { readonly [K in ParamName<Path>]: string } },
    HttpServerResponse
  >
  <const Path extends string, const D extends Of.Description<Path>, R = never>(
    path: Path,
    description: D & { readonly [K in Of.Unknown<Path, D>]: never },
    handler:
      | ((
          input: { readonly [K in Of.Slot<Path, D>]: Of.SlotValue<Path, D, K> }
        ) => Effect.Effect<Of.OutOf<D>, Of.Declared<D> | Of.BodyErrors<D> | Of.InputErrors<D>, R>)
      | Effect.Effect<Of.OutOf<D>, Of.Declared<D> | Of.BodyErrors<D> | Of.InputErrors<D>, R>
  ): Route<
    Path,
    Of.Declared<D> | Of.BodyErrors<D> | Of.InputErrors<D>,
    Exclude<R | Of.Services<D>, Engine>,
    { readonly [K in Of.Slot<Path, D>]: Of.SlotValue<Path, D, K> },
    Of.OutOf<D>
  >
}

const proto = {
  pipe() {
    // biome-ignore lint/complexity/noArguments: Pipeable is defined over `arguments`
    return pipeArguments(this, arguments)
  }
}

const make = (path: string, handlers: Any["handlers"], description?: Of.Description<string>): Any =>
  Object.assign(Object.create(proto), { _tag: "Route", path, handlers, description, middleware: [] })

const verb = (name: string): Verb =>
  // The overloads are told apart by arity; their types stand in Verb.
  ((path: string, ...rest: [Handler] | [Of.Description<string>, Handler]) =>
    rest.length === 1
      ? make(path, { [name]: Direct.toHandler(rest[0]) })
      : make(path, { [name]: Described.handler(...rest) }, rest[0])) as unknown as Verb

/** Answers GET, and HEAD with the same headers and no body. */
export const get: Verb = verb("GET")
export const post: Verb = verb("POST")
export const put: Verb = verb("PUT")
export const patch: Verb = verb("PATCH")
const delete_: Verb = verb("DELETE")

export { delete_ as delete }
/** Answers HEAD itself, where the answer to GET would be costly to make. */
export const head: Verb = verb("HEAD")
/** Answers OPTIONS itself; without it OPTIONS is 204 with `Allow`. */
export const options: Verb = verb("OPTIONS")
/** Answers every method that no other route of the path takes. */
export const any: Verb = verb("*")

/**
 * A route for any method token, as "PROPFIND" or "QUERY". Throws when the token is invalid (RFC 9110 §9.1). Node's parser knows the
 * registered methods only: under `Server` other tokens are answered with 501.
 */
export const method = (name: string): Verb => verb(token(name))

const token = (name: string): string => {
  if (/^[!#$%&'*+\-.^_`|~\w]+$/.test(name)) return name
  throw new TypeError(`${JSON.stringify(name)} is no method; write one word, as "PROPFIND"`)
}

/**
 * Several methods of one path by their lower-case names, as `{ get: form, post: login }`; others are 405 with `Allow`.
 * @source aiohttp.web.View
 */
export const view = <const Path extends string, const H extends { readonly [method: string]: ViewHandler<Path> }>(
  path: Path,
  handlers: H
): Route<
  Path,
  ViewError<H[keyof H]>,
  Exclude<ViewServices<H[keyof H]>, Engine>,
  { readonly [_ in Of.ParamSlot<Path>]: { readonly [K in ParamName<Path>]: string } },
  HttpServerResponse
> =>
  make(
    path,
    Object.fromEntries(
      Object.entries(handlers).map(([name, handler]) => [token(name.toUpperCase()), Direct.toHandler(handler as never)])
    )
  ) as never

type ViewHandler<Path extends string> =
  | HttpServerResponse
  | Handler<unknown, unknown>
  | ((input: {
      readonly params: { readonly [K in ParamName<Path>]: string }
    }) => HttpServerResponse | Handler<unknown, unknown>)
type ViewEffect<H> = H extends (...args: never) => infer A ? A : H
type ViewError<H> = ViewEffect<H> extends Effect.Effect<unknown, infer E, unknown> ? E : never
type ViewServices<H> = ViewEffect<H> extends Effect.Effect<unknown, unknown, infer R> ? R : never

/** A WebSocket endpoint; to who asks for none it is what `otherwise` answers, a page say, or else UpgradeRequired (426). */
export const websocket = <const Path extends string, R, E2 = never, R2 = never>(
  path: Path,
  endpoint: WebSocket.Any<R, { readonly [K in ParamName<Path>]: string }>,
  otherwise?: HttpServerResponse | Handler<E2, R2>
): Route<Path, WebSocket.Refusal | E2, Exclude<R | R2, Engine>, unknown, HttpServerResponse> =>
  make(path, { GET: WebSocket.orElse(endpoint, otherwise && Direct.toHandler(otherwise)) }) as never

/** An app below a prefix, "/" included. Its middleware wraps its routes and its 404; the parent's wraps both. */
export const mount = <const Path extends string, A extends App.Any>(path: Path, app: A): Mount<Path, A> =>
  Object.assign(Object.create(proto), { _tag: "Mount", path, app })

/**
 * An app for a host: "api.example.com", "*.example.com" (any depth, not the apex) or "{tenant}.example.com". Hosts are compared
 * without case and port; the first that matches is final. Only for the root app.
 *
 * @source aiohttp.web.Application.add_domain
 */
export const host = <A extends App.Any>(name: string, app: A): Host<A> =>
  Object.assign(Object.create(proto), { _tag: "Host", host: name, app })

/**
 * Any Effect HTTP app below a prefix: a handler, or a layer of `HttpRouter` or `HttpApi` routes, whose failures to build are caught
 * before. It sees the path without the prefix and shares no router with this app or with another mount.
 */
export const mountHandler: {
  <const Path extends string, E, R>(path: Path, handler: Handler<E, R>): MountedHandler<Path, E, Exclude<R, Engine>>
  <const Path extends string, A, R>(
    path: Path,
    layer: Layer.Layer<A, never, R>
  ): MountedHandler<Path, Mounted.Failures<R>, Exclude<Mounted.Needs<R>, Engine>>
} = (path: string, app: Handler<unknown, unknown> | Layer.Layer<unknown, never, unknown>): never =>
  Object.assign(Object.create(proto), {
    _tag: "MountedHandler",
    path,
    handler: Layer.isLayer(app) ? Effect.die(new TypeError(`The layer at "${path}" is not built yet`)) : app,
    build: Layer.isLayer(app) ? Mounted.build(app) : undefined
  }) as never

/** Applies a middleware to a route; the last applied is the outermost. */
export const use =
  <P = never, E2 = never, R2 = never, C = never>(middleware: Middleware.Middleware<P, E2, R2, C>) =>
  <Path extends string, E, R, I, O>(
    route: Route<Path, E, R, I, O>
  ): Route<Path, Without<E, C> | E2, Without<R, P> | Exclude<R2, Engine>, I, O> =>
    Object.assign(Object.create(proto), route, {
      middleware: append(route.middleware, middleware, `The route "${route.path}"`)
    })
