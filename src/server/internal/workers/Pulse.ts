/**
 * The pulse of a worker: its supervisor hears it for as long as the worker's event loop turns.
 *
 * ```ts
 * beat(timeout, tell) // in the worker
 * yield* lost(worker.pulse, timeout) // in the supervisor: returns when it was silent for so long
 * ```
 *
 * An endless loop, or a regular expression that takes hours, answers nobody, and connections would be sent to it for ever.
 *
 * @source gunicorn timeout
 */
import * as Inspector from "node:inspector"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Report } from "./Seat.ts"

/** What the supervisor has heard of a worker. */
export interface Pulse {
  beats: number
  /** It may be silent: it stands at a breakpoint, or it was told to stop. */
  isExcused: boolean
}

const looks = 4

/** Beats until the process ends. */
export const beat = (timeout: Duration.Duration, tell: (report: Report) => void): void => {
  const one = () => tell({ effectWeb: "alive", isDebugged: Inspector.url() !== undefined })
  one()
  setInterval(one, Duration.toMillis(timeout) / looks / 2).unref()
}

/** Waits until a worker was silent for so long; looks, not hours, are counted: the supervisor may have slept itself. */
export const lost = Effect.fnUntraced(function* (pulse: Pulse, timeout: Duration.Duration) {
  let [heard, silent] = [pulse.beats, 0]
  while (silent < looks) {
    yield* Effect.sleep(Duration.millis(Duration.toMillis(timeout) / looks))
    silent = pulse.beats === heard && !pulse.isExcused ? silent + 1 : 0
    heard = pulse.beats
  }
})
