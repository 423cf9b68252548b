/**
 * The URL of somebody whose word counts: https, or http to this machine.
 *
 * ```ts
 * secureUrl("Jwt.remoteKeySet", "http://127.0.0.1:3000/jwks", false).href
 * ```
 */

const loopback = /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/

/** Whether a host is this machine. */
export const isLoopback = (url: URL): boolean => loopback.test(url.hostname)

/** Reads the URL. Throws a TypeError when it is none, or http to another machine and not `insecure`. */
export const secureUrl = (who: string, url: string | URL, insecure = false): URL => {
  if (!URL.canParse(String(url)))
    throw new TypeError(`${who}: "${url}" is no URL; give one, as "https://id.example.com"`)
  const parsed = new URL(url)
  if (parsed.protocol === "https:") return parsed
  if (parsed.protocol === "http:" && (insecure || isLoopback(parsed))) return parsed
  throw new TypeError(`${who}: "${url}" can be changed on its way; give an https URL, or { insecure: true }`)
}
