/**
 * Checks the upstream servers of a proxy, beside all requests, for as long as the server runs.
 *
 * ```ts
 * const checks = make(upstreams.all, { path: "/health", interval: "5 seconds" })
 * checks.begin(transport)
 * ```
 *
 * They begin with the first request. Where no server says when it has stopped, as under the web standard, there are none.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { milliseconds } from "./timeouts.ts"
import type { Transport } from "./transport.ts"
import type { Upstream } from "./upstreams.ts"

/** How upstream servers are checked. */
export interface Check {
  /** What is asked for by GET, below the URL of the upstream server. A status below 400 is well. */
  readonly path: string
  /** From the end of one check to the next; 10 seconds unless given. */
  readonly interval?: Duration.Input
  /** How long one may take; 2 seconds unless given. */
  readonly timeout?: Duration.Input
}

/** Gives what begins the checks on a transport, once. Throws a TypeError for what is no path or no duration. */
export const make = (upstreams: ReadonlyArray<Upstream>, check: Check): ((transport: Transport) => void) => {
  const { path } = check
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(path))
    throw new TypeError(`Proxy: the check has to have a path as "/health", not "${path}"`)
  const interval = milliseconds("the interval of the check", check.interval ?? "10 seconds")
  const timeout = milliseconds("the timeout of the check", check.timeout ?? "2 seconds")
  const begun = new WeakSet<Transport>()
  return (transport) => {
    if (begun.has(transport)) return
    begun.add(transport)
    for (const upstream of upstreams) {
      const once = checked(transport, upstream, path, timeout)
      transport.background?.(Effect.forever(Effect.andThen(once, Effect.sleep(Duration.millis(interval)))))
    }
  }
}

const checked = (transport: Transport, upstream: Upstream, path: string, timeout: number): Effect.Effect<void> =>
  transport
    .send({
      origin: upstream.origin,
      method: "GET",
      path: upstream.base + path,
      headers: ["host", upstream.authority, "accept", "*/*"],
      source: undefined,
      limit: undefined,
      upgrade: undefined,
      timeouts: { connect: timeout, response: timeout, idle: timeout },
      count: () => {}
    })
    .pipe(
      Effect.map(({ status }) => (status < 400 ? undefined : `It answered with ${status}`)),
      Effect.catch(({ error }) => Effect.succeed(error.text)),
      Effect.scoped,
      Effect.flatMap((fault) => note(upstream, fault))
    )

const note = (upstream: Upstream, fault: string | undefined): Effect.Effect<void> => {
  const { isDown, origin } = upstream
  upstream.isDown = fault !== undefined
  if (upstream.isDown === isDown) return Effect.void
  return fault === undefined
    ? Effect.logInfo(`The upstream server ${origin} is back`)
    : Effect.logWarning(`The upstream server ${origin} is down: ${fault}`)
}
