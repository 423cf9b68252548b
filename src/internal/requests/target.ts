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
import * as Predicate from "effect/Predicate"
import * as Host from "../../http/Host.ts"

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

interface Connected {
  readonly socket?: { readonly encrypted?: unknown } | null
}

/** "https" when a trusted proxy says so, or else when the connection is encrypted. */
export const protocol = (request: HttpServerRequest): "http" | "https" => {
  if (request.protocol !== undefined) return request.protocol
  const { socket }: Connected = request.source
  // Where there is a connection it is asked: an absolute-form target is what the client makes of it
  const secure = socket == null ? /^https:/i.test(request.originalUrl) : socket.encrypted === true
  return secure ? "https" : "http"
}

/** `hostname[:port]`, of an absolute-form target, else of the Host field; "" when there is none or it is malformed. */
export const host = (request: HttpServerRequest): string => {
  const absolute = request.url[0] === "/" ? undefined : AUTHORITY.exec(request.url)?.[1]
  const text = absolute ?? request.headers.host ?? AUTHORITY.exec(request.originalUrl)?.[1]
  if (text !== last) {
    last = text
    lastHost = normalHost(text) ?? ""
  }
  return lastHost
}

// The same host comes again and again.
let last: string | undefined
let lastHost = ""

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
export const peer = (request: HttpServerRequest): string | undefined => plain(request.peerAddress)

/** The address of the client: what a trusted proxy says, or else that of the direct peer. */
export const remote = (request: HttpServerRequest): string | undefined => plain(request.remoteAddress)

const plain = (found: Option.Option<string>): string | undefined => {
  const address = Option.getOrElse(found, () => "").replace(/^::ffff:(?=\d+\.)/i, "")
  return address === "" ? undefined : address
}

/** Whether a body comes with the request. */
export const hasBody = (request: HttpServerRequest): boolean => {
  const { source } = request
  // Where the engine undoes a content coding, only Node's own fields tell of the length
  const fields =
    source instanceof globalThis.Request ? request.headers : (property(source, "headers") ?? request.headers)
  const length = property(fields, "content-length")
  if (length !== undefined) return Number(length) > 0
  if (source instanceof globalThis.Request) return source.body !== null
  // HTTP/2 has neither field: there the body is announced by a HEADERS frame that does not end the stream
  return (
    property(fields, "transfer-encoding") !== undefined ||
    property(property(source, "stream"), "endAfterHeaders") === false
  )
}

const property = (owner: unknown, name: string): unknown =>
  Predicate.hasProperty(owner, name) ? owner[name] : undefined
