/**
 * Lets pages of other origins read answers: preflights are answered, and every answer below says who may read it.
 *
 * ```ts
 * const app = App.make(routes).pipe(
 *   App.use(Cors.make({ origins: ["https://example.com", "https://*.example.com"], credentials: true }))
 * )
 * const fonts = Route.get("/font", font).pipe(Route.use(Cors.make({ origins: "*" }))) // its own, in place of the app's
 * ```
 *
 * A preflight is 204 where the path has a route for the method that is asked for and the policy allows it; a path without a route
 * stays 404, a method without one is MethodNotAllowed (405), what the policy does not allow is Forbidden (403) and says why. No
 * handler runs for it, but middleware outside of this one does: use it after what refuses (`App.use(auth), App.use(cors)`).
 *
 * Of several around a route the innermost rules alone, preflights included. It also rules over the fields that the handler itself
 * sets. Error answers have them too. Unlike Effect's own, which answers every OPTIONS with 204.
 *
 * @source aiohttp-cors
 * @spec WHATWG Fetch §3.3; RFC 9110 §12.5.5
 */
import type * as Duration from "effect/Duration"
import * as Durations from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpError from "../HttpError.ts"
import * as Syntax from "../http/Syntax.ts"
import * as Passage from "../internal/exchange/passage.ts"
import * as Overlay from "../internal/responses/overlay.ts"
import * as Origin from "../internal/security/origin.ts"
import * as Preflight from "../internal/security/preflight.ts"
import type { Middleware } from "../Middleware.ts"
import * as Response from "../Response.ts"

/** Who may read, and what they may send. */
export interface Options {
  /**
   * The origins that may: "*" for everyone (without credentials), a list of origins, of patterns as "https://*.example.com" and
   * "http://localhost:*", and of regular expressions that match the whole origin, or a predicate. "null" has to be in the list.
   */
  readonly origins: "*" | ReadonlyArray<string | RegExp> | ((origin: string) => boolean)
  /** Whether cookies and HTTP authentication count, and answers to them may be read; false unless set. */
  readonly credentials?: boolean
  /** The methods that may be used; all that the route has unless set. Browsers send GET, HEAD and POST without asking. */
  readonly methods?: ReadonlyArray<string>
  /** The header fields that may be sent, or "*" for any; `Authorization` and `Content-Type` unless set. */
  readonly headers?: "*" | ReadonlyArray<string>
  /** The header fields of answers that a page may read besides the usual seven, or "*" (without credentials); none unless set. */
  readonly expose?: "*" | ReadonlyArray<string>
  /** How long a browser keeps the answer to a preflight, in whole seconds; 5 seconds unless set, and no browser above a day. */
  readonly maxAge?: Duration.Input
  /** Whether public pages may ask for this server in a private network; false unless set. */
  readonly privateNetwork?: boolean
}

/** Makes the middleware, for an app, a mounted app or a route. Throws a TypeError for options that cannot be meant. */
export const make = (options: Options): Middleware => {
  const rules = compile(options)
  const policy = preflight(rules, options)
  const decorate = decorator(rules, options)
  const middleware = Passage.middleware((passage) => {
    const { request, route } = passage
    const method = Preflight.asked(request)
    const lookup = method && Preflight.of(route)
    if (method !== undefined && lookup) {
      const found = lookup(method)
      if (found.taken) return (found.policy ?? policy)(request, method)
      // OPTIONS comes with every path
      if (found.allowed.includes(method)) return policy(request, method)
      return Effect.fail(new HttpError.MethodNotAllowed({ method, allowed: found.allowed, headers: rules.vary }))
    }
    const { origin } = request.headers
    passage.answered((headers, response) => {
      if (response.status !== 101) decorate(headers, origin)
    })
    return undefined
  })
  return Preflight.mark(middleware, policy) as Middleware
}

interface Rules {
  /** Undefined for everyone. */
  readonly allows: ((origin: string) => boolean) | undefined
  readonly methods: ReadonlySet<string> | undefined
  /** In lower case; undefined for any. */
  readonly headers: ReadonlySet<string> | undefined
  /** What the answer to a preflight depends on. */
  readonly vary: { readonly vary: string }
}

const compile = ({ credentials, expose, headers, methods, origins, privateNetwork }: Options): Rules => {
  if (origins === "*" && credentials) {
    throw new TypeError(
      'Cors: everyone ("*") with credentials would let every site act as its visitor; list the origins'
    )
  }
  if (expose === "*" && credentials) {
    throw new TypeError('Cors: with credentials browsers take expose "*" for a name; list the names')
  }
  const names = headers === "*" ? [] : (headers ?? ["authorization", "content-type"])
  const bad = [...names, ...(methods ?? []), ...(expose === "*" ? [] : (expose ?? []))].find(
    (name) => !Syntax.isToken(name) || name === "*"
  )
  if (bad !== undefined) {
    throw new TypeError(
      `Cors: ${JSON.stringify(bad)} is neither a method nor a header name; for any header write headers: "*"`
    )
  }
  const lower = methods?.find((name) => name !== name.toUpperCase())
  if (lower !== undefined) throw new TypeError(`Cors: methods are case-sensitive; write "${lower.toUpperCase()}"`)
  const network = privateNetwork === true ? ", Access-Control-Request-Private-Network" : ""
  return {
    allows: origins === "*" ? undefined : typeof origins === "function" ? notNull(origins) : Origin.matcher(origins),
    methods: methods && new Set(methods),
    headers: headers === "*" ? undefined : new Set([...safelisted, ...names.map((name) => name.toLowerCase())]),
    vary: {
      vary: `${origins === "*" ? "" : "Origin, "}Access-Control-Request-Method, Access-Control-Request-Headers${network}`
    }
  }
}

// Everyone's sandboxed page has it
const notNull = (allows: (origin: string) => boolean) => (origin: string) => origin !== "null" && allows(origin)

// Asked for only with values that are out of the ordinary (Fetch §2.2.2)
const safelisted = ["accept", "accept-language", "content-language", "content-type", "range"]

const fields = ["access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers"]

/** Says of every answer who may read it. */
const decorator = ({ allows }: Rules, { credentials, expose }: Options) => {
  const list = expose === "*" ? "*" : expose?.join(", ")
  const rest = {
    ...(credentials === true ? { "access-control-allow-credentials": "true" } : undefined),
    ...(list ? { "access-control-expose-headers": list } : undefined)
  }
  const everyone = { "access-control-allow-origin": "*", ...rest }
  return (headers: Overlay.Fields, origin: string | undefined): void => {
    for (const name of fields) if (headers[name] !== undefined) delete headers[name]
    if (allows === undefined) {
      Object.assign(headers, everyone)
      return
    }
    // Also for who is not allowed, or no other origin: a cache must not give one the answer to another
    Overlay.vary(headers, "Origin")
    if (origin === undefined || !allows(origin)) return
    headers["access-control-allow-origin"] = origin
    Object.assign(headers, rest)
  }
}

/** Answers preflights of methods that there are. */
const preflight = (rules: Rules, { credentials, headers, maxAge, privateNetwork }: Options): Preflight.Policy => {
  const seconds = maxAge === undefined ? undefined : Math.floor(Durations.toSeconds(maxAge))
  if (seconds !== undefined && !(seconds >= 0 && seconds < Number.POSITIVE_INFINITY)) {
    throw new TypeError('Cors: maxAge has to be a finite duration, as "1 hour"')
  }
  const allowed = headers === "*" ? undefined : (headers ?? ["Authorization", "Content-Type"]).join(", ")
  const fixed = {
    ...rules.vary,
    ...(credentials === true ? { "access-control-allow-credentials": "true" } : undefined),
    ...(seconds === undefined ? undefined : { "access-control-max-age": String(seconds) })
  }
  return ({ headers: sent }, method) => {
    const origin = sent.origin as string
    const reason = refusal(rules, origin, method, sent["access-control-request-headers"])
    if (reason !== undefined) {
      return Effect.fail(new HttpError.Forbidden({ text: reason, headers: rules.vary }))
    }
    const names = allowed ?? sent["access-control-request-headers"]
    const network = privateNetwork === true && sent["access-control-request-private-network"] === "true"
    return Effect.succeed(
      Response.empty({
        status: 204,
        headers: {
          ...fixed,
          "access-control-allow-origin": rules.allows === undefined ? "*" : origin,
          "access-control-allow-methods": method,
          ...(names ? { "access-control-allow-headers": names } : undefined),
          ...(network ? { "access-control-allow-private-network": "true" } : undefined)
        }
      })
    )
  }
}

const refusal = (rules: Rules, origin: string, method: string, headers: string | undefined): string | undefined => {
  if (rules.allows !== undefined && !rules.allows(origin)) return "Pages of this origin may not read answers here"
  if (rules.methods !== undefined && !rules.methods.has(method)) return `Other origins may not use ${method} here`
  const names = Syntax.elements(headers ?? "")
  const bad = names.find((name) => !Syntax.isToken(name) || rules.headers?.has(name.toLowerCase()) === false)
  return bad === undefined ? undefined : `Other origins may not send the header ${JSON.stringify(bad)} here`
}
