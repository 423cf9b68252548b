/**
 * Liveness and readiness for orchestrators and load balancers, from named checks.
 *
 * ```ts
 * const health = Health.make({ checks: { db: sql`SELECT 1`, redis: { check: ping, timeout: "500 millis", critical: false } } })
 * App.make({ health: Route.mount("/health", health) }) // GET /health/live, GET /health/ready
 * ```
 *
 * `/ready` is 200 while all critical checks pass, and 503 when one fails and from the moment the server begins to stop, also during
 * `drainDelay`, and where an `Overload` has `unreadyAfter` while that sheds requests. Neither is ever shed. `/live` is 200 as long as the process answers. The body names each check and its time; what it failed with is in the
 * log, once, and not in the answer. Before `App.onStart` has ended nothing listens.
 *
 * @source Kubernetes probes; aiohttp-healthcheck
 * @spec draft-inadarei-api-health-check-06
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import * as App from "../App.ts"
import type { Handler } from "../Handler.ts"
import * as Prober from "../internal/lifecycle/health.ts"
import { unready } from "../internal/lifecycle/readiness.ts"
import * as Response from "../Response.ts"
import * as Route from "../Route.ts"

/** A check with settings of its own. */
export interface Check<E = unknown, R = unknown> {
  /** Passes when it succeeds; it has a scope of its own. */
  readonly check: Effect.Effect<unknown, E, R>
  /** How long it may take; as the others' unless given. */
  readonly timeout?: Duration.Input
  /** Whether the app is of no use without it; true. One that is not and fails is a warning (200). */
  readonly critical?: boolean
}

/** Checks by their names. */
export interface Checks {
  readonly [name: string]: Effect.Effect<unknown, unknown, unknown> | Check
}

/** What the checks need. */
export type Needs<C extends Checks> = Exclude<
  {
    [K in keyof C]: C[K] extends Effect.Effect<unknown, unknown, infer R>
      ? R
      : C[K] extends Check<unknown, infer R>
        ? R
        : never
  }[keyof C],
  Scope.Scope
>

/** What is checked, and how. */
export interface Options<C extends Checks, L extends Checks> {
  /** What requests need: a database, a cache. They run at the same time. */
  readonly checks?: C
  /** What only a restart would cure. Of nothing that other processes need too: all would be restarted together. */
  readonly live?: L
  /** How long each may take; 2 seconds. */
  readonly timeout?: Duration.Input
  /** How long a result is good for; 1 second. Probes that come meanwhile share it. */
  readonly cache?: Duration.Input
}

/** An app with the routes `/live` and `/ready`. What it answers is never stored by caches. */
export const make = <const C extends Checks = {}, const L extends Checks = {}>(
  options: Options<C, L> = {}
): App.App<
  never,
  Needs<C> | Needs<L>,
  {
    readonly live: Route.Route<"/live", never, Needs<L>>
    readonly ready: Route.Route<"/ready", never, Needs<C>>
  }
> => {
  const { cache = Duration.seconds(1), timeout = Duration.seconds(2) } = options
  const settings = { cache: Duration.toMillis(cache), timeout }
  const ready = Prober.make(named(options.checks), settings)
  const alive = Prober.make(named(options.live), settings)
  const app = App.make({
    live: Route.get("/live", Effect.flatMap(alive, answer) as Handler).pipe(critical),
    ready: Route.get("/ready", Effect.flatMap(unready, (reason) => readiness(reason, ready)) as Handler).pipe(critical)
  })
  // The needs of the checks are those of the routes.
  return app as never
}

const critical = Route.priority("critical")

const named = (checks: Checks = {}): ReadonlyArray<Prober.Named> =>
  Object.entries(checks).map(([name, check]) => (Effect.isEffect(check) ? { name, check } : { ...check, name }))

const readiness = (unready: () => string | undefined, probe: Prober.Probe): Effect.Effect<HttpServerResponse> => {
  const refused = (output: string) => Effect.succeed(respond({ status: "fail", output }))
  const before = unready()
  if (before !== undefined) return refused(before)
  return Effect.flatMap(probe, (results) => {
    const after = unready()
    return after === undefined ? answer(results) : refused(after)
  }) as Effect.Effect<HttpServerResponse>
}

const answer = (results: ReadonlyArray<Prober.Result>): Effect.Effect<HttpServerResponse> => {
  const checks = Object.fromEntries(results.map(({ name, ...result }) => [name, [result]]))
  const worst = (["fail", "warn"] as const).find((status) => results.some((result) => result.status === status))
  return Effect.succeed(respond({ status: worst ?? "pass", ...(results.length > 0 ? { checks } : undefined) }))
}

const respond = (body: { readonly status: "pass" | "warn" | "fail"; readonly [field: string]: unknown }) =>
  Response.text(JSON.stringify(body), {
    status: body.status === "fail" ? 503 : 200,
    contentType: "application/health+json",
    headers: { "cache-control": "no-store" }
  })
