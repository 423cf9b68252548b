/**
 * Clients that leave at any moment: a fiber that gives way after each of its steps, and is interrupted after some of them.
 *
 * ```ts
 * for (let steps = 0; steps < 12; steps++) yield* leaveAfter(steps, handler)
 * ```
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

/** Interrupts an effect when the others have had so many turns. */
export const leaveAfter = <A, E, R>(turns: number, effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.gen(function* () {
    // With a budget of less it would only give way
    const fiber = yield* Effect.forkChild(Effect.provideService(effect, Scheduler.MaxOpsBeforeYield, 3))
    for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
    yield* Fiber.interrupt(fiber)
  })
