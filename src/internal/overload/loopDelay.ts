/**
 * How late the event loop is: the time that whoever comes next has waited already, unseen by any timer of its own.
 *
 * ```ts
 * const { turn } = Context.get(context, LoopDelay)
 * if (turn() > 100) refuse()
 * ```
 */
import * as Context from "effect/Context"

/** In milliseconds. */
export interface Lateness {
  /** For how long this turn of the loop has been going on: what comes at its end has waited for all of it. */
  readonly turn: () => number
  /** Which turn it is: another number for another one. */
  readonly number: () => number
}

const zero = () => 0

/** The lateness of this thread's loop. Under other engines it is not measured. */
export const LoopDelay = Context.Reference<Lateness>("effect-web/LoopDelay", {
  defaultValue: () => ({ turn: zero, number: zero })
})
