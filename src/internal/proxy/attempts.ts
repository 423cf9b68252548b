/**
 * Sends the request of a proxy to its upstream servers, one after the other as far as that does no harm.
 *
 * ```ts
 * const response = yield* attempts(proxy, transport, request, undefined)
 * ```
 *
 * What nobody has received is sent to the next. What an upstream server broke off before it answered is sent once more, when to do
 * it twice is to do it once: without a body, by an idempotent method.
 *
 * @spec RFC 9110 §9.2.2; RFC 9112 §9.3.1
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { CircuitBreakerError } from "effect/persistence/CircuitBreaker"
import type * as Scope from "effect/Scope"
import * as HttpError from "../../HttpError.ts"
import * as Syntax from "../../http/Syntax.ts"
import * as target from "../requests/target.ts"
import { type Failure, failure } from "./failure.ts"
import * as ProxyRequest from "./request.ts"
import * as ProxyResponse from "./response.ts"
import type { Incoming, Timeouts, Transport } from "./transport.ts"
import type { Upstreams } from "./upstreams.ts"

/** What is known of a proxy. */
export interface Proxy extends ProxyRequest.Rules {
  readonly upstreams: Upstreams
  readonly timeouts: Timeouts
}

type Failures = Failure["error"] | HttpError.ServiceUnavailable

/** The response to a request, or what became of the last attempt. `limit` is that of the body. */
export const attempts = (
  proxy: Proxy,
  transport: Transport,
  request: HttpServerRequest,
  limit: bigint | undefined
): Effect.Effect<HttpServerResponse, Failures, Scope.Scope> => {
  const { timeouts, upstreams, via } = proxy
  const { method } = request
  const order = upstreams.order()
  const source = target.hasBody(request) ? request : undefined
  const upgrade = transport.canUpgrade(request) ? protocols(request.headers.upgrade) : undefined
  let isRepeated = false
  let rest = Duration.infinity

  const respond = (origin: string, incoming: Incoming): Effect.Effect<HttpServerResponse, Failures> => {
    const response = ProxyResponse.toResponse(incoming, method, via)
    if (!(response instanceof Error)) return Exit.succeed(response)
    const cause = new Error(`${origin}: ${response.message}`, { cause: response })
    return Exit.fail(failure("malformed", "answered", cause).error)
  }

  const attempt = (at: number, before: Failure | undefined): ReturnType<typeof attempts> => {
    const upstream = order[at]
    if (upstream === undefined) return Exit.fail(before?.error ?? unavailable(rest))
    const path = ProxyRequest.path(request.url, upstream.base, proxy.rewrite)
    if (typeof path !== "string") return Exit.fail(path)
    const { authority, origin } = upstream
    const headers = ProxyRequest.fields(request, proxy, authority)
    const count = (change: 1 | -1) => {
      upstream.active += change
    }
    const sent = transport.send({ origin, method, path, headers, source, limit, upgrade, timeouts, count })
    return Effect.matchEffect(upstreams.guard(upstream, sent), {
      onSuccess: (incoming) => respond(origin, incoming),
      onFailure: (error) => next(at, before, error)
    })
  }

  const next = (at: number, before: Failure | undefined, error: Failure | CircuitBreakerError) => {
    if (error._tag === "CircuitBreakerError") {
      rest = Duration.min(rest, error.reason._tag === "CircuitOpen" ? error.reason.retryAfter : Duration.seconds(1))
      return attempt(at + 1, before)
    }
    if (error.reached === "nobody") return attempt(at + 1, error)
    const isRepeatable = source === undefined && idempotent.has(method) && error.error.status === 502
    if (error.reached !== "upstream" || isRepeated || !isRepeatable) return Exit.fail(error.error)
    isRepeated = true
    return attempt(order.length === 1 ? at : at + 1, error)
  }

  return attempt(0, undefined)
}

const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])

const unavailable = (rest: Duration.Duration): HttpError.ServiceUnavailable =>
  new HttpError.ServiceUnavailable({
    text: "No upstream server is available",
    retryAfter: Duration.isFinite(rest) ? rest : Duration.seconds(1)
  })

// Another HTTP within the connection would pass by all routes and all middleware, and TLS is no matter of the upstream server.
const protocols = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined
  const known = Syntax.elements(header).filter((protocol) => !/^(?:h2c|tls|https?)(?:\/|$)/i.test(protocol))
  return known.length === 0 ? undefined : known.join(", ")
}
