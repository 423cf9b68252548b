/**
 * Limits how many requests a client may make in a time; more are answered with 429 and when to come back.
 *
 * ```ts
 * const app = App.make(routes).pipe(App.use(RateLimit.make({ limit: 100, window: "1 minute" }))) // by address
 * const search = Route.get("/search", find).pipe(
 *   Route.use(RateLimit.make({ limit: 5, window: "1 second", key: RateLimit.byHeader("x-api-key") }))
 * )
 * ```
 *
 * Counted in the memory of each server, for 100,000 keys, unless `limiter` is Effect's `RateLimiter`, as over Redis. Limits compose: each
 * counts what comes to it, the outer one first. Middleware inside of it is not run for what it refuses.
 *
 * @spec RFC 6585 §4; draft-ietf-httpapi-ratelimit-headers-10
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as RateLimiter from "effect/persistence/RateLimiter"
import type { Engine, Handler } from "../Handler.ts"
import * as HttpError from "../HttpError.ts"
import { notShared } from "../internal/lifecycle/neighbours.ts"
import { perServer } from "../internal/lifecycle/serverMemory.ts"
import { addressKey } from "../internal/rateLimit/addressKey.ts"
import * as Fields from "../internal/rateLimit/fields.ts"
import * as Memory from "../internal/rateLimit/memory.ts"
import * as Policy from "../internal/rateLimit/policy.ts"
import { sha256 } from "../internal/secrets/sha256.ts"
import type { Middleware } from "../Middleware.ts"

/** What is limited, for whom, and how it is counted. */
export interface Options<
  out E = never,
  out R = never,
  out Cost = never,
  out Skip = never,
  out Limiter = never,
  out Failure extends "open" | "closed" = "open"
> {
  /** The most requests in a window, from 1; or the most cost. */
  readonly limit: number
  readonly window: Duration.Input
  /**
   * Who is counted; `byAddress` unless given, and where it gives undefined. For a limit by user, an effect that gives the user's id from
   * a service: then the middleware that provides it has to be outside of this one.
   */
  readonly key?: Effect.Effect<string | undefined, E, R>
  /** How much a request counts; 1. One that costs more than the limit is always refused; what is no count is a defect. */
  readonly cost?: number | Effect.Effect<number, never, Cost>
  /** Requests for which it gives true are neither counted nor refused. */
  readonly skip?: Effect.Effect<boolean, never, Skip>
  /**
   * "fixed-window" lets a client have its whole limit at a time, and then waits until all of it is earned back. "token-bucket" gives it
   * back one by one: who is over the limit goes on at the pace of the limit.
   */
  readonly algorithm?: "fixed-window" | "token-bucket"
  /** What the limit is called, in header fields and, with `limiter`, in its keys: letters, digits, "-", "_" and "."; as "100-in-60s". */
  readonly name?: string
  /** Where it is counted: `RateLimiter.RateLimiter` of Effect, for servers that share a limit. It needs a `name` then. */
  readonly limiter?: Effect.Effect<RateLimiter.RateLimiter, never, Limiter>
  /** What becomes of requests when `limiter` fails, or does not answer within a second: "open", they go on, or "closed", 503. */
  readonly onStoreFailure?: Failure
  /** The fields that tell of the limit: `RateLimit` and `RateLimit-Policy`, or `RateLimit-Limit`, `-Remaining` and `-Reset`. */
  readonly headers?: "standard" | "legacy" | "none"
}

/** By the client's address, an IPv6 one by its /64 network. Behind proxies, which a `TrustedProxies` outside of this has to know. */
export const byAddress: Effect.Effect<string, never, HttpServerRequest> = Effect.map(HttpServerRequest, addressKey)

/**
 * By the value of a header field, as that of an API key, of which the hash is kept; undefined without it. Who invents values has a
 * limit for each: put it inside of what checks the key, or another by address outside of it.
 */
export const byHeader = (name: string): Effect.Effect<string | undefined, never, HttpServerRequest> =>
  Effect.flatMap(HttpServerRequest, ({ headers }) => {
    const lower = name.toLowerCase()
    const value = Object.hasOwn(headers, lower) ? headers[lower] : undefined
    return value === undefined ? Effect.undefined : Effect.map(sha256(value), (hash) => `${lower}=${hash}`)
  })

/**
 * Makes the middleware, for an app or for a route. Throws a TypeError for a limit below 1, a window below a second, and a name that a header cannot carry.
 *
 * @errors TooManyRequests (429) with `Retry-After`; ServiceUnavailable (503) when the limiter fails and `onStoreFailure` is "closed"
 */
export const make = <
  E = never,
  R = never,
  Cost = never,
  Skip = never,
  Limiter = never,
  Failure extends "open" | "closed" = "open"
>(
  options: Options<E, R, Cost, Skip, Limiter, Failure>
): Middleware<
  never,
  E | HttpError.TooManyRequests | (Failure extends "closed" ? HttpError.ServiceUnavailable : never),
  Exclude<R | Cost | Skip | Limiter, Engine>
> => {
  const policy = Policy.make(options)
  const check = checker<E, R | Cost | Skip | Limiter>(options, policy)
  const middleware = (handler: Handler<unknown, unknown>) => Effect.andThen(check, handler)
  const errors = [
    HttpError.TooManyRequests,
    ...(options.onStoreFailure === "closed" ? [HttpError.ServiceUnavailable] : [])
  ]
  // What it adds and needs is said by the type above.
  return Object.assign(middleware, { errors }) as never
}

const capacity = 100_000

const cure = "give it a `limiter` over Redis, or a share of the limit"

const checker = <E, R>(options: Options<E, R, R, R, R, "open" | "closed">, policy: Policy.Policy) => {
  const { cost = 1, headers = "standard", key = byAddress, limiter, skip } = options
  const memories = new WeakMap<object, RateLimiter.RateLimiter>()
  const find =
    limiter ?? perServer(memories, () => Memory.make(capacity), notShared("RateLimit counts in memory", cure))
  const guarded = guard(options.onStoreFailure === "closed")
  return Effect.gen(function* () {
    if (skip !== undefined && (yield* skip)) return
    const who = (yield* key) ?? (yield* byAddress)
    const tokens = typeof cost === "number" ? cost : yield* cost
    // It would give back what was used before
    if (!(tokens >= 0))
      return yield* Effect.die(new TypeError(`RateLimit: a request's cost is ${tokens}; give a count`))
    const consumed = consume(yield* find, policy, who, tokens)
    const quota = yield* limiter === undefined ? Effect.orDie(consumed) : guarded(consumed)
    if (quota === undefined) return
    yield* HttpEffect.appendPreResponseHandler((_, response) => Effect.sync(() => Fields.add(quota, headers)(response)))
    if (!quota.isOver) return
    const text = "Too many requests: come back later"
    return yield* new HttpError.TooManyRequests({ text, retryAfter: Duration.seconds(quota.reset) })
  })
}

const consume = (limiter: RateLimiter.RateLimiter, policy: Policy.Policy, who: string, tokens: number) => {
  const { algorithm, limit, name, window } = policy
  const quota = (remaining: number, reset: Duration.Duration, isOver: boolean) => {
    const seconds = Math.ceil(Duration.toSeconds(reset))
    return {
      name,
      limit,
      window: policy.seconds,
      remaining: Math.floor(remaining),
      reset: Math.max(seconds, isOver ? 1 : 0),
      isOver
    }
  }
  return Effect.matchEffect(limiter.consume({ algorithm, limit, window, tokens, key: Policy.key(policy, who) }), {
    onFailure: ({ reason }) =>
      reason._tag === "RateLimitExceeded" ? Effect.succeed(quota(0, reason.retryAfter, true)) : Effect.fail(reason),
    onSuccess: ({ remaining, resetAfter }) => Effect.succeed(quota(remaining, resetAfter, false))
  })
}

// A client of Redis may wait for its connection as long as that is away: not every request has to wait too. One warning in ten seconds
// says as much as one for each request.
const guard = (isClosed: boolean) => {
  let [resting, quiet] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const failed = (cause: unknown): Effect.Effect<undefined, HttpError.ServiceUnavailable> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (cause !== undefined) resting = now + 1000
      if (isClosed) return Effect.fail(new HttpError.ServiceUnavailable(cause === undefined ? {} : { cause }))
      if (cause === undefined || now < quiet) return Effect.undefined
      quiet = now + 10_000
      const text = "Requests are not limited: the rate limiter failed"
      return Effect.as(Effect.logWarning(text, Cause.fail(cause)), undefined)
    })
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | undefined, HttpError.ServiceUnavailable, R> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now < resting ? failed(undefined) : Effect.catch(Effect.timeout(effect, "1 second"), failed)
    )
}
