/**
 * The header fields that belong to one connection, and the one that names who has passed a message on.
 *
 * ```ts
 * connectionOptions("close, X-Trace") // Set { "close", "x-trace" }
 * via("1.0 cache", "1.1", "edge") // "1.0 cache, 1.1 edge"
 * ```
 *
 * @spec RFC 9110 §7.6.1, §7.6.3
 */
import * as Syntax from "../../http/Syntax.ts"

/** What no intermediary passes on, in requests and in answers. */
export const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const common: ReadonlySet<string> = new Set(["keep-alive", "close", "upgrade"])

/** The fields that `Connection` names, in lower case; undefined when it names none that are not gone anyway. */
export const connectionOptions = (header: string | undefined): ReadonlySet<string> | undefined => {
  if (header === undefined || common.has(header)) return undefined
  return new Set(Syntax.elements(header).map((name) => name.toLowerCase()))
}

/** The `Via` of a message that came by a version of HTTP, with this proxy at its end. */
export const via = (before: string | undefined, version: string, name: string): string =>
  before === undefined ? `${version} ${name}` : `${before}, ${version} ${name}`

/** How often a proxy stands in `Via`. */
export const visits = (header: string | undefined, name: string): number =>
  header === undefined || !header.includes(name)
    ? 0
    : Syntax.elements(header).filter((element) => element.split(/[ \t]+/, 2)[1] === name).length
