/**
 * A middleware is a function from handler to handler that may provide services, add failures, need services, and catch.
 *
 * ```ts
 * const timing: Middleware.Middleware = (handler) => Effect.map(handler, Response.setHeader("x-served-by", "me"))
 * const user = Middleware.provide(CurrentUser, authenticate, { errors: [HttpError.Unauthorized] })
 * const app = App.make(routes).pipe(App.use(timing), App.use(user))
 * ```
 *
 * Apply it with `App.use`, `Route.use` or `Handler.use`, which read its four parameters; do not call it. Failures of inner
 * handlers, 404 and 405 included, pass through it as failures; what every answer needs goes into `Middleware.onResponse`.
 *
 * @source aiohttp.web.middleware
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { Engine, Handler } from "./Handler.ts"
import type { Class, HttpError } from "./HttpError.ts"

/** Provides P, adds the failures E2, needs R2, catches C. */
export interface Middleware<in P = never, out E2 = never, out R2 = never, in C = never> {
  <E, R>(handler: Handler<E | C, R | P>): Handler<E | E2, R | R2 | Engine>
  /** The classes of the failures that it adds, for the documents. */
  readonly errors?: ReadonlyArray<ErrorClass>
  /** No middleware has it: the compiler's message for a policy in the place of one. */
  readonly middleware?: "This is a policy: use App.policy for an app, and route.pipe(policy) for a route"
}

/** A class of HTTP errors, as a value. */
export interface ErrorClass {
  readonly status: number
  new (...args: never): HttpError
}

/** The classes behind a union of failures. */
export interface Options {
  readonly errors?: ReadonlyArray<ErrorClass>
}

/** Runs an effect before each handler and provides its result as a service. */
export const provide = <I, S, E = never, R = never>(
  service: Context.Key<I, S>,
  effect: Effect.Effect<S, E, R>,
  options?: Options
): Middleware<I, E, Exclude<R, Engine>> =>
  Object.assign(
    (handler: Handler<unknown, unknown>) =>
      Effect.flatMap(effect, (value) => Effect.provideService(handler, service, value)),
    options
  ) as Middleware<I, E, Exclude<R, Engine>>

/** Runs an effect before each handler; its failures are answered in the handler's place. */
export const before = <E = never, R = never>(
  effect: Effect.Effect<unknown, E, R>,
  options?: Options
): Middleware<never, E, Exclude<R, Engine>> =>
  Object.assign((handler: Handler<unknown, unknown>) => Effect.andThen(effect, handler), options) as Middleware<
    never,
    E,
    Exclude<R, Engine>
  >

/** Catches the failures of a class, also 404 and 405 of the router when given `HttpError.NotFound` or `MethodNotAllowed`. */
const catch_ = <C, E = never, R = never>(
  type: abstract new (...args: never) => C,
  onFailure: (error: C) => Handler<E, R>,
  options?: Options
): Middleware<never, E, Exclude<R, Engine>, C> =>
  Object.assign(
    (handler: Handler<unknown, unknown>) =>
      Effect.catchIf(handler, (error): error is C => error instanceof type, onFailure),
    options
  ) as Middleware<never, E, Exclude<R, Engine>, C>

export { catch_ as catch }

/**
 * Changes every answer below it, those to failures and to unknown paths included, just before it is sent.
 *
 * @source aiohttp.web.Application.on_response_prepare
 */
export const onResponse = (
  f: (
    response: HttpServerResponse,
    request: HttpServerRequest
  ) => HttpServerResponse | Effect.Effect<HttpServerResponse>
): Middleware => {
  const handler: HttpEffect.PreResponseHandler = (request, response) => {
    const changed = f(response, request)
    return Effect.isEffect(changed) ? changed : Effect.succeed(changed)
  }
  return (inner) => HttpEffect.withPreResponseHandler(inner, handler)
}

/** Any class of errors made by `HttpError.define`, with its instance type. */
export type AnyErrorClass = Class<never, string, number, {}>
