/**
 * Says to an upstream server where a request came from, in `Forwarded` and in the older `X-Forwarded-*`.
 *
 * ```ts
 * const lines = ["host", "127.0.0.1:9000"]
 * addForwarded(lines, request, false)
 * // ... "x-forwarded-for", "198.51.100.7", "forwarded", 'for=198.51.100.7;host="example.com:8080";proto=https'
 * ```
 *
 * What the request itself says of this is kept only when it comes from a peer that is trusted: anyone can write it. Otherwise the
 * client is the one that a middleware for trusted proxies has found, or else the peer.
 *
 * @spec RFC 7239 §4, §5, §8.1
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as Syntax from "../../http/Syntax.ts"
import * as target from "../requests/target.ts"

/** Whether a field says where a request came from; servers that read "_" as "-" see it in such names too. */
export const isForwarding = (name: string): boolean => {
  if (!maybe.test(name)) return false
  const plain = name.replaceAll("_", "-")
  return plain === "forwarded" || plain === "x-real-ip" || plain.startsWith("x-forwarded-")
}

const maybe = /^(?:f|x[-_])/

/** Adds the fields to lines that have none of them. With trust, what is there comes first, in the fields that are there. */
export const addForwarded = (lines: Array<string>, request: HttpServerRequest, isTrusted: boolean): void => {
  const { headers } = request
  const protocol = target.protocol(request)
  const host = target.host(request)
  const [before, list] = isTrusted ? [headers.forwarded, headers["x-forwarded-for"]] : []
  const address = plain(isTrusted ? target.peer(request) : Option.getOrUndefined(request.remoteAddress))
  if (before === undefined || list !== undefined) {
    const all = list === undefined ? address : address === undefined ? list : `${list}, ${address}`
    if (all !== undefined) lines.push("x-forwarded-for", all)
    lines.push("x-forwarded-proto", (isTrusted ? headers["x-forwarded-proto"] : undefined) ?? protocol)
    const named = (isTrusted ? headers["x-forwarded-host"] : undefined) ?? host
    if (named !== "") lines.push("x-forwarded-host", named)
  }
  if (list === undefined || before !== undefined) {
    const own = `for=${node(address)}${host === "" ? "" : `;host=${value(host)}`};proto=${protocol}`
    lines.push("forwarded", before === undefined ? own : `${before}, ${own}`)
  }
}

// Without what only this machine can make something of: an IPv4 address as IPv6, a zone.
const plain = (address: string | undefined): string | undefined =>
  address?.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "")

const node = (address: string | undefined): string =>
  address === undefined ? "unknown" : address.includes(":") ? `"[${address}]"` : value(address)

const value = (text: string): string => (Syntax.isToken(text) ? text : Syntax.quote(text))
