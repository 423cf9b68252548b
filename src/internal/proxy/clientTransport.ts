/**
 * Sends requests to upstream servers by Effect's `FetchHttpClient`, for engines other than Node's.
 *
 * ```ts
 * const answer = yield* send({ origin: "http://127.0.0.1:9000", method: "GET", path: "/", ... })
 * ```
 *
 * Not by the `HttpClient` in the context, which an app has made for something else: it may add a URL, retry, or fail for a status. The
 * path is written as the URL standard has it, and no content coding is asked for, because `fetch` undoes them.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
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
import { announcesMore, tooLarge } from "../bodies/readBody.ts"
import * as Failure from "./failure.ts"
import type { Incoming, Outgoing } from "./transport.ts"

const client = Context.get(Effect.runSync(Effect.scoped(Layer.build(FetchHttpClient.layer))), HttpClient.HttpClient)

/** Sends a request. */
export const send = (outgoing: Outgoing): Effect.Effect<Incoming, Failure.Failure, Scope.Scope> =>
  Effect.withFiber((fiber) => {
    const { count, limit, source, timeouts } = outgoing
    if (source !== undefined && announcesMore(source, limit)) return Effect.fail(Failure.badRequest(tooLarge(limit)))
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
  // The response of fetch: its cookies are not parsed yet.
  const { source } = response as unknown as { readonly source: globalThis.Response }
  // What fetch has decoded is as long as nobody knows.
  const decoded = response.headers["content-encoding"] === undefined ? [] : ["content-encoding", "content-length"]
  return {
    status: response.status,
    statusText: undefined,
    headers: { ...Headers.removeMany(response.headers, decoded), "set-cookie": source.headers.getSetCookie() },
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
