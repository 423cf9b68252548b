/**
 * Answers for the hosts of this server only, and over https only where that is wished.
 *
 * ```ts
 * const app = App.make(routes).pipe(
 *   App.use(Hosts.make({ allowed: ["example.com", "*.example.com"], https: "redirect", exempt: ["/health"] }))
 * )
 * ```
 *
 * Another host is MisdirectedRequest (421): links, redirects and caches that are made of the Host field then never name a stranger's.
 * Hosts are compared without case, port and final dot. A redirect is 308 and keeps path and query; it only goes to an allowed host.
 *
 * Unlike aiohttp-remotes, whose AllowedHosts gives 400: the request is well formed, and its sender may be told to go elsewhere.
 *
 * @source aiohttp-remotes AllowedHosts, Secure
 * @spec RFC 9110 §7.4, §15.4.9, §15.5.20
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import { RouteContext } from "../Handler.ts"
import * as HttpError from "../HttpError.ts"
import * as Host from "../http/Host.ts"
import * as target from "../internal/requests/target.ts"
import * as Exempt from "../internal/security/exempt.ts"
import type { Middleware } from "../Middleware.ts"
import * as Response from "../Response.ts"

/** Which hosts are ours. */
export interface Options {
  /** Names as "example.com", "*.example.com" (any subdomain, not the domain itself), addresses as "127.0.0.1" and "[::1]". */
  readonly allowed: ReadonlyArray<string>
  /** Sends who comes over http to https, on port 443 unless said. Behind a proxy that ends TLS, use `TrustedProxies` outside of this. */
  readonly https?: "redirect" | { readonly port: number }
  /** The routes that answer whatever the host and the scheme, as those that ask for the health of this server. */
  readonly exempt?: Exempt.Exempt
}

/**
 * Makes the middleware. Throws a TypeError for a host that is none.
 *
 * @errors MisdirectedRequest (421) another host, or none
 */
export const make = ({ allowed, exempt, https }: Options): Middleware<never, HttpError.MisdirectedRequest> => {
  const isAllowed = compile(allowed)
  const isExempt = Exempt.compile(exempt)
  const port = https === undefined || https === "redirect" || https.port === 443 ? "" : `:${https.port}`
  const middleware = (inner: Effect.Effect<unknown>) =>
    Effect.withFiber((fiber): Effect.Effect<unknown, unknown> => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      const hostname = Host.parse(target.host(request))?.hostname.replace(/\.$/, "")
      const isKnown = hostname !== undefined && isAllowed(hostname)
      if (isKnown && (https === undefined || target.protocol(request) === "https")) return inner
      const route = Context.getUnsafe(fiber.context, RouteContext)
      // A head that is refused as it is, for its Host field say, has no path: that is 400 (RFC 9112 §3.2)
      if ((route.name === "" && route.path === "") || isExempt(request, route)) return inner
      if (!isKnown)
        return Effect.fail(new HttpError.MisdirectedRequest({ text: "This server does not answer for that host" }))
      // Below a mounted handler `url` is a part of it only
      const { path, search } = target.split(request.originalUrl)
      // What the server as a whole can do is no page to go to
      if (path === "*") return inner
      const query = search === "" ? "" : `?${search}`
      return Effect.succeed(Response.redirect(`https://${hostname}${port}${path}${query}`, { status: 308 }))
    })
  return Object.assign(middleware, { errors: [HttpError.MisdirectedRequest] }) as never
}

const compile = (allowed: ReadonlyArray<string>): ((hostname: string) => boolean) => {
  if (allowed.length === 0) throw new TypeError('Hosts: no host is allowed; write yours, as allowed: ["example.com"]')
  const patterns = allowed.map(Host.pattern)
  const exact = new Set(patterns.filter((pattern) => pattern.exact).map((pattern) => pattern.text))
  const open = patterns.filter((pattern) => !pattern.exact)
  // A URL of other characters than these may lead elsewhere
  return (hostname) =>
    exact.has(hostname) || (/^[a-z0-9._-]+$/.test(hostname) && open.some((each) => each.match(hostname) !== undefined))
}
