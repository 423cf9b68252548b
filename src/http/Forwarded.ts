/**
 * The `Forwarded` header: what the proxies on the way say about the request.
 *
 * ```ts
 * const [first] = Forwarded.parse('for="[2001:db8::1]:4711";proto=https, for=192.0.2.60')
 * // { for: "[2001:db8::1]:4711", proto: "https" }
 * Forwarded.node(first?.for ?? "") // { address: "2001:db8::1", port: "4711" }
 * ```
 *
 * @source aiohttp.web.BaseRequest.forwarded
 * @spec RFC 7239
 */
import * as Host from "./Host.ts"
import * as Syntax from "./Syntax.ts"

/**
 * Reads the elements, one for each proxy, the nearest to the client first: names in lower case, quotes and escapes
 * undone, the last of two wins, null prototype. Names and values are not checked further.
 *
 * A malformed pair ends its element and hides none of the later ones; an element without a valid pair is empty. Unlike
 * aiohttp, this holds in one line too: a client's open quote does not swallow what a proxy has appended after it.
 *
 * @spec RFC 7239 §4
 */
export const parse = (header: string | undefined): ReadonlyArray<Readonly<Record<string, string>>> => {
  if (header === undefined) return []
  let element: Record<string, string> = Object.create(null)
  const elements = [element]
  let at = 0
  while (at < header.length) {
    if (header[at] === ",") {
      element = Object.create(null)
      elements.push(element)
    }
    const start = Syntax.spaceEnd(header, isSeparator(header, at) ? at + 1 : at)
    const pair = readPair(header, start)
    if (pair !== undefined) element[pair.name] = pair.value
    // A malformed pair is skipped from its own start: what its quotes enclose is not to be trusted
    at = pair?.end ?? (isSeparator(header, start) ? start : Syntax.nextOrEnd(header, ",", start))
  }
  return elements
}

/**
 * Reads a node, the value of `for` or `by`, quoted or not: an IPv4 address, an IPv6 address in brackets (the brackets
 * are taken off), `unknown` or an obfuscated `_name`, each with a port, `80` or `_name`, or none. Else `undefined`.
 *
 * @spec RFC 7239 §6
 */
export const node = (text: string): { readonly address: string; readonly port: string | undefined } | undefined => {
  const plain = Syntax.quotedEnd(text, 0) === text.length ? Syntax.unquote(text) : text
  const bracket = plain.startsWith("[") ? plain.indexOf("]") : 0
  const colon = Syntax.nextOrEnd(plain, ":", bracket)
  const address = bracket > 0 ? plain.slice(1, bracket) : plain.slice(0, colon)
  const port = colon === plain.length ? undefined : plain.slice(colon + 1)
  if (port !== undefined && !/^\d{1,5}$/.test(port) && !OBFUSCATED.test(port)) return undefined
  if (bracket > 0) return colon === bracket + 1 && Host.isIpv6(address) ? { address, port } : undefined
  const named = address.toLowerCase() === "unknown" || OBFUSCATED.test(address)
  return named || IPV4.test(address) ? { address, port } : undefined
}

const OBFUSCATED = /^_[A-Za-z0-9._-]+$/
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?=\d)|$)){4}$/

// A pair and what follows it up to the next separator: a port that should have been quoted, as in aiohttp, and spaces
const readPair = (header: string, from: number) => {
  const pair = Syntax.pair(header, from)
  if (pair === undefined) return undefined
  const port = /:\d{1,5}/y
  port.lastIndex = pair.end
  const tail = port.exec(header)?.[0] ?? ""
  const end = Syntax.spaceEnd(header, pair.end + tail.length)
  if (end < header.length && !isSeparator(header, end)) return undefined
  return { name: pair.name, value: pair.value + tail, end }
}

const isSeparator = (header: string, at: number): boolean => header[at] === "," || header[at] === ";"
