/**
 * Answers what never became a request: bytes that Node's parser refused, and heads that took too long.
 *
 * ```ts
 * server.on("clientError", (error, socket) => refuse(error, socket, undefined))
 * ```
 *
 * The answer comes from the app's own renderer, then the connection is closed. Nothing is logged above debug.
 *
 * @spec RFC 9112 §2.2, §3; RFC 9110 §15.5
 */

import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as ErrorResponse from "../ErrorResponse.ts"
import * as HttpError from "../HttpError.ts"
import * as Status from "../http/Status.ts"
import { maxTarget } from "./RequestTarget.ts"

interface ParserError extends Error {
  readonly code?: string
  readonly reason?: string
  readonly rawPacket?: Buffer
}

/** The answer to a parser error, or undefined when there is nobody to answer. */
export const classify = (error: ParserError): HttpError.HttpError | undefined => {
  const packet = error.rawPacket
  switch (error.code) {
    case "ECONNRESET":
    case "EPIPE":
    case "ECONNABORTED":
      return undefined
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new HttpError.RequestTimeout({ text: "The request did not arrive in time" })
    case "HPE_HEADER_OVERFLOW":
      return requestLine(packet).length > maxTarget
        ? new HttpError.UriTooLong({ text: `The request-target is longer than ${maxTarget} bytes` })
        : new HttpError.RequestHeaderFieldsTooLarge({ text: "The header block is too large" })
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new HttpError.ContentTooLarge({ text: "The chunk extensions are too large" })
    case "HPE_INVALID_VERSION":
      return /HTTP\/\d\.\d\r?$/.test(requestLine(packet))
        ? new HttpError.HttpVersionNotSupported({ text: "Only HTTP/1.0 and HTTP/1.1 are spoken here" })
        : new HttpError.BadRequest({ text: "The HTTP version is malformed" })
    case "HPE_INVALID_METHOD":
      // A method that this server does not know is not a malformed one (RFC 9110 §9.1).
      if (/^[!#$%&'*+\-.^_`|~\w]+ \S+ HTTP\/1\.[01]\r?$/.test(requestLine(packet))) {
        return new HttpError.NotImplemented({ text: "This method is not known here" })
      }
      return new HttpError.BadRequest({ text: explain(error, packet) })
    default:
      return new HttpError.BadRequest({ text: explain(error, packet) })
  }
}

const requestLine = (packet: Buffer | undefined): string => {
  const text = packet?.toString("latin1") ?? ""
  const end = text.indexOf("\n")
  return end === -1 ? text : text.slice(0, end)
}

// A TLS handshake record begins with 22, version 3 (RFC 8446 §5.1).
const explain = (error: ParserError, packet: Buffer | undefined): string =>
  packet?.[0] === 22 && packet[1] === 3
    ? "TLS was received where HTTP is spoken; use http:// or another port"
    : `The request is malformed: ${error.reason ?? "not HTTP"}`

/** Answers parser errors: after the responses that are still going out, never into the middle of one. */
export const responder =
  (context: Context.Context<never>, renderer: ErrorResponse.Renderer) =>
  (error: Error, socket: Duplex, current: Http.ServerResponse | undefined): void => {
    const refusal = classify(error)
    if (refusal === undefined || !socket.writable || socket.destroyed) {
      socket.destroy()
      return
    }
    if (current === undefined || current.writableFinished) {
      answer(context, renderer, refusal, socket)
      return
    }
    // The body of a request in flight is broken: its own answer, unless one has begun.
    if (!current.req.complete) {
      if (current.headersSent) socket.destroy()
      else answer(context, renderer, refusal, socket)
      return
    }
    current.once("finish", () => answer(context, renderer, refusal, socket))
  }

/** Writes an error onto a connection that has no response object, and closes it. */
export const answer = (
  context: Context.Context<never>,
  renderer: ErrorResponse.Renderer,
  error: HttpError.HttpError,
  socket: Duplex
): void => {
  const rendered = renderer({ error, request: undefined, cause: undefined })
  socket.on("error", () => socket.destroy())
  Effect.runForkWith(context)(rendered).addObserver((exit) => {
    if (Exit.isFailure(exit) || !socket.writable) {
      socket.destroy()
      return
    }
    socket.end(serialize(exit.value), () => socket.destroy())
  })
}

const serialize = (response: HttpServerResponse): Buffer => {
  const content = response.body._tag === "Uint8Array" ? Buffer.from(response.body.body) : Buffer.alloc(0)
  const headers = {
    ...response.headers,
    date: new globalThis.Date().toUTCString(),
    "content-length": String(content.length),
    connection: "close"
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const line = `HTTP/1.1 ${response.status} ${Status.reason(response.status)}\r\n`
  return Buffer.concat([Buffer.from(`${line}${head.join("")}\r\n`, "latin1"), content])
}
