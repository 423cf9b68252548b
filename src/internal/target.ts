/**
 * Where a request goes and where it comes from: path, query string, scheme, host and peer, as its adapter gives them.
 *
 * ```ts
 * target.split("/a%20b?x=1#y") // { path: "/a%20b", search: "x=1" }
 * ```
 *
 * @spec RFC 9112 §3.2, §3.3
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as Host from "../http/Host.ts"

const AUTHORITY = /^https?:\/\/([^/?#]*)/i

/** The path and the query string of a request target, in origin-form, absolute-form or "*". */
export const split = (url: string): { readonly path: string; readonly search: string } => {
  const target = url.replace(AUTHORITY, "")
  const hash = target.indexOf("#")
  const whole = hash === -1 ? target : target.slice(0, hash)
  const mark = whole.indexOf("?")
  const path = mark === -1 ? whole : whole.slice(0, mark)
  return { path: path === "" ? "/" : path, search: mark === -1 ? "" : whole.slice(mark + 1) }
}

/** "https" when a trusted proxy says so, or else when the connection is encrypted. */
export const protocol = (request: HttpServerRequest): "http" | "https" => {
  if (request.protocol !== undefined) return request.protocol
  const { source } = request
  const socket = "socket" in source ? source.socket : undefined
  // Where there is a connection it is asked: an absolute-form target is what the client makes of it
  const known = typeof socket === "object" && socket !== null
  const secure = known ? "encrypted" in socket && socket.encrypted === true : /^https:/i.test(request.originalUrl)
  return secure ? "https" : "http"
}

/** `hostname[:port]`, of an absolute-form target, else of the Host field; "" when there is none or it is malformed. */
export const host = (request: HttpServerRequest): string => {
  const text = AUTHORITY.exec(request.url)?.[1] ?? request.headers.host ?? AUTHORITY.exec(request.originalUrl)?.[1]
  return normalHost(text) ?? ""
}

/** A host as `hostname[:port]`, the name in lower case; undefined when it is malformed. */
export const normalHost = (text: string | undefined): string | undefined => {
  const parsed = text === undefined ? undefined : Host.parse(text)
  if (parsed === undefined) return undefined
  return parsed.port === undefined ? parsed.hostname : `${parsed.hostname}:${parsed.port}`
}

/** The absolute URL of a request; the host is "localhost" where none is known that a URL can have. */
export const url = (request: HttpServerRequest): URL => {
  const { path, search } = split(request.url)
  // The asterisk-form has no path (RFC 9112 §3.3). The dot keeps a path of "//name" from naming a host.
  const target = `${path === "*" ? "" : `.${path}`}${search === "" ? "" : `?${search}`}`
  const scheme = protocol(request)
  return URL.parse(target, `${scheme}://${host(request)}`) ?? new URL(target, `${scheme}://localhost`)
}

/** The address of the direct peer, an IPv4 address never written as IPv6; undefined on a socket without one. */
export const peer = (request: HttpServerRequest): string | undefined => {
  const address = Option.getOrElse(request.peerAddress, () => "").replace(/^::ffff:(?=\d+\.)/i, "")
  return address === "" ? undefined : address
}
