/**
 * Writes the head of a response: its status, its headers, its cookies, and what is to become of the connection.
 *
 * ```ts
 * checkLength(response.headers, 4)
 * write(request, response, response.headers, state, false)
 * ```
 *
 * @spec RFC 9112 §4, §6, §9; RFC 9110 §8.6, §15
 */

import type * as Http from "node:http"
import * as Cookies from "effect/http/Cookies"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Status from "../../http/Status.ts"
import { isStream } from "./http2/Incoming.ts"
import type { NodeRequest } from "./NodeRequest.ts"
import { announced, pendingContinue } from "./RequestBody.ts"

/** True while the server stops: every answer closes its connection. */
export interface State {
  draining: boolean
}

/** The headers that go out. */
export type Head = Readonly<Record<string, string | ReadonlyArray<string>>>

/** Unread bytes of a request body up to this many are read away after the answer; with more the connection closes. */
export const maxDiscarded = 256 * 1024

/** Throws a RangeError when Content-Length is stated and is not that of the body, or no number where that is not known. */
export const checkLength = (headers: HttpServerResponse["headers"], length: number | undefined): void => {
  const stated = headers["content-length"]
  if (stated === undefined || (length === undefined ? /^\d+$/.test(stated) : Number(stated) === length)) return
  throw new RangeError(`Content-Length says "${stated}", the body has ${length ?? "another number of"} bytes`)
}

/** The headers with a Content-Length, where none is stated. */
export const withLength = (headers: HttpServerResponse["headers"], length: number): HttpServerResponse["headers"] =>
  headers["content-length"] === undefined ? { ...headers, "content-length": String(length) } : headers

/** Writes the head. Throws for what no client could be sent. */
export const write = (
  request: NodeRequest,
  response: HttpServerResponse,
  base: Head,
  state: State,
  streaming: boolean
): void => {
  const out = request.response
  const { source } = request
  const { status } = response
  if (!(status >= 200 && status <= 599)) throw new RangeError(`The status ${status} is no final status; use 200 to 599`)
  let headers = base["transfer-encoding"] === undefined ? base : withoutCoding(base)
  if (!Cookies.isEmpty(response.cookies)) {
    const lines = [headers["set-cookie"] ?? [], Cookies.toSetCookieHeaders(response.cookies)].flat()
    headers = { ...headers, "set-cookie": lines }
  }
  if (isStream(source)) {
    // Of the connection nothing is said in an answer.
    if (state.draining && status === 503) headers = { "retry-after": "1", ...headers }
  } else if (state.draining) {
    // Another process takes over, or this one comes back.
    headers = { ...(status === 503 ? { "retry-after": "1" } : undefined), ...headers, connection: withClose(headers) }
  } else if (closes(source, streaming) || (headers.connection !== undefined && !out.shouldKeepAlive)) {
    // Node takes any Connection without "close" for keep-alive.
    headers = { ...headers, connection: withClose(headers) }
  } else if (out.shouldKeepAlive) {
    // Persistence is the default of HTTP/1.1; HTTP/1.0 has to be told. Never the deprecated Keep-Alive (RFC 9112 §9.3).
    if (source.httpVersionMinor === 1) out.removeHeader("connection")
    else headers = { connection: keeps(source, headers) ? "keep-alive" : "close", ...headers }
  }
  // Node's phrases of 413 and 422 are older than RFC 9110.
  const phrase = response.statusText || (status < 400 ? undefined : Status.reason(status))
  if (phrase === undefined) out.writeHead(status, headers as Http.OutgoingHttpHeaders)
  else out.writeHead(status, phrase, headers as Http.OutgoingHttpHeaders)
}

// To Node, Keep-Alive of HTTP/1.0 wins over a close beside it (RFC 9112 §9.3).
const keeps = ({ headers }: Http.IncomingMessage, { "content-length": length }: Head): boolean =>
  length !== undefined && !/(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(headers.connection ?? "")

// Upgrade has to stay named there (RFC 9110 §7.8).
const withClose = ({ connection }: Head): string => {
  if (connection === undefined) return "close"
  return /\bclose\b/i.test(String(connection)) ? String(connection) : `${connection}, close`
}

// The framing is the engine's. Chunked is what a copy of another server's headers says, and means nothing here.
const withoutCoding = ({ "transfer-encoding": coding, ...headers }: Head): Head => {
  if (String(coding).toLowerCase() === "chunked") return headers
  throw new RangeError(`The transfer coding "${coding}" is not supported: the server frames the body`)
}

// Decided with the head, while `Connection: close` can still be said. A stream may go on reading the body.
const closes = (source: Http.IncomingMessage, streaming: boolean): boolean => {
  if (source.complete || !announced(source)) return false
  if (pendingContinue(source)) return true
  return !streaming && Number(source.headers["content-length"] ?? 0) > maxDiscarded
}
