/**
 * Behind proxies: everything below sees the address, the scheme and the host of the client, as the trusted ones have written them.
 *
 * ```ts
 * const app = App.make(routes).pipe(
 *   App.use(SecurityHeaders.make()),
 *   App.use(TrustedProxies.make({ trusted: ["10.0.0.0/8", "unix"] })) // the outermost: what is outside of it does not see them
 * )
 * ```
 *
 * `Request.remote`, `Request.protocol`, `Request.host` and `Request.url` change, and with them what is secure, what is the same origin
 * and where redirects go. `Request.client` says how the hops are walked. The fields of a peer that is not trusted do not count.
 *
 * Routes by host are found before any middleware runs: by the Host field that the proxy sends, so let it keep the client's.
 *
 * @source aiohttp-remotes XForwardedFiltered, XForwardedStrict, ForwardedStrict
 * @spec RFC 7239; RFC 9110 §7.2
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import { RouteContext } from "../Handler.ts"
import * as HttpError from "../HttpError.ts"
import * as Exchange from "../internal/exchange/exchange.ts"
import { type Client, clientAddress } from "../internal/requests/clientAddress.ts"
import * as target from "../internal/requests/target.ts"
import * as Exempt from "../internal/security/exempt.ts"
import type { Middleware } from "../Middleware.ts"

/** Whom to believe. */
export interface Options {
  /** Addresses and networks of the proxies: "10.0.0.1", "10.0.0.0/8", "fd00::/8", and "unix" for peers on a unix socket. */
  readonly trusted: ReadonlyArray<string>
  /**
   * The one field that all proxies write; "x-forwarded-for" (with -proto and -host) unless set. What they do not write, they have to
   * take away from the client.
   */
  readonly header?: "forwarded" | "x-forwarded-for"
  /** Whether only what comes through a trusted proxy, and says from whom, is answered: the rest is 400; false unless set. */
  readonly strict?: boolean
  /** The routes for which `strict` does not count, as those that ask for the health of this server. */
  readonly exempt?: Exempt.Exempt
}

/**
 * Makes the middleware. Throws a TypeError when an entry of `trusted` is malformed.
 *
 * @errors BadRequest (400) with `strict`, when the request did not come through a trusted proxy
 */
export const make: {
  (options: Options & { readonly strict: true }): Middleware<never, HttpError.BadRequest>
  (options: Options): Middleware
} = (options: Options): never => {
  const { exempt, header = "x-forwarded-for", strict = false, trusted } = options
  if (trusted.length === 0) {
    throw new TypeError(
      'TrustedProxies: nobody is trusted; write the addresses of the proxies, as trusted: ["10.0.0.0/8"]'
    )
  }
  const find = clientAddress(trusted, header)
  const isExempt = Exempt.compile(exempt)
  const middleware = (inner: Effect.Effect<unknown>) =>
    Effect.withFiber((fiber): Effect.Effect<unknown, unknown> => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      const direct = { address: target.peer(request), protocol: target.protocol(request), host: target.host(request) }
      const { client, isTold } = find(direct, request.headers)
      const isRefused = strict && !isTold && !isExempt(request, Context.getUnsafe(fiber.context, RouteContext))
      if (isRefused) return untrusted
      if (client !== direct) {
        const followed = Exchange.peek(request)
        // An access log outside of this names the client too
        if (followed !== undefined) followed.remoteAddress = client.address
        return Effect.provideService(inner, HttpServerRequest, changed(request, client, direct))
      }
      return inner
    })
  return Object.assign(middleware, strict ? { errors: [HttpError.BadRequest] } : undefined) as never
}

const untrusted = Effect.suspend(() =>
  Effect.fail(new HttpError.BadRequest({ text: "The request did not come through a proxy that is trusted here" }))
)

const changed = (request: HttpServerRequest, client: Client, direct: Client): HttpServerRequest =>
  request.modify({
    remoteAddress: Option.fromNullishOr(client.address),
    peerAddress: request.peerAddress,
    protocol: client.protocol,
    ...(client.host === direct.host ? undefined : { headers: Headers.set(request.headers, "host", client.host) })
  })
