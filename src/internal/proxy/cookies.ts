/**
 * The Set-Cookie lines of another server as the cookies of a response: each stays the line that it was.
 *
 * ```ts
 * const { cookies, others } = read(["a=1; Path=/x", "a=2; Path=/y; Priority=High", "[]=3"])
 * // cookies: "a" twice, others: ["[]=3"]
 * ```
 *
 * Effect's own reading would keep one of several cookies of a name, and of their attributes those that it knows. Here all that
 * follows the name is the value: it is written as it came, and middleware sees, replaces and removes the first by its name.
 *
 * @spec RFC 6265 §3, §4.1.1
 */
import * as Cookies from "effect/http/Cookies"
import * as Syntax from "../../http/Syntax.ts"

/** The cookies, and the lines that have no valid name and can be no cookies of Effect's. */
export const read = (
  lines: ReadonlyArray<string>
): { readonly cookies: Cookies.Cookies; readonly others: ReadonlyArray<string> } => {
  const cookies: Record<string, Cookies.Cookie> = Object.create(null)
  const others: Array<string> = []
  for (const [index, line] of lines.entries()) {
    const at = line.indexOf("=")
    const name = line.slice(0, Math.max(at, 0))
    // The names of the others are keys that no cookie has.
    if (Syntax.isToken(name)) cookies[name in cookies ? `${name};${index}` : name] = cookie(name, line.slice(at + 1))
    else others.push(line)
  }
  return { cookies: Cookies.fromReadonlyRecord(cookies), others }
}

const template = Cookies.makeCookieUnsafe("name", "")

const cookie = (name: string, rest: string): Cookies.Cookie => {
  const [value = ""] = rest.split(";", 1)
  return Object.assign(Object.create(template), { name, value: Syntax.trim(value), valueEncoded: rest })
}
