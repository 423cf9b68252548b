/**
 * Writes a response to Node's `ServerResponse`.
 *
 * ```ts
 * yield* ResponseWriter.write(request, response, state)
 * ```
 *
 * A small body goes out in one write with its head. A stream's head waits for its first chunk, so a stream that fails before it is
 * answered as any failure; after it the connection is cut, never ended cleanly. Content-Length has to match what is written.
 *
 * @source aiohttp.web.StreamResponse
 * @spec RFC 9112 §6; RFC 9110 §8.6, §9.3.2
 */

import type * as Http from "node:http"
import { Readable } from "node:stream"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cookies from "effect/http/Cookies"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ErrorResponse from "../ErrorResponse.ts"
import * as Status from "../http/Status.ts"
import type { NodeRequest } from "./NodeRequest.ts"
import { announced, pendingContinue } from "./RequestBody.ts"

/** True while the server stops: every answer closes its connection. */
export interface State {
  draining: boolean
}

type Head = Record<string, string | ReadonlyArray<string>>

/** Writes the response; ends when it is handed to the socket, for streams when they have ended. */
export const write = (request: NodeRequest, response: HttpServerResponse, state: State): Effect.Effect<unknown> => {
  const out = request.response
  if (out.destroyed || out.writableEnded || out.headersSent) return Exit.void
  const { body } = response
  try {
    if (request.method !== "HEAD" && hasContent(response.status)) {
      switch (body._tag) {
        case "Uint8Array": {
          writeHead(request, response, response.headers, state, false)
          out.end(body.text ?? body.body)
          return Exit.void
        }
        case "Stream":
          return stream(request, response, body.stream, state)
        case "Raw":
          return readable(request, response, body.body, state)
        case "FormData": {
          const web = new globalThis.Response(body.formData)
          const headers = { ...response.headers, "content-type": web.headers.get("content-type") ?? "" }
          return stream(request, { ...response, headers } as HttpServerResponse, fromWeb(web.body), state)
        }
        case "Empty": {
          const headers =
            response.headers["content-length"] === undefined ? withLength(response.headers) : response.headers
          writeHead(request, response, headers, state, false)
          out.end()
          return Exit.void
        }
      }
    }
    writeHead(request, response, bodyless(request, response), state, false)
    out.end()
    return Exit.void
  } catch (defect) {
    return again(request, Cause.die(defect), state)
  }
}

// The requests whose first response could not be written.
const refused = new WeakSet<NodeRequest>()

// What was refused is answered in its place; when that cannot be written either, the connection is cut.
const again = (request: NodeRequest, cause: Cause.Cause<unknown>, state: State): Effect.Effect<unknown> =>
  Effect.flatMap(ErrorResponse.answer(cause, request, request.target.renderer), (answer) => {
    if (request.response.headersSent || refused.has(request)) return Effect.sync(() => request.response.destroy())
    refused.add(request)
    return write(request, answer, state)
  })

const hasContent = (status: number): boolean => status !== 204 && status !== 304 && status !== 205

// HEAD keeps the length that GET would have; 204 must not have one, 205 has none (RFC 9110 §8.6, §15.3.6).
const bodyless = (request: NodeRequest, { body, headers, status }: HttpServerResponse): Head => {
  if (status === 205) return { ...headers, "content-length": "0" }
  if (status === 204) {
    const { "content-length": _, ...rest } = headers
    return rest
  }
  const known = status === 304 || headers["content-length"] !== undefined || body._tag !== "Empty"
  return request.method !== "HEAD" || known ? headers : withLength(headers)
}

const withLength = (headers: HttpServerResponse["headers"]): Head => ({ ...headers, "content-length": "0" })

const writeHead = (
  request: NodeRequest,
  response: HttpServerResponse,
  base: Head,
  state: State,
  streaming: boolean
): void => {
  const out = request.response
  const { source } = request
  if (!(response.status >= 200 && response.status <= 599)) {
    throw new RangeError(`The status ${response.status} is no final status; use 200 to 599`)
  }
  let headers = base
  if (!Cookies.isEmpty(response.cookies)) {
    headers = { ...headers, "set-cookie": Cookies.toSetCookieHeaders(response.cookies) }
  }
  if (state.draining || closes(source, streaming)) {
    headers = { ...headers, connection: "close" }
  } else if (out.shouldKeepAlive) {
    // Persistence is the default of HTTP/1.1; HTTP/1.0 has to be told. Never the deprecated Keep-Alive (RFC 9112 §9.3).
    if (source.httpVersionMinor === 1) out.removeHeader("connection")
    else headers = { connection: headers["content-length"] === undefined ? "close" : "keep-alive", ...headers }
  }
  // Node's phrases of 413 and 422 are older than RFC 9110.
  const phrase = response.statusText ?? (response.status < 400 ? undefined : Status.reason(response.status))
  if (phrase === undefined) out.writeHead(response.status, headers as Http.OutgoingHttpHeaders)
  else out.writeHead(response.status, phrase, headers as Http.OutgoingHttpHeaders)
}

/** Unread bytes of a request body up to this many are read away after the answer; with more the connection closes. */
export const maxDiscarded = 256 * 1024

// Decided with the head, while `Connection: close` can still be said. A stream may go on reading the body.
const closes = (source: Http.IncomingMessage, streaming: boolean): boolean => {
  if (source.complete || !announced(source)) return false
  if (pendingContinue(source)) return true
  return !streaming && Number(source.headers["content-length"] ?? 0) > maxDiscarded
}

const fromWeb = (body: ReadableStream<Uint8Array> | null): Stream.Stream<Uint8Array, unknown> =>
  body === null ? Stream.empty : Stream.fromReadableStream({ evaluate: () => body, onError: (cause) => cause })

const stream = (
  request: NodeRequest,
  response: HttpServerResponse,
  chunks: Stream.Stream<Uint8Array, unknown>,
  state: State
): Effect.Effect<unknown> => {
  const out = request.response
  const pump = Effect.gen(function* () {
    const pull = yield* Stream.toPull(chunks)
    const step = Effect.flatMap(pull, (array) => send(request, response, array, state))
    return yield* Effect.forever(step)
  })
  return Effect.scopedWith((scope) => Effect.interruptible(Scope.provide(pump, scope))).pipe(
    Effect.catchCause((cause) => {
      const failed = withoutDone(cause)
      if (failed === undefined) return finish(request, response, state)
      if (!out.headersSent && !out.destroyed) return again(request, failed, state)
      return cut(request, failed)
    })
  )
}

// The end of a stream is a failure with Done; anything else is a real one.
const withoutDone = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> | undefined =>
  cause.reasons.every((reason) => reason._tag === "Fail" && Cause.isDone(reason.error)) ? undefined : cause

const send = (
  request: NodeRequest,
  response: HttpServerResponse,
  chunks: ReadonlyArray<Uint8Array>,
  state: State
): Effect.Effect<unknown> =>
  Effect.suspend(() => {
    const out = request.response
    if (!out.headersSent) {
      out.strictContentLength = true
      writeHead(request, response, response.headers, state, true)
    }
    const chunk = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
    if (chunk.length === 0 || out.write(chunk)) return Exit.void
    return Effect.callback((resume) => {
      out.once("drain", () => resume(Exit.void))
    })
  })

const finish = (request: NodeRequest, response: HttpServerResponse, state: State): Effect.Effect<unknown> =>
  Effect.suspend(() => {
    const out = request.response
    if (!out.headersSent) {
      out.strictContentLength = true
      writeHead(
        request,
        response,
        response.headers["content-length"] === undefined ? withLength(response.headers) : response.headers,
        state,
        true
      )
    }
    out.end()
    return Exit.void
  }).pipe(Effect.catchCause((cause) => cut(request, cause)))

// A body that broke off must not look whole: no last chunk, the connection is cut (RFC 9112 §8).
const cut = (request: NodeRequest, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  const gone = request.response.destroyed
  const cutting = Effect.sync(() => {
    request.response.destroy()
  })
  if (gone || Cause.hasInterruptsOnly(cause)) return cutting
  return Effect.andThen(cutting, Effect.logError("A response broke off after its head was sent", cause)).pipe(
    Effect.annotateLogs({ "http.method": request.method, "http.path": request.url.split("?")[0] })
  )
}

// Foreign bodies: a Node stream as Effect's file responses have it, or what the web standard's Response takes.
const readable = (
  request: NodeRequest,
  response: HttpServerResponse,
  body: unknown,
  state: State
): Effect.Effect<unknown> => {
  if (body instanceof Readable) {
    const chunks = Stream.fromAsyncIterable(body as AsyncIterable<Uint8Array>, (cause) => cause)
    return Effect.ensuring(
      stream(request, response, chunks, state),
      Effect.sync(() => body.destroy())
    )
  }
  if (typeof body === "string" || body instanceof Uint8Array) {
    const headers = { ...response.headers, "content-length": String(Buffer.byteLength(body)) }
    writeHead(request, response, headers, state, false)
    request.response.end(body)
    return Exit.void
  }
  return stream(request, response, fromWeb(new globalThis.Response(body as BodyInit).body), state)
}
