/**
 * What a server checks before it opens a WebSocket, and what it answers where it does not.
 *
 * ```ts
 * const refused = check(request, (origin) => isSameOrigin(request, origin)) // an HttpError, or undefined
 * ```
 *
 * Unlike aiohttp: an Origin of another site is refused, 426 says which version is spoken, and HEAD is never upgraded.
 *
 * @source aiohttp.web.WebSocketResponse.can_prepare
 * @spec RFC 6455 §4.2; RFC 9110 §7.8
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpError from "../../HttpError.ts"
import * as Syntax from "../../http/Syntax.ts"
import * as target from "../target.ts"

/** What a handshake fails with. */
export type Refusal = HttpError.BadRequest | HttpError.Forbidden | HttpError.UpgradeRequired

/** Whether a request asks for a WebSocket: GET, `Connection: upgrade`, `Upgrade: websocket`. */
export const isAsking = ({ headers, method }: HttpServerRequest): boolean =>
  method === "GET" && has(headers.connection, "upgrade") && has(headers.upgrade, "websocket")

/** Why a request gets no WebSocket; undefined when it gets one. */
export const check = (request: HttpServerRequest, allows: (origin: string) => boolean): Refusal | undefined => {
  const { headers } = request
  if (!isAsking(request)) return required("Open a WebSocket here")
  if (headers["sec-websocket-version"] !== "13") return required("Only version 13 of the protocol is spoken here")
  // 16 bytes in base64 (§4.1)
  if (!/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(headers["sec-websocket-key"] ?? "")) {
    return new HttpError.BadRequest({ text: "Sec-WebSocket-Key is missing, or not 16 bytes in base64" })
  }
  const offered = headers["sec-websocket-protocol"]
  if (offered !== undefined && !isProtocolList(offered)) {
    return new HttpError.BadRequest({ text: "Sec-WebSocket-Protocol is no list of different tokens" })
  }
  const { origin } = headers
  // Who is no browser sends none, and could send any.
  if (origin === undefined || allows(origin)) return undefined
  return new HttpError.Forbidden({ text: "This WebSocket takes no connections from pages of that origin" })
}

// §4.4: the version that is spoken
const required = (text: string) =>
  new HttpError.UpgradeRequired({ protocol: "websocket", text, headers: { "sec-websocket-version": "13" } })

/** The first of the client's subprotocols that is one of ours. */
export const choose = (request: HttpServerRequest, ours: ReadonlyArray<string>): string | undefined =>
  Syntax.elements(request.headers["sec-websocket-protocol"] ?? "").find((name) => ours.includes(name))

/** Whether an origin is that of the request itself, by scheme, host and port. */
export const isSameOrigin = (request: HttpServerRequest, origin: string): boolean =>
  origin.toLowerCase() === target.url(request).origin

const has = (header: string | undefined, token: string): boolean =>
  header !== undefined && Syntax.elements(header).some((element) => element.toLowerCase() === token)

const isProtocolList = (header: string): boolean => {
  const names = Syntax.elements(header)
  return names.length > 0 && names.every(Syntax.isToken) && new Set(names).size === names.length
}
