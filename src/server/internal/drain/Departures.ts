/**
 * Whom the server tells that it begins to stop: event streams and sockets, which would otherwise stay.
 *
 * ```ts
 * const departures = Departures.make()
 * departures.begin()
 * ```
 */
import type * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

/** Those who wait for the stop. */
export interface Departures {
  /** Ends when the server begins to stop. */
  readonly draining: Effect.Effect<void>
  /** Calls back when the server begins to stop, at once where it has; gives what takes that back. */
  readonly onDrain: (f: () => void) => () => void
  /** The server begins to stop. */
  readonly begin: () => void
}

/** None yet. */
export const make = (): Departures => {
  const latch = Latch.makeUnsafe()
  const departing = new Set<() => void>()
  let isDraining = false
  return {
    draining: latch.await,
    onDrain: (f) => {
      if (isDraining) f()
      else departing.add(f)
      return () => departing.delete(f)
    },
    begin: () => {
      isDraining = true
      latch.openUnsafe()
      for (const f of departing) f()
    }
  }
}
