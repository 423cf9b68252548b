/**
 * A request as a proxy sends it on: where to, and with which fields.
 *
 * ```ts
 * path("/a/b?c", "/base", undefined) // "/base/a/b?c"
 * fields(request, rules, "127.0.0.1:9000") // ["host", "127.0.0.1:9000", "accept", "text/html", ...]
 * ```
 *
 * @spec RFC 9110 §7.6; RFC 7239
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Predicate from "effect/Predicate"
import * as HttpError from "../../HttpError.ts"
import * as target from "../requests/target.ts"
import { connectionOptions, hopByHop, via } from "./fields.ts"
import { addForwarded, isForwarding } from "./forwarded.ts"

/** What a proxy is told of its requests. */
export interface Rules {
  /** The name of this proxy. */
  readonly via: string
  /** Whether the upstream server gets the Host of the client. */
  readonly preserveHost: boolean
  readonly rewrite: ((path: string) => string) | undefined
  /** Whether what a peer says of the hops before it is true. */
  readonly isTrusted: (address: string | undefined) => boolean
}

// Segments that another server may resolve, to a path that nobody here has seen: "..", "%2e.", "..;x", "..\", "..%2f".
const dots = /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\;]|%2f|%5c|%3b)/i

// What would end a path, or what no request line can carry.
const unfit = /[^\x21\x22\x24-\x3e\x40-\x7e\x80-\xff]/

/** The path and the query for an upstream server below `base`, as they came but for what `rewrite` changes. */
export const path = (url: string, base: string, rewrite: Rules["rewrite"]): string | HttpError.BadRequest => {
  const whole = url.startsWith("/") ? url : `/${url.replace(/^https?:\/\/[^/?#]*\/?/i, "")}`
  const at = whole.indexOf("?")
  const own = at === -1 ? whole : whole.slice(0, at)
  if ((own.includes(".") || own.includes("%2")) && dots.test(own)) {
    return new HttpError.BadRequest({ text: "The path has a segment of dots" })
  }
  if (rewrite === undefined) return base + whole
  const changed = rewrite(own)
  if (unfit.test(changed)) {
    throw new TypeError(`Proxy: rewrite gave ${JSON.stringify(changed)}; give a path without "?", "#" and spaces`)
  }
  return `${base}${changed.startsWith("/") ? "" : "/"}${changed}${at === -1 ? "" : whole.slice(at)}`
}

/** The fields for an upstream server, names and values in turn. */
export const fields = (request: HttpServerRequest, rules: Rules, authority: string): Array<string> => {
  const { headers, method } = request
  const named = connectionOptions(headers.connection)
  const isTrusted = rules.isTrusted(target.peer(request))
  const lines = ["host", rules.preserveHost ? target.host(request) || authority : authority]
  for (const name in headers) {
    const value = headers[name] as string
    // What begins with a colon is a field of HTTP/2 alone.
    if (dropped.has(name) || name.startsWith("proxy-") || name.startsWith(":")) continue
    if (isForwarding(name) && (!isTrusted || made.has(name))) continue
    // The client names fields of its own; what was added on the way here is not its to take away.
    if (named?.has(name) === true && isClients(request, name, value)) continue
    lines.push(name, name === "max-forwards" && isCounted(method) ? oneLess(value) : value)
  }
  addForwarded(lines, request, isTrusted)
  lines.push("via", via(headers.via, versionOf(request), rules.via))
  return lines
}

/** Whether `Max-Forwards` counts for the method (RFC 9110 §7.6.2). */
export const isCounted = (method: string): boolean => method === "TRACE" || method === "OPTIONS"

// What is no number is left to who understands it.
const oneLess = (value: string): string => (/^\d+$/.test(value) ? String(BigInt(value) - 1n) : value)

// Written anew, or the engine's: it has answered Expect, and frames the body. "Proxy" is a field of nobody's that CGI programs take
// for a setting of their own (httpoxy), and HTTP2-Settings are for an upgrade that is not made.
const dropped: ReadonlySet<string> = new Set([
  ...hopByHop,
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "proxy",
  "via"
])

const made: ReadonlySet<string> = new Set(["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"])

const isClients = ({ source }: HttpServerRequest, name: string, value: string): boolean => {
  const sent = Predicate.hasProperty(source, "headers") ? source.headers : undefined
  if (sent === undefined || sent instanceof globalThis.Headers) return true
  return Predicate.hasProperty(sent, name) && sent[name] === value
}

const versionOf = ({ source }: HttpServerRequest): string =>
  Predicate.hasProperty(source, "httpVersion") ? String(source.httpVersion) : "1.1"
