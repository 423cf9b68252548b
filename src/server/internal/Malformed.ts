/**
 * Answers what never became a request: bytes that Node's parser refused, and heads that took too long.
 *
 * ```ts
 * const refuse = refuser(context, compiled.renderer)
 * server.on("clientError", (error, socket) => refuse.clientError(error, socket, undefined))
 * ```
 *
 * The answer comes from the app's own renderer, then the connection is closed. Nothing is logged above debug.
 *
 * @spec RFC 9112 §2.2, §3; RFC 9110 §15.5
 */

import type * as Http from "node:http"
import { validateHeaderValue } from "node:http"
import type { Duplex } from "node:stream"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as ErrorResponse from "../../ErrorResponse.ts"
import * as HttpError from "../../HttpError.ts"
import * as Status from "../../http/Status.ts"
import * as FailureLog from "../../internal/errors/failureLog.ts"
import * as NodeExchange from "./exchange/NodeExchange.ts"
import * as RefusedExchange from "./exchange/RefusedExchange.ts"
import { close } from "./Unread.ts"

interface ParserError extends Error {
  readonly code?: string
  readonly reason?: string
  readonly rawPacket?: Buffer
  readonly bytesParsed?: number
}

/** The answer to a parser error, or undefined when there is nobody to answer. */
export const classify = (error: ParserError): HttpError.HttpError | undefined => {
  switch (error.code) {
    case "ECONNRESET":
    case "EPIPE":
    case "ECONNABORTED":
      return undefined
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new HttpError.RequestTimeout({ text: "The request did not arrive in time" })
    case "HPE_HEADER_OVERFLOW":
      return /^[!#$%&'*+\-.^_`|~\w]+ /.test(lineOf(error))
        ? new HttpError.UriTooLong({ text: "The request-target is too long" })
        : new HttpError.RequestHeaderFieldsTooLarge({ text: "The header block is too large" })
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new HttpError.ContentTooLarge({ text: "The chunk extensions are too large" })
    case "HPE_PAUSED_H2_UPGRADE":
      return otherVersion()
    case "HPE_INVALID_VERSION":
      return / HTTP\/(?!1\.[01])\d\.\d\r$/.test(lineOf(error))
        ? otherVersion()
        : new HttpError.BadRequest({ text: "The HTTP version is malformed" })
    case "HPE_INVALID_METHOD":
      // A method that this server does not know is not a malformed one (RFC 9110 §9.1).
      return /^[!#$%&'*+\-.^_`|~\w]+ \S+ HTTP\/1\.[01]\r$/.test(lineOf(error))
        ? new HttpError.NotImplemented({ text: "This method is not known here" })
        : new HttpError.BadRequest({ text: explain(error) })
    default:
      return new HttpError.BadRequest({ text: explain(error) })
  }
}

const otherVersion = () => new HttpError.HttpVersionNotSupported({ text: "Only HTTP/1.0 and HTTP/1.1 are spoken here" })

// The line that the parser stopped in, as far as it is in the last packet.
const lineOf = ({ bytesParsed = 0, rawPacket }: ParserError): string => {
  const text = rawPacket?.toString("latin1") ?? ""
  const end = text.indexOf("\n", bytesParsed)
  return text.slice(text.lastIndexOf("\n", bytesParsed - 1) + 1, end === -1 ? text.length : end)
}

// A TLS handshake record begins with 22, version 3 (RFC 8446 §5.1).
const explain = ({ rawPacket, reason }: ParserError): string =>
  rawPacket?.[0] === 22 && rawPacket[1] === 3
    ? "TLS was received where HTTP is spoken; use http:// or another port"
    : `The request is malformed: ${reason ?? "not HTTP"}`

// What Node 22 says of bytes behind a request with `Connection: close`; later ones do not read them.
const closing = "HPE_CLOSED_CONNECTION"

interface Internals {
  /** The response that is going out. */
  readonly _httpMessage?: Http.ServerResponse | null
}

/** Writes refusals onto connections, with an app's renderer. */
export interface Refuser {
  /** Answers a parser error in its place: after the responses that are still going out, never into the middle of one. */
  readonly clientError: (error: Error, socket: Duplex, last: Http.ServerResponse | undefined) => void
  /** Answers CONNECT, likewise. */
  readonly connect: (source: Http.IncomingMessage, last: Http.ServerResponse | undefined) => void
}

/** Makes the refuser. */
export const refuser = (
  context: Context.Context<never>,
  renderer: ErrorResponse.Renderer,
  open: (socket: Duplex, source?: Http.IncomingMessage) => RefusedExchange.RefusedExchange | undefined
): Refuser => {
  // Node reports each further packet of what cannot be read: it is thrown away.
  const refused = new WeakSet<Duplex>()

  const answer = (
    error: HttpError.HttpError,
    cause: ParserError | undefined,
    socket: Duplex,
    exchange: RefusedExchange.RefusedExchange | NodeExchange.NodeExchange | undefined
  ): void => {
    // Its last response has said that it closes.
    if (!socket.writable) {
      if (exchange instanceof NodeExchange.NodeExchange) exchange.settle(true)
      return
    }
    exchange?.broke(verdictOf(cause), FailureLog.tagOf(error))
    const rendered = Effect.map(ErrorResponse.answer(Cause.fail(error), undefined, renderer), serialize)
    Effect.runForkWith(context)(rendered).addObserver((exit) => {
      if (Exit.isFailure(exit)) {
        exchange?.settle(true)
        socket.destroy()
        return
      }
      const { content, head, status } = exit.value
      if (exchange !== undefined) {
        RefusedExchange.follow(exchange, socket, { status, head: head.length, body: content.length })
      }
      close(socket, Buffer.concat([head, content]))
    })
  }

  // The body of the last request is broken: the refusal is its answer, unless its own has begun.
  const inBody = (error: HttpError.HttpError, cause: ParserError, socket: Duplex, last: Http.ServerResponse): void => {
    const active = (socket as Internals)._httpMessage
    if (active !== last && active) active.once("finish", () => inBody(error, cause, socket, last))
    else if (last.writableEnded) last.once("finish", () => close(socket))
    else {
      const exchange = NodeExchange.of(last)
      if (last.headersSent) {
        exchange?.broke(verdictOf(cause), FailureLog.tagOf(error))
        socket.destroy()
        return
      }
      if (exchange !== undefined) exchange.isHeld = true
      abandon(last)
      answer(error, cause, socket, exchange)
    }
  }

  return {
    clientError: (cause, socket, last) => {
      // Behind a request that closes nothing is answered (RFC 9112 §9.6).
      if (refused.has(socket) || (last !== undefined && (cause as ParserError).code === closing)) return
      const error = classify(cause)
      if (error === undefined || socket.destroyed) {
        socket.destroy()
        return
      }
      refused.add(socket)
      if (last === undefined || last.writableFinished) answer(error, cause, socket, open(socket))
      else if (last.req.complete) last.once("finish", () => answer(error, cause, socket, open(socket)))
      else inBody(error, cause, socket, last)
    },
    connect: (source, last) => {
      const { method = "CONNECT", socket } = source
      const error = new HttpError.MethodNotAllowed({ method, allowed: [], text: "This server is no tunnel" })
      socket.on("error", () => socket.destroy())
      socket.resume()
      if (last === undefined || last.writableFinished) answer(error, undefined, socket, open(socket, source))
      else {
        // Node has taken its listeners off this socket.
        socket.on("drain", () => (socket as Internals)._httpMessage?.emit("drain"))
        last.once("finish", () => answer(error, undefined, socket, open(socket, source)))
      }
    }
  }
}

// Who ends in the middle of a request has left, whether or not it reads the answer.
const verdictOf = (cause: ParserError | undefined) =>
  cause?.code === "HPE_INVALID_EOF_STATE" ? "clientAborted" : "failed"

// For its handler the client has left.
const abandon = (response: Http.ServerResponse): void => {
  response.destroyed = true
  response.emit("close")
}

const serialize = (response: HttpServerResponse) => {
  const content = response.body._tag === "Uint8Array" ? Buffer.from(response.body.body) : Buffer.alloc(0)
  const headers = {
    ...response.headers,
    date: new globalThis.Date().toUTCString(),
    "content-length": String(content.length),
    connection: "close"
  }
  const head = Object.entries(headers).map(([name, value]) => {
    validateHeaderValue(name, value)
    return `${name}: ${value}\r\n`
  })
  const line = `HTTP/1.1 ${response.status} ${Status.reason(response.status)}\r\n`
  return { status: response.status, head: Buffer.from(`${line}${head.join("")}\r\n`, "latin1"), content }
}
