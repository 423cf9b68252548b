/**
 * Writes a response to Node's `ServerResponse`.
 *
 * ```ts
 * yield* ResponseWriter.write(request, response, state)
 * ```
 *
 * A small body goes out in one write with its head. What cannot be written is answered with a 500 in its place, as long as nothing
 * has been sent.
 *
 * @source aiohttp.web.StreamResponse
 * @spec RFC 9112 §6; RFC 9110 §8.6, §9.3.2
 */

import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"
import * as ErrorResponse from "../../ErrorResponse.ts"
import * as HttpError from "../../HttpError.ts"
import { Takeover } from "../../internal/exchange/takeover.ts"
import { discard } from "../../internal/responses/conditionalResponse.ts"
import * as NodeExchange from "./exchange/NodeExchange.ts"
import * as NodeFileBody from "./files/NodeFileBody.ts"
import * as Handover from "./Handover.ts"
import type { NodeRequest } from "./NodeRequest.ts"
import * as ResponseHead from "./responseHead.ts"
import * as ResponseStream from "./responseStream.ts"

type Response = HttpServerResponse.HttpServerResponse

/** Writes the response; ends when it is handed to the socket, for streams when they have ended. */
export const write = (request: NodeRequest, response: Response, state: ResponseHead.State): Effect.Effect<unknown> => {
  const out = request.response
  const { body, headers, status } = response
  if (out.destroyed || out.writableEnded || out.headersSent || Handover.isTaken(out)) {
    discard(body)
    return Exit.void
  }
  try {
    if (body._tag === "Raw" && body.body instanceof globalThis.Response) {
      return write(request, fromWeb(response, body.body), state)
    }
    if (body._tag === "Raw" && body.body instanceof Takeover) {
      const { protocol } = body.body.options
      return request.head === undefined
        ? again(request, Cause.fail(new HttpError.UpgradeRequired({ protocol })), state)
        : Handover.hand(request, response, body.body)
    }
    if (request.method === "HEAD" || status === 204 || status === 304 || status === 205) {
      ResponseHead.write(request, response, bodyless(request, response), state, false)
      out.end()
      discard(body)
      return Exit.void
    }
    switch (body._tag) {
      case "Uint8Array": {
        ResponseHead.checkLength(headers, body.contentLength)
        ResponseHead.write(request, response, headers, state, false)
        NodeExchange.wrote(out, body.contentLength)
        out.end(body.text ?? body.body)
        return Exit.void
      }
      case "Stream":
        return stream(request, response, body.stream, state)
      case "Raw":
        return raw(request, response, body.body, state)
      case "FormData": {
        const web = new globalThis.Response(body.formData)
        const typed = HttpServerResponse.setHeader(response, "content-type", web.headers.get("content-type") ?? "")
        return stream(request, typed, ResponseStream.from(web.body), state)
      }
      case "Empty": {
        ResponseHead.checkLength(headers, 0)
        ResponseHead.write(request, response, ResponseHead.withLength(headers, 0), state, false)
        out.end()
        return Exit.void
      }
    }
  } catch (defect) {
    return again(request, Cause.die(defect), state)
  }
}

// The requests whose first response could not be written.
const refused = new WeakSet<NodeRequest>()

// What was refused is answered in its place; when that cannot be written either, the connection is cut.
const again = (request: NodeRequest, cause: Cause.Cause<unknown>, state: ResponseHead.State): Effect.Effect<unknown> =>
  Effect.flatMap(ErrorResponse.answer(cause, request, request.target.renderer), (answer) => {
    if (request.response.headersSent || refused.has(request)) return Effect.sync(() => request.response.destroy())
    refused.add(request)
    return write(request, answer, state)
  })

// HEAD keeps the length that GET would have; 204 must not have one, 205 has none (RFC 9110 §8.6, §15.3.6).
const bodyless = (request: NodeRequest, { body, headers, status }: Response): ResponseHead.Head => {
  if (status === 205) return { ...headers, "content-length": "0" }
  if (status === 204) {
    const { "content-length": _, ...rest } = headers
    return rest
  }
  return request.method === "HEAD" && status !== 304 && body._tag === "Empty"
    ? ResponseHead.withLength(headers, 0)
    : headers
}

const stream = (
  request: NodeRequest,
  response: Response,
  chunks: Stream.Stream<Uint8Array, unknown>,
  state: ResponseHead.State
): Effect.Effect<unknown> => {
  const file = NodeFileBody.of(chunks)
  const sent: Effect.Effect<unknown, unknown> =
    file === undefined
      ? ResponseStream.pump(request, response, chunks, state)
      : NodeFileBody.send(request, response, file, state)
  return Effect.catchCause(sent, (cause) => {
    const { destroyed, headersSent } = request.response
    return headersSent || destroyed ? ResponseStream.cut(request, response, cause) : again(request, cause, state)
  })
}

// Foreign bodies: a Node stream as Effect's file responses have it, or what the web standard's Response takes.
const raw = (
  request: NodeRequest,
  response: Response,
  body: unknown,
  state: ResponseHead.State
): Effect.Effect<unknown> => {
  if (typeof body !== "string" && !(body instanceof Uint8Array)) {
    return stream(request, response, ResponseStream.from(body), state)
  }
  const headers = ResponseHead.withLength(response.headers, Buffer.byteLength(body))
  ResponseHead.checkLength(headers, Buffer.byteLength(body))
  ResponseHead.write(request, response, headers, state, false)
  NodeExchange.wrote(request.response, Buffer.byteLength(body))
  request.response.end(body)
  return Exit.void
}

// A Response of the web says all itself; what was set around it is added.
const fromWeb = ({ cookies, headers }: Response, web: globalThis.Response): Response =>
  HttpServerResponse.fromWeb(web).pipe(HttpServerResponse.setHeaders(headers), HttpServerResponse.mergeCookies(cookies))
