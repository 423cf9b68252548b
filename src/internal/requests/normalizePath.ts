/**
 * Where a path that is not found would be found: with its double slashes merged, its last slash added or removed.
 *
 * ```ts
 * normalized(router, "GET", "/users//42/") // "/users/42"
 * ```
 *
 * The result never starts with "//", so that it stays on this host (RFC 3986 §4.2).
 *
 * @source aiohttp.web.normalize_path_middleware
 */
import * as Pattern from "../../http/Pattern.ts"
import * as Router from "../../Router.ts"

/** The first candidate that is a route, percent-encoded as it came; undefined when there is none. */
export const normalized = <A>(router: Router.Router<A>, method: string, path: string): string | undefined => {
  const merged = path.replace(/^(?!\/)|\/{2,}/g, "/").replace(unsafe, encodeURIComponent)
  const other = merged.endsWith("/") ? merged.slice(0, -1) : `${merged}/`
  return [merged, other].find((candidate) => {
    const decoded = candidate === path || candidate === "" ? undefined : Pattern.decode(candidate)
    return decoded !== undefined && Router.find(router, method, decoded).entry !== undefined
  })
}

// What a client drops, or takes for a slash, at the beginning of a path (WHATWG URL §4.4).
const unsafe = /[^!-~]|[\\]/gu
