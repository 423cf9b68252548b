/**
 * The upstream servers of a proxy: which is next, which are left alone for a while.
 *
 * ```ts
 * const upstreams = make(["http://10.0.0.1:9000", "http://10.0.0.2:9000"], { balance: "least-connections" })
 * for (const upstream of upstreams.order()) yield* upstreams.guard(upstream, send(upstream))
 * ```
 *
 * An upstream server is left alone by Effect's circuit breaker, when requests to it have failed, and by checks, when it has failed one.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import type * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { Failure } from "./failure.ts"
import type { Incoming } from "./transport.ts"

/** An upstream server. */
export interface Upstream {
  /** Scheme and authority. */
  readonly origin: string
  readonly authority: string
  /** The path that stands before all others, without a slash at its end. */
  readonly base: string
  /** How many requests it is at work on. */
  active: number
  /** It failed its last check. */
  isDown: boolean
}

/** How the circuit breaker of an upstream server works. */
export interface Breaker {
  /** So many failures in a row open it; 3 unless given. */
  readonly failures?: number
  /** How long nothing is sent then, after which one request tries; 10 seconds unless given. */
  readonly openDuration?: Duration.Input | Schedule.Schedule<unknown, number>
}

/** How upstream servers are chosen. */
export interface Options {
  readonly balance?: "round-robin" | "least-connections" | undefined
  readonly breaker?: Breaker | undefined
}

/** The upstream servers. */
export interface Upstreams {
  readonly all: ReadonlyArray<Upstream>
  /** Those that failed no check, the one first that is next. */
  readonly order: () => ReadonlyArray<Upstream>
  /** Asks the breaker first, and tells it what came of it. */
  readonly guard: (
    upstream: Upstream,
    sent: Effect.Effect<Incoming, Failure, Scope.Scope>
  ) => Effect.Effect<Incoming, Failure | CircuitBreaker.CircuitBreakerError, Scope.Scope>
}

/** Throws a TypeError for what is no URL of a server, for none at all, and for one that is there twice. */
export const make = (urls: ReadonlyArray<string | URL>, { balance, breaker }: Options): Upstreams => {
  const all = urls.map(parse)
  if (all.length === 0) throw new TypeError("Proxy: there is no upstream server; give its URL")
  const twice = all.find(({ origin }, index) => all.findIndex((other) => other.origin === origin) < index)
  if (twice !== undefined) throw new TypeError(`Proxy: the upstream server ${twice.origin} is there twice; remove one`)
  let turn = 0
  const rotated = (): Array<Upstream> => {
    const start = turn++ % all.length
    return [...all.slice(start), ...all.slice(0, start)].filter(({ isDown }) => !isDown)
  }
  const only = all.length === 1 ? all : undefined
  const execute = only === undefined || breaker !== undefined ? guarded(breaker ?? {}) : undefined
  return {
    all,
    order: () => {
      if (only !== undefined) return only[0]?.isDown === true ? [] : only
      const next = rotated()
      return balance === "least-connections" ? next.sort((left, right) => left.active - right.active) : next
    },
    guard: (upstream, sent) => (execute === undefined ? sent : execute(upstream.origin, sent))
  }
}

const parse = (input: string | URL): Upstream => {
  const text = String(input)
  const url = URL.parse(text)
  const fail = (cure: string): never => {
    throw new TypeError(`Proxy: the upstream "${text}" ${cure}`)
  }
  if (url === null || !/^https?:$/.test(url.protocol))
    return fail('is no URL of a server; write "http://127.0.0.1:9000"')
  if (url.username !== "" || url.password !== "") fail("has credentials; add an Authorization header by a middleware")
  if (url.search !== "" || url.hash !== "") fail("has a query or a fragment; remove it")
  const base = url.pathname.replace(/\/+$/, "")
  return { origin: url.origin, authority: url.host, base, active: 0, isDown: false }
}

type Sent = Effect.Effect<Incoming, Failure, Scope.Scope>

// Loaded when it is needed: most proxies have one upstream server, most apps none. What it remembers is the proxy's own and holds
// nothing that had to be released, so its scope never closes.
const guarded = ({ failures = 3, openDuration = "10 seconds" }: Breaker) => {
  if (!Number.isInteger(failures) || failures < 1) {
    throw new TypeError(`Proxy: a breaker opens after 1 failure or more, not ${failures}`)
  }
  let circuit: CircuitBreaker.CircuitBreaker | undefined
  const load = Effect.map(
    Effect.promise(() => import("effect/persistence/CircuitBreaker")),
    ({ consecutive, layerStoreMemory, make }) =>
      (circuit ??= make({ tripPolicy: consecutive(failures), openDuration }).pipe(
        Scope.provide(Scope.makeUnsafe()),
        Effect.provide(layerStoreMemory()),
        Effect.runSync
      ))
  )
  const options = (key: string) => ({ key, classify })
  return (key: string, sent: Sent) =>
    circuit === undefined
      ? Effect.flatMap(load, (made) => made.execute(sent, options(key)))
      : circuit.execute(sent, options(key))
}

// What is wrong with a request says nothing of the upstream server.
const classify = (exit: Exit.Exit<Incoming, Failure>): CircuitBreaker.Outcome => {
  if (exit._tag === "Success") return { _tag: "Success" }
  const isRequest = exit.cause.reasons.every((reason) => reason._tag === "Fail" && reason.error.reason === "request")
  return { _tag: isRequest ? "Ignored" : "Failure" }
}
