/**
 * A handler is an Effect that gives a response. Apps, sub-apps and mounted handlers all become one.
 *
 * ```ts
 * const hello: Handler.Handler = Effect.gen(function* () {
 *   const { name = "Anonymous" } = yield* Request.params
 *   return Response.text(`Hello, ${name}`)
 * })
 * ```
 *
 * @source aiohttp.web request handlers
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { HttpPlatform } from "effect/http/HttpPlatform"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type { Policies } from "./internal/policies/policy.ts"
import type * as Middleware from "./Middleware.ts"

/** An Effect that gives a response, may fail with E, and needs R. */
export type Handler<E = never, R = never> = Effect.Effect<HttpServerResponse, E, R>

/**
 * The route that a request matched: its parameters, its name in the table ("admin.user") and its pattern. For what is not found: no
 * parameters, no name, and the path itself.
 */
export class RouteContext extends Context.Service<
  RouteContext,
  {
    readonly params: { readonly [name: string]: string | undefined }
    readonly name: string
    readonly path: string
    /** The policies that hold for it; none for what is not found. */
    readonly policies?: Policies
  }
>()("effect-web/RouteContext") {}

/** What the engine gives to every handler: the request, its scope, the matched route, and the platform. */
export type Engine = HttpServerRequest | Scope.Scope | RouteContext | HttpPlatform

/** Exclude, but the identity when there is nothing to take away; keeps hovers short. */
export type Without<A, B> = [B] extends [never] ? A : Exclude<A, B>

/** Applies a middleware to a handler. */
export const use =
  <P = never, E2 = never, R2 = never, C = never>(middleware: Middleware.Middleware<P, E2, R2, C>) =>
  <E, R>(handler: Handler<E, R>): Handler<Without<E, C> | E2, Without<R, P> | R2 | Engine> =>
    // The parameters of the interface say what is taken away; the call itself is typed on its input.
    middleware(handler) as Handler<Without<E, C> | E2, Without<R, P> | R2 | Engine>
