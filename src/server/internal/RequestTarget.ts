/**
 * Checks the head of a request where Node does not: Host, request-target, version, transfer coding, count of fields.
 *
 * ```ts
 * const wanted = RequestTarget.parse(incoming, { maxTarget: 8192, maxFields: 100 })
 * ```
 *
 * Several, empty or malformed `Host` values are 400 (Node takes the first), as are `GET *`, a fragment, and userinfo; a target that
 * is too long is 414, too many fields are 431, a transfer coding before chunked 501, another major version is 505, none is 400.
 *
 * `https://` in the target of a connection without TLS is 421: a gateway that ends TLS sends a path.
 *
 * On HTTP/2 Host may be left out, and is then the `:authority`.
 *
 * @spec RFC 9112 §2.3, §3.2, §6.1; RFC 9110 §7.2, §7.4
 */
import type * as Http from "node:http"
import type * as Tls from "node:tls"
import * as HttpError from "../../HttpError.ts"
import * as Host from "../../http/Host.ts"
import { type Incoming, isStream } from "./http2/Incoming.ts"
import * as StreamTarget from "./http2/streamTarget.ts"
import type { Head } from "./limits/Rules.ts"
import * as RequestHeaders from "./requestHeaders.ts"

/** What is asked for: the target in origin form, and the host without port. */
export interface Wanted {
  readonly url: string
  readonly hostname: string
}

/** A head that is refused, with the answer. */
export class Refused {
  readonly error: HttpError.HttpError
  constructor(error: HttpError.HttpError) {
    this.error = error
  }
}

const bad = (text: string) => new Refused(new HttpError.BadRequest({ text }))

// The same host comes again and again: the last valid one is kept with its parsed form.
let lastHost: string | undefined
let lastHostname = ""

/** What the head asks for, or why it is refused. */
export const parse = (source: Http.IncomingMessage, { maxFields, maxTarget }: Head): Wanted | Refused => {
  const { headers, httpVersionMajor, httpVersionMinor, rawHeaders } = source
  let url = source.url as string
  const isOnStream = isStream(source)
  if (isOnStream) {
    const refused = StreamTarget.check(source as unknown as Incoming, maxFields)
    if (refused !== undefined) return new Refused(refused)
  } else if (httpVersionMajor === 0) {
    // A line without a version is none (RFC 9112 §3); Node takes it for one of HTTP/0.9, which had no other.
    return bad("The request line needs a version: HTTP/1.1")
  } else if (httpVersionMajor !== 1) {
    const text = `HTTP/${source.httpVersion} is not spoken here; HTTP/1.1 is`
    return new Refused(new HttpError.HttpVersionNotSupported({ text }))
  } else if (rawHeaders.length > maxFields * 2) {
    const text = `More than ${maxFields} header fields`
    return new Refused(new HttpError.RequestHeaderFieldsTooLarge({ text }))
  }
  if (url.length > maxTarget) {
    return new Refused(new HttpError.UriTooLong({ text: `The request-target is longer than ${maxTarget} bytes` }))
  }
  const coding = headers["transfer-encoding"]
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    if (!/(?:^|,)[ \t]*chunked$/i.test(coding)) return bad("The last transfer coding has to be chunked")
    return new Refused(new HttpError.NotImplemented({ text: `The transfer coding "${coding}" is not supported` }))
  }
  if (coding !== undefined && httpVersionMinor === 0) return bad("HTTP/1.0 has no Transfer-Encoding")

  let host = headers.host
  if (host === undefined ? httpVersionMinor === 1 || isOnStream : RequestHeaders.count(rawHeaders, "host") > 1) {
    return bad(host === undefined ? "The Host header is missing" : "There is more than one Host header")
  }
  if (url.charCodeAt(0) !== 47) {
    if (host !== undefined && Host.parse(host) === undefined) return bad("The Host header is invalid")
    if (url === "*" && source.method === "OPTIONS") return { url, hostname: "" }
    const absolute = /^http(s?):\/\/([^/?#]*)(\/?[^#]*)$/i.exec(url)
    if (absolute === null) return bad("The request-target has to be a path that starts with /")
    if (absolute[1] !== "" && !(source.socket as Tls.TLSSocket).encrypted) {
      return new Refused(new HttpError.MisdirectedRequest({ text: "This connection is not one of https" }))
    }
    host = absolute[2] as string
    url = absolute[3] as string
    if (!url.startsWith("/")) url = `/${url}`
  } else if (url.includes("#")) {
    return bad("The request-target has a fragment")
  }
  if (host === undefined) return { url: url, hostname: "" }
  if (host !== lastHost) {
    const parsed = Host.parse(host)
    if (parsed === undefined) return bad("The Host header is invalid")
    lastHost = host
    lastHostname = parsed.hostname
  }
  return { url: url, hostname: lastHostname }
}
