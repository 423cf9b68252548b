/**
 * The cookies of a session: their name, their attributes, and a long value in several of them.
 *
 * ```ts
 * const jar = make({})
 * jar.read(request) // the value that came, or undefined
 * jar.write(request, response, value, undefined)
 * ```
 *
 * @spec RFC 6265bis §4.1.3, §5.4; RFC 6761 §6
 */
import type * as Duration from "effect/Duration"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Syntax from "../../http/Syntax.ts"
import * as Response from "../../Response.ts"
import { protocol } from "../requests/target.ts"
import { isSecure } from "../security/secureCookie.ts"

/** How the cookie is set. */
export interface Options {
  /** Its name, behind the prefix that it gets where it is Secure; "session". */
  readonly name?: string
  /** The domain below which every host gets it; only the host itself unless given. Then its prefix is `__Secure-`. */
  readonly domain?: string
  /** "/" unless given. Another one makes the prefix `__Secure-`. */
  readonly path?: string
  /** "lax" unless given. */
  readonly sameSite?: "lax" | "strict" | "none"
  /** Whether it is Secure. Unless said it is, but for http on localhost, 127.0.0.0/8, [::1] and names below .localhost and .test. */
  readonly secure?: boolean
  /** Whether the browser keeps it when it is closed, until the session's `maxAge` is over; false. */
  readonly persistent?: boolean
}

/** The cookies of a kind of session. */
export interface Jar {
  /** The name without its prefix. */
  readonly name: string
  readonly persistent: boolean
  /** Whether the cookie is Secure though the request came by http, and nobody has said that this is meant. */
  readonly isDoubtful: (request: HttpServerRequest) => boolean
  /** The value that came with the request. */
  readonly read: (request: HttpServerRequest) => string | undefined
  /** The longest value that can be written. */
  readonly capacity: number
  /** Sets the value, and takes away what came and has no place in it. Without a value it takes all away. */
  readonly write: (
    request: HttpServerRequest,
    response: HttpServerResponse,
    value: string | undefined,
    maxAge: Duration.Duration | undefined
  ) => HttpServerResponse
}

// Two cookies of 4096 bytes fit into the 8 KiB that proxies give to a line of the head, with little beside.
const most = 2
const cookieSize = 4000

/** Makes the cookies. Throws a TypeError for a name, a domain or a path that no cookie can have. */
export const make = (options: Options): Jar => {
  const { domain, name = "session", path = "/", persistent = false, sameSite = "lax" } = options
  checkOptions(name, options)
  const secure = (request: HttpServerRequest) => options.secure ?? isSecure(request)
  const prefix = domain === undefined && path === "/" ? "__Host-" : "__Secure-"
  const attributes = { ...(domain === undefined ? undefined : { domain }), path, sameSite, httpOnly: true }
  const size = cookieSize - prefix.length - name.length - path.length - (domain ?? "").length - 110

  const nameOf = (request: HttpServerRequest) => (secure(request) ? prefix + name : name)
  const read: Jar["read"] = (request) => {
    const header = request.headers.cookie
    return header === undefined ? undefined : join(header, nameOf(request))
  }
  const write: Jar["write"] = (request, response, value, maxAge) => {
    const own = nameOf(request)
    const all = { ...attributes, secure: secure(request) }
    const chunks = value === undefined ? [] : split(value, size)
    const set = chunks.reduce(
      (response, chunk, index) => Response.setCookie(response, part(own, index), chunk, { ...all, maxAge }),
      response
    )
    const came = request.headers.cookie ?? ""
    return Array.from({ length: most }, (_, index) => part(own, index))
      .slice(chunks.length)
      .filter((name, index) => valueOf(came, name) !== undefined || (chunks.length === 0 && index === 0))
      .reduce((response, name) => Response.expireCookie(response, name, all), set)
  }
  const isDoubtful: Jar["isDoubtful"] = (request) =>
    options.secure === undefined && secure(request) && protocol(request) === "http"
  return { name, persistent, isDoubtful, capacity: size * most - 2, read, write }
}

const part = (name: string, index: number): string => (index === 0 ? name : `${name}.${index}`)

// A value in several cookies begins with their number: "2~...".
const split = (value: string, size: number): ReadonlyArray<string> => {
  if (value.length <= size) return [value]
  const count = Math.ceil((value.length + 2) / size)
  const whole = `${count}~${value}`
  return Array.from({ length: count }, (_, index) => whole.slice(index * size, (index + 1) * size))
}

const join = (header: string, name: string): string | undefined => {
  const value = valueOf(header, name)
  if (value === undefined || value[1] !== "~") return value
  const count = Number(value[0])
  const rest = Array.from({ length: count >= 2 ? count - 1 : 0 }, (_, index) => valueOf(header, part(name, index + 1)))
  // With a part missing it is what it is: nothing that opens.
  return rest.length === 0 || rest.includes(undefined) ? value : value.slice(2) + rest.join("")
}

// As `Cookie.parse`, of two the last, and none of the others is looked at. What is quoted or encoded is none of ours.
const valueOf = (header: string, name: string): string | undefined => {
  const mark = `${name}=`
  for (let at = header.lastIndexOf(mark); at >= 0; at = at === 0 ? -1 : header.lastIndexOf(mark, at - 1)) {
    const before = header.slice(0, at).trimEnd()
    if (before !== "" && !before.endsWith(";")) continue
    const end = header.indexOf(";", at)
    return header.slice(at + mark.length, end === -1 ? header.length : end).trim()
  }
  return undefined
}

const checkOptions = (name: string, { domain, path, sameSite, secure }: Options): void => {
  const cookie = `Session: the cookie "${name}"`
  if (!Syntax.isToken(name) || name.length > 100 || name.startsWith("__")) {
    throw new TypeError(
      `${cookie} has a name that no cookie can have, or a prefix: "__Host-" is added where it is Secure`
    )
  }
  if (path !== undefined && !/^\/[\x21-\x3a\x3c-\x7e]{0,200}$/.test(path)) {
    throw new TypeError(
      `${cookie} has the path ${JSON.stringify(path)}: it begins with "/" and has at most 200 characters`
    )
  }
  if (domain !== undefined && !/^[a-z\d.-]{1,253}$/i.test(domain)) {
    throw new TypeError(`${cookie} has the domain ${JSON.stringify(domain)}: it is a host name`)
  }
  if (sameSite === "none" && secure === false) {
    throw new TypeError(`${cookie} is SameSite=None: browsers take that only where it is Secure`)
  }
}
