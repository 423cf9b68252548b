/**
 * Sends requests to upstream servers by Effect's `HttpClient`: the one in the context, else `fetch`.
 *
 * ```ts
 * const answer = yield* send({ origin: "http://127.0.0.1:9000", method: "GET", path: "/", ... })
 * ```
 *
 * For engines other than Node's. The path is written as the URL standard has it; no content coding is asked for, because `fetch`
 * undoes them.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import type * as HttpMethod from "effect/http/HttpMethod"
import type { HttpServerError } from "effect/http/HttpServerError"
import { type HttpServerRequest, MaxBodySize } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { announcesMore, tooLarge } from "./readBody.ts"
import type { Incoming, Outgoing } from "./upstream.ts"
import * as Failure from "./upstreamFailure.ts"

const byFetch = Context.get(Effect.runSync(Effect.scoped(Layer.build(FetchHttpClient.layer))), HttpClient.HttpClient)

/** Sends a request. */
export const send = (outgoing: Outgoing): Effect.Effect<Incoming, Failure.Failure, Scope.Scope> =>
  Effect.withFiber((fiber) => {
    const { count, limit, source, timeouts } = outgoing
    if (source !== undefined && announcesMore(source, limit)) return Effect.fail(Failure.badRequest(tooLarge(limit)))
    const client = Context.getOrUndefined(fiber.context, HttpClient.HttpClient) ?? byFetch
    const broken: Broken = { failure: undefined }
    const scope = Context.getUnsafe(fiber.context, Scope.Scope)
    count(1)
    return HttpClient.withScope(client)
      .execute(toRequest(outgoing, broken))
      .pipe(
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        Effect.mapError((cause) => broken.failure ?? failed(cause)),
        Effect.timeoutOrElse({
          duration: Duration.millis(timeouts.response),
          orElse: () => Effect.fail(Failure.failure("responseTimeout", "upstream", undefined))
        }),
        Effect.map((response) => toIncoming(response, outgoing)),
        // An answer is over when the response is, at the latest.
        Effect.onExit((exit) =>
          exit._tag === "Success"
            ? Scope.addFinalizer(
                scope,
                Effect.sync(() => count(-1))
              )
            : Effect.sync(() => count(-1))
        )
      )
  })

// What became of the body of the request: the client would not tell it from a failure of its own.
interface Broken {
  failure: Failure.Failure | undefined
}

const toRequest = (outgoing: Outgoing, broken: Broken): HttpClientRequest.HttpClientRequest => {
  const { headers: lines, method, origin, path, source } = outgoing
  const headers: Record<string, string> = {}
  for (let at = 0; at < lines.length; at += 2) headers[lines[at] as string] = lines[at + 1] as string
  headers["accept-encoding"] = "identity"
  // The methods of the type are those that Effect names.
  const request = HttpClientRequest.make(method as HttpMethod.HttpMethod)(origin + path, { headers })
  if (source === undefined) return request
  const { "content-length": length, "content-type": type } = source.headers
  const size = length === undefined ? undefined : Number(length)
  return HttpClientRequest.setBody(request, HttpBody.stream(upload(source, outgoing.limit, broken), type, size))
}

const upload = (source: HttpServerRequest, limit: bigint | undefined, broken: Broken) =>
  source.stream.pipe(
    // An absent limit is one too: that of the engine is not meant.
    Stream.provideService(MaxBodySize, limit as typeof MaxBodySize.Service),
    Stream.tapError((error: HttpServerError) =>
      Effect.sync(() => {
        const isLarge = error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
        broken.failure = isLarge ? Failure.badRequest(tooLarge(limit)) : Failure.incomplete(error)
      })
    )
  )

const failed = (cause: HttpClientError): Failure.Failure => {
  const { reason } = cause
  return reason._tag === "TransportError"
    ? Failure.failure("unreachable", "upstream", reason.cause)
    : Failure.failure("malformed", "answered", cause)
}

const toIncoming = (response: HttpClientResponse, { method, timeouts }: Outgoing): Incoming => {
  const source = (response as { readonly source?: unknown }).source
  const isWeb = source instanceof globalThis.Response
  // What fetch has decoded is as long as nobody knows.
  const headers =
    isWeb && response.headers["content-encoding"] !== undefined
      ? Headers.removeMany(response.headers, ["content-encoding", "content-length"])
      : response.headers
  return {
    status: response.status,
    statusText: undefined,
    headers: {
      ...headers,
      "set-cookie": isWeb ? source.headers.getSetCookie() : Cookies.toSetCookieHeaders(response.cookies)
    },
    body: method === "HEAD" ? new Uint8Array(0) : content(response, timeouts.idle),
    tunnel: undefined
  }
}

const content = (response: HttpClientResponse, idle: number): Exclude<Incoming["body"], Uint8Array> =>
  response.stream.pipe(
    Stream.catchIf(
      ({ reason }) => reason._tag === "EmptyBodyError",
      () => Stream.empty
    ),
    Stream.mapError((cause): Failure.Failure["error"] => Failure.failure("broken", "answered", cause).error),
    Stream.timeoutOrElse({
      duration: Duration.millis(idle),
      orElse: () => Stream.fail(Failure.failure("idle", "answered", undefined).error)
    })
  )
