/**
 * Writes the body of a response as it comes.
 *
 * ```ts
 * yield* pump(request, response, from(readable), state)
 * ```
 *
 * The head waits for the first chunk, so a stream that fails before it is answered as any failure; after it the connection is cut,
 * never ended cleanly. Content-Length has to match what is written. A client that does not read stops the producer.
 *
 * @spec RFC 9112 §6, §8
 */

import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as FailureLog from "../../internal/errors/failureLog.ts"
import { isUpstream } from "../../internal/proxy/failure.ts"
import { earlyHead } from "../../internal/responses/earlyHead.ts"
import * as NodeExchange from "./exchange/NodeExchange.ts"
import type { NodeRequest } from "./NodeRequest.ts"
import { reset } from "./reset.ts"
import * as ResponseHead from "./responseHead.ts"

/** Writes the chunks; ends when all are handed to the socket, fails with what went wrong. */
export const pump = (
  request: NodeRequest,
  response: HttpServerResponse,
  chunks: Stream.Stream<Uint8Array, unknown>,
  state: ResponseHead.State
): Effect.Effect<unknown, unknown> => {
  const pumping = Effect.gen(function* () {
    const pull = yield* Stream.toPull(chunks)
    const step = Effect.flatMap(pull, (array) => send(request, response, array, state))
    return yield* Effect.forever(step)
  })
  return Effect.scopedWith((scope) => Effect.interruptible(Scope.provide(pumping, scope))).pipe(
    Effect.catchCause((cause) => (isDone(cause) ? finish(request, response, state) : Effect.failCause(cause)))
  )
}

// The end of a stream is a failure with Done; anything else is a real one.
const isDone = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.every((reason) => reason._tag === "Fail" && Cause.isDone(reason.error))

const begin = (
  request: NodeRequest,
  response: HttpServerResponse,
  headers: HttpServerResponse["headers"],
  state: ResponseHead.State
): void => {
  ResponseHead.checkLength(headers, undefined)
  request.response.strictContentLength = true
  ResponseHead.write(request, response, headers, state, true)
}

const send = (
  request: NodeRequest,
  response: HttpServerResponse,
  chunks: ReadonlyArray<Uint8Array>,
  state: ResponseHead.State
): Effect.Effect<unknown> =>
  Effect.suspend(() => {
    const out = request.response
    const chunk = chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
    if (!(chunk instanceof Uint8Array)) throw new TypeError(`A stream gave a ${typeof chunk} in place of bytes`)
    // Nothing is no first byte, unless it says so.
    if (chunk.length === 0) {
      if (chunk === earlyHead && !out.headersSent) {
        begin(request, response, response.headers, state)
        out.flushHeaders()
      }
      return Exit.void
    }
    if (!out.headersSent) {
      if (chunk.length > Number(response.headers["content-length"] ?? Number.POSITIVE_INFINITY)) {
        throw tooMany(response, chunk.length)
      }
      begin(request, response, response.headers, state)
    }
    NodeExchange.wrote(out, chunk.length)
    if (out.write(chunk)) return Exit.void
    return Effect.callback((resume) => {
      out.once("drain", () => resume(Exit.void))
    })
  })

const tooMany = ({ headers }: HttpServerResponse, length: number) =>
  new RangeError(`Content-Length says "${headers["content-length"]}", the stream has at least ${length} bytes`)

const finish = (
  request: NodeRequest,
  response: HttpServerResponse,
  state: ResponseHead.State
): Effect.Effect<unknown> =>
  Effect.sync(() => {
    const out = request.response
    if (!out.headersSent) {
      ResponseHead.checkLength(response.headers, 0)
      begin(request, response, ResponseHead.withLength(response.headers, 0), state)
    }
    out.end()
  })

/** Cuts the connection: a body that broke off must not look whole (RFC 9112 §8). Logs why, unless the client left. */
export const cut = (
  request: NodeRequest,
  response: HttpServerResponse,
  cause: Cause.Cause<unknown>
): Effect.Effect<void> => {
  const out = request.response
  const isGone = out.destroyed
  const cutting = Effect.sync(() => {
    // Where the end of the connection is the end of the body, only a reset says that something is missing.
    const isDelimited = out.chunkedEncoding || response.headers["content-length"] !== undefined
    if (!isDelimited && out.socket !== null) reset(out.socket)
    out.destroy()
  })
  if (isGone) return cutting
  FailureLog.broke(request, cause)
  if (Cause.hasInterruptsOnly(cause)) return cutting
  const message = "A response broke off after its head was sent"
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  const logged = isUpstream(error) ? Effect.logWarning(message, cause) : Effect.logError(message, cause)
  return Effect.andThen(cutting, FailureLog.annotated(logged, request))
}

/** What Node and the web take for a body, as a stream. Throws a TypeError for anything else. */
export const from = (body: unknown): Stream.Stream<Uint8Array, unknown> => {
  if (body === null) return Stream.empty
  if (typeof body === "object" && Symbol.asyncIterator in body) {
    const chunks = Stream.fromAsyncIterable(body as AsyncIterable<Uint8Array | string>, (cause) => cause)
    return Stream.map(chunks, (chunk) => (typeof chunk === "string" ? Buffer.from(chunk) : chunk))
  }
  if (webBodies.some((type) => body instanceof type) || ArrayBuffer.isView(body)) {
    return from(new globalThis.Response(body as BodyInit).body)
  }
  throw new TypeError(`A body cannot be made of ${typeof body === "object" ? body?.constructor?.name : typeof body}`)
}

const webBodies = [Blob, ArrayBuffer, FormData, URLSearchParams]
