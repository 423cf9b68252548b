/**
 * Cookies of a response, with the defaults of aiohttp; an invalid one throws a TypeError that names it.
 *
 * ```ts
 * withCookie(response.cookies, "session", "abc", { maxAge: "1 day" }) // Set-Cookie: session=abc; Max-Age=86400; Path=/
 * ```
 *
 * @source aiohttp.web.StreamResponse.set_cookie
 * @spec RFC 6265 §4.1
 */
import * as Cookies from "effect/http/Cookies"

type Options = Cookies.Cookie["options"]

/** The cookies with one more, in place of any by the name. `path` is "/" unless said. */
export const withCookie = (
  cookies: Cookies.Cookies,
  name: string,
  value: string,
  options: Options
): Cookies.Cookies => {
  if (options?.expires !== undefined && Number.isNaN(options.expires.getTime()))
    throw invalid(name, "expires is no date")
  try {
    return Cookies.setUnsafe(cookies, name, value, { path: "/", ...options })
  } catch (cause) {
    // A CookiesError, the URIError of half a surrogate pair, or the error of a duration that is none.
    throw invalid(name, (cause as Error).message)
  }
}

/** The cookies with one that makes the client forget: `Max-Age=0` and an `Expires` in 1970. */
export const withoutCookie = (cookies: Cookies.Cookies, name: string, options: Options): Cookies.Cookies =>
  withCookie(cookies, name, "", { ...options, maxAge: 0, expires: new Date(0) })

const invalid = (name: string, reason: string): TypeError =>
  new TypeError(`The cookie ${JSON.stringify(name)} is invalid: ${reason}`)
