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
import type * as Duration from "effect/Duration"
import * as Cookies from "effect/http/Cookies"

/** Attributes of a cookie; `path` is "/" unless said. */
export interface CookieOptions extends Omit<NonNullable<Cookies.Cookie["options"]>, "maxAge"> {
  /** How long the client keeps it, as "1 hour"; a bare number would not say of what. */
  readonly maxAge?: Exclude<Duration.Input, number> | undefined
}

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
