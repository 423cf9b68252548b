/**
 * The `Cookie` header of a request.
 *
 * ```ts
 * Cookie.parse('session=abc; theme="dark"; greeting=hello%20world; seen')
 * // { session: "abc", theme: "dark", greeting: "hello world", seen: "" }
 * ```
 *
 * Adds to `effect/http/Cookies.parseHeader`: a null prototype, escapes in quoted values, checked names, bare tokens.
 *
 * @source aiohttp.web.BaseRequest.cookies
 * @spec RFC 6265 §4.2, §5.4
 */
import * as Syntax from "./Syntax.ts"

/**
 * Reads the cookies, the last of two wins, null prototype. Several header lines have to be joined with "; ".
 *
 * Lenient as aiohttp: `{}[]()/` and the like in names, quoted values with `\"` and octal escapes, a bare token for an
 * empty value; a cookie with another name (empty, spaces, controls, not ASCII) is skipped. Percent-encoding is undone,
 * as in Effect; a value where it is malformed stays as it is.
 *
 * Unlike aiohttp: ";" ends a value in quotes too, so that one cookie cannot swallow the next ones; spaces do not.
 */
export const parse = (header: string | undefined): Readonly<Record<string, string>> => {
  const cookies: Record<string, string> = Object.create(null)
  for (const part of (header ?? "").split(";")) {
    const end = Syntax.nextOrEnd(part, "=", 0)
    const name = Syntax.trim(part.slice(0, end))
    if (NAME.test(name)) cookies[name] = decode(unquote(Syntax.trim(part.slice(end + 1))))
  }
  return cookies
}

const NAME = /^[!#$%&'()*+\-./0-9:<>?@A-Z[\]^_`a-z{|}~]+$/

// As Python's SimpleCookie writes them: \" and \\, and octal codes for what a cookie may not contain
const unquote = (value: string): string => {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value
  return value.slice(1, -1).replace(/\\(?:([0-3][0-7]{2})|(.))/gs, (_, octal: string | undefined, other: string) => {
    return octal === undefined ? other : String.fromCharCode(Number.parseInt(octal, 8))
  })
}

const decode = (value: string): string => {
  if (!value.includes("%")) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
