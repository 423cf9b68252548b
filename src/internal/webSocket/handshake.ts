/**
 * What a server checks before it opens a WebSocket, and what it answers where it does not.
 *
 * ```ts
 * const agreed = agree(request, ["chat.v2"], (origin) => isSameOrigin(request, origin)) // or an HttpError
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
import * as target from "../requests/target.ts"
import { deflateOffer } from "./extensions.ts"

/** What a handshake fails with. */
export type Refusal = HttpError.BadRequest | HttpError.Forbidden | HttpError.UpgradeRequired

/** Whether a request asks for a WebSocket: GET, `Connection: upgrade`, `Upgrade: websocket`. */
export const isAsking = ({ headers, method }: HttpServerRequest): boolean =>
  method === "GET" && has(headers.connection, "upgrade") && has(headers.upgrade, "websocket")

/** What both sides speak. */
export interface Agreement {
  /** The first of the client's subprotocols that is one of ours; undefined for none. */
  readonly protocol: string | undefined
  /** The first of the client's offers of permessage-deflate that can be taken; undefined for none. */
  readonly offer: string | undefined
}

/** What is agreed on with a request, or why it gets no WebSocket. */
export const agree = (
  request: HttpServerRequest,
  ours: ReadonlyArray<string>,
  allows: (origin: string) => boolean
): Agreement | Refusal => {
  const { headers } = request
  if (!isAsking(request)) return required("Open a WebSocket here")
  if (headers["sec-websocket-version"] !== "13") return required("Only version 13 of the protocol is spoken here")
  // 16 bytes in base64 (§4.1)
  if (!/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(headers["sec-websocket-key"] ?? "")) {
    return new HttpError.BadRequest({ text: "Sec-WebSocket-Key is missing, or not 16 bytes in base64" })
  }
  const protocols = protocolsOf(headers["sec-websocket-protocol"])
  if (protocols === undefined) {
    return new HttpError.BadRequest({ text: "Sec-WebSocket-Protocol is no list of different tokens" })
  }
  const offer = offerOf(headers["sec-websocket-extensions"])
  if (offer === null) return new HttpError.BadRequest({ text: "Sec-WebSocket-Extensions is no list of extensions" })
  const { origin } = headers
  // Who is no browser sends none, and could send any.
  if (origin !== undefined && !allows(origin)) {
    return new HttpError.Forbidden({
      text: 'This WebSocket takes no connections from pages of that origin: see the option "origins"'
    })
  }
  return { protocol: protocols.find((name) => ours.includes(name)), offer }
}

// §4.4: the version that is spoken
const required = (text: string) =>
  new HttpError.UpgradeRequired({ protocol: "websocket", text, headers: { "sec-websocket-version": "13" } })

/** Whether an origin is that of the request itself, by scheme, host and port. */
export const isSameOrigin = (request: HttpServerRequest, origin: string): boolean =>
  origin.toLowerCase() === target.url(request).origin

const has = (header: string | undefined, token: string): boolean =>
  header !== undefined && Syntax.elements(header).some((element) => element.toLowerCase() === token)

// §11.3.4: tokens, none of them twice; undefined where they are not
const protocolsOf = (header: string | undefined): ReadonlyArray<string> | undefined => {
  if (header === undefined) return []
  const names = Syntax.elements(header)
  const isList = names.length > 0 && names.every(Syntax.isToken) && new Set(names).size === names.length
  return isList ? names : undefined
}

// Null where it is no list of extensions.
const offerOf = (header: string | undefined): string | undefined | null => {
  if (header === undefined) return undefined
  try {
    return deflateOffer(header)
  } catch {
    return null
  }
}
