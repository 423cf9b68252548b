/**
 * Whether the server may be given requests: what readiness probes ask.
 *
 * ```ts
 * const reason = (yield* unready)()
 * ```
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { ServerMemory } from "./serverMemory.ts"

/** Why the server shall be given no more requests; undefined when it may. Under other engines it always may. */
export const Unready = Context.Reference<() => string | undefined>("effect-web/Unready", {
  defaultValue: () => () => undefined
})

/** A reason that comes and goes, at a time of the monotonic clock in milliseconds. */
export type Reason = (now: number) => string | undefined

const reasons = new WeakMap<object, Set<Reason>>()

/** Has a server asked for one more reason, as long as it lives. */
export const because = (server: object, reason: Reason): void => {
  const known = reasons.get(server)
  if (known === undefined) reasons.set(server, new Set([reason]))
  else known.add(reason)
}

/** Gives the first reason that there is, at the time at which it is called. */
export const unready: Effect.Effect<() => string | undefined> = Effect.withFiber(({ context }) => {
  const stops = Context.get(context, Unready)
  const clock = Context.get(context, Clock.Clock)
  const others = reasons.get(Context.get(context, ServerMemory))
  return Effect.succeed(() => {
    const stopping = stops()
    if (stopping !== undefined || others === undefined) return stopping
    const now = Number(clock.monotonicTimeNanosUnsafe()) / 1e6
    for (const reason of others) {
      const found = reason(now)
      if (found !== undefined) return found
    }
    return undefined
  })
})
