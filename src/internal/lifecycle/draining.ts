/**
 * Whether the server has begun to stop, for what would hold it up: event streams, sockets.
 *
 * ```ts
 * const draining = yield* Draining
 * Stream.interruptWhen(events, draining)
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Ends when the server begins to stop. Under other engines it never does. */
export const Draining = Context.Reference<Effect.Effect<void>>("effect-web/Draining", {
  defaultValue: () => Effect.never
})

/** Calls back when the server begins to stop, at once where it has, until what it gives is called. Under other engines it never does. */
export const OnDrain = Context.Reference<(f: () => void) => () => void>("effect-web/OnDrain", {
  defaultValue: () => never
})

const never = () => () => {}
