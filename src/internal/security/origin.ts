/**
 * The `Origin` header, and the lists of origins that are allowed.
 *
 * ```ts
 * const allows = Origin.matcher(["https://example.com", "https://*.example.com", "http://localhost:*"])
 * allows("https://shop.example.com") // true
 * Origin.authority("https://example.com:443") // "example.com"
 * ```
 *
 * An origin is compared as browsers serialize it, byte by byte: scheme and host in lower case, no port that is the scheme's own.
 *
 * @spec RFC 6454 §6.2, §7; WHATWG HTML §7.1.1
 */
import * as Host from "../../http/Host.ts"

const SHAPE = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([^/?#@*\s]+?)(:\*)?$/

/**
 * Compiles a list: origins ("https://example.com", "null"), patterns with any subdomain ("https://*.example.com", not the domain
 * itself) or any port ("http://localhost:*"), and regular expressions, which have to match the whole origin. "null", the origin of
 * sandboxed pages of anyone, is matched by "null" only.
 *
 * Throws a TypeError for what no browser would send: a path, upper case, the scheme's own port, no scheme.
 */
export const matcher = (origins: ReadonlyArray<string | RegExp>): ((origin: string) => boolean) => {
  const exact = new Set<string>()
  const patterns: Array<RegExp> = []
  for (const each of origins) {
    if (each instanceof RegExp) patterns.push(new RegExp(`^(?:${each.source})$`, each.flags.replace(/[gmy]/g, "")))
    else if (each === "null") exact.add(each)
    else {
      const [, scheme = "", wild, host = "", anyPort] = SHAPE.exec(each) ?? []
      check(each, scheme, host)
      if (wild === undefined && anyPort === undefined) exact.add(each)
      else {
        const labels = wild === undefined ? "" : "(?:[a-z0-9_-]+\\.)+"
        const port = anyPort === undefined ? "" : "(?::[0-9]+)?"
        patterns.push(new RegExp(`^${literal(`${scheme}://`)}${labels}${literal(host)}${port}$`))
      }
    }
  }
  return (origin) => exact.has(origin) || (origin !== "null" && patterns.some((pattern) => pattern.test(origin)))
}

/** The host of an origin as a `Host` header would have it, without the scheme's own port; undefined for "null" and what is none. */
export const authority = (origin: string): string | undefined => {
  const [, scheme = "", text] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#@]+)$/.exec(origin) ?? []
  const host = text === undefined ? undefined : Host.parse(text)
  if (host === undefined) return undefined
  const own = defaults.get(scheme.toLowerCase())
  return host.port === undefined || host.port === own ? host.hostname : `${host.hostname}:${host.port}`
}

/** Whether a `Host` header names the host and the port of an origin. */
export const isFor = (origin: string, host: string): boolean => {
  const own = authority(origin)
  return own !== undefined && own === authority(`${origin.slice(0, origin.indexOf("://"))}://${host}`)
}

/** The port that a scheme has when none is written. */
const defaults: ReadonlyMap<string, number> = new Map([
  ["http", 80],
  ["https", 443]
])

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")

const check = (text: string, scheme: string, host: string): void => {
  const parsed = Host.parse(host)
  if (parsed === undefined) {
    throw new TypeError(
      `${JSON.stringify(text)} is no origin: write scheme and host, as "https://example.com" or "https://*.example.com", without a path`
    )
  }
  const port = parsed.port === undefined || parsed.port === defaults.get(scheme) ? "" : `:${parsed.port}`
  const normal = `${parsed.hostname}${port}`
  if (normal !== host) {
    const right = text.replace(host, normal)
    throw new TypeError(`${JSON.stringify(text)} is not as browsers send it; write ${JSON.stringify(right)}`)
  }
}
