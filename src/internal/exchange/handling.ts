/**
 * Answers a request with an app, whatever engine it came through: every failure becomes a response.
 *
 * ```ts
 * const handler = toHandler(app) // Effect<HttpServerResponse, never, ...>
 * ```
 *
 * Failures are rendered outside of all middleware; conditional requests are answered after it.
 *
 * @spec RFC 9110 §13
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Etag from "effect/http/Etag"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpPlatform from "effect/http/HttpPlatform"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type * as App from "../../App.ts"
import * as ErrorResponse from "../../ErrorResponse.ts"
import { RouteContext } from "../../Handler.ts"
import * as HttpError from "../../HttpError.ts"
import * as Host from "../../http/Host.ts"
import * as ByteLimit from "../byteLimit.ts"
import { finishing } from "../policies/lifecycle.ts"
import * as Conditional from "../responses/conditionalResponse.ts"
import { type Compiled, compile, type Target } from "../routing/compile.ts"
import { noResponse } from "../routing/endpoint.ts"
import { hooksOf } from "../routing/hooks.ts"

/** A response as it goes out: 304 or 412 where the request's conditions say so, 500 for what is no response. */
export const finished = (
  response: HttpServerResponse.HttpServerResponse,
  request: HttpServerRequest.HttpServerRequest,
  renderer: ErrorResponse.Renderer
): HttpServerResponse.HttpServerResponse | Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (!HttpServerResponse.isHttpServerResponse(response)) {
    return ErrorResponse.answer(noResponse(response), request, renderer)
  }
  const final = Conditional.apply(request, response)
  return HttpServerResponse.isHttpServerResponse(final)
    ? final
    : ErrorResponse.answer(Cause.fail(final), request, renderer)
}

/** The path and the query of a request-target in origin form; the query has its "?". */
export const split = (url: string): readonly [path: string, search: string] => {
  const at = url.indexOf("?")
  return at === -1 ? [url, ""] : [url.slice(0, at), url.slice(at)]
}

/** The app as a standard Effect HTTP app. */
export const toHandler = (app: App.Any) => {
  const compiled = compile(app)
  const starts = hooksOf(app).flatMap(({ on, run }) => (on === "start" ? [run as typeof compiled.prepare] : []))
  const prepare = once(Effect.all([compiled.prepare, ...starts.map(Effect.orDie)], { discard: true }))
  const limit = ByteLimit.standard
  return HttpMiddleware.decompression()(
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      const target = targetOf(compiled, request)
      const whole = finishing(target.answer, target.policies.onDisconnect)
      const answer = Effect.provideService(whole, RouteContext, target.context)
      const final = Effect.flatMap(answer, (response) => asEffect(finished(response, request, target.renderer)))
      return Effect.andThen(prepare, Effect.provideService(final, HttpServerRequest.MaxBodySize, limit))
    })
  ).pipe(
    Effect.catchCause((cause) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
        ErrorResponse.answer(cause, request, compiled.renderer)
      )
    )
  )
}

const asEffect = (response: ReturnType<typeof finished>) =>
  HttpServerResponse.isHttpServerResponse(response) ? Effect.succeed(response) : response

const targetOf = (compiled: Compiled, request: HttpServerRequest.HttpServerRequest): Target => {
  const [path, search] = split(request.url)
  // Under the web standard the host is in the URL and not in a header.
  const name = request.headers.host ?? /^https?:\/\/([^/?#]*)/i.exec(request.originalUrl)?.[1]
  const host = name === undefined ? undefined : Host.parse(name)
  if (host === undefined && name !== undefined) {
    return compiled.failure(new HttpError.BadRequest({ text: "The Host header is invalid" }))
  }
  return compiled.dispatch(request.method, host?.hostname ?? "", path, search)
}

// The resources of mounted layers: built once, at the first request, never released.
const once = (prepare: Effect.Effect<void, never, Scope.Scope>): Effect.Effect<void> => {
  let done: Effect.Effect<void> | undefined
  return Effect.suspend(
    () =>
      (done ??= Effect.runSync(
        Effect.cached(Effect.provide(Scope.provide(prepare, Scope.makeUnsafe()), HttpServer.layerServices))
      ))
  )
}

/** The app under the web standard. */
export const toWebHandler = (app: App.Any) => {
  const platform = Effect.runSync(
    Effect.scoped(Layer.build(Layer.provide(HttpPlatform.layer, [Etag.layerWeak, FileSystem.layerNoop({})])))
  )
  const handle = HttpEffect.toWebHandlerWith(platform as Context.Context<HttpPlatform.HttpPlatform>)(
    toHandler(app) as Effect.Effect<HttpServerResponse.HttpServerResponse>
  )
  return (request: globalThis.Request) => handle(request, Context.empty())
}
