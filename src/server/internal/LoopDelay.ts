/**
 * Measures how late Node's event loop is.
 *
 * ```ts
 * const { number, turn } = yield* make
 * ```
 *
 * Not `perf_hooks.monitorEventLoopDelay`: its histogram knows of a turn when that is over, and all that a turn has read is admitted or
 * refused within it. A timer fires at the beginning of each turn; the time since is what this turn has taken so far.
 */
import { performance } from "node:perf_hooks"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Lateness } from "../../internal/overload/loopDelay.ts"

/** In milliseconds; what is shorter is not seen. */
const interval = 10

/** After so many ticks for which nobody has asked, a second, the timer rests. */
const patience = 100

/** Nothing runs before somebody asks, and nothing once the scope has closed. */
export const make: Effect.Effect<Lateness, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => new Sampler()),
    (sampler) => Effect.sync(() => sampler.close())
  ),
  (sampler) => ({ turn: () => sampler.turn(), number: () => sampler.number })
)

/** The timer, and when it fired last. */
export class Sampler {
  number = 0
  private timer: NodeJS.Timeout | undefined
  private at = 0
  private unasked = 0
  private isClosed = false

  get isRunning(): boolean {
    return this.timer !== undefined
  }

  turn(): number {
    const now = performance.now()
    this.unasked = 0
    if (this.timer === undefined) this.start(now)
    return Math.max(0, now - this.at - interval)
  }

  close(): void {
    this.isClosed = true
    this.stop()
  }

  private start(now: number): void {
    this.at = now
    if (this.isClosed) return
    this.timer = setInterval(() => this.tick(), interval)
    // It keeps no process alive.
    this.timer.unref()
  }

  private stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private tick(): void {
    this.at = performance.now()
    this.number++
    if (++this.unasked > patience) this.stop()
  }
}
