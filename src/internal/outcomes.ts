/**
 * A middleware that runs an effect when a request has ended.
 *
 * ```ts
 * App.use(middleware((outcome) => Effect.log(outcome.result)))
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Middleware } from "../Middleware.ts"
import type { Outcome } from "../Outcome.ts"
import { followed } from "./followed.ts"
import { CurrentTasks } from "./tasks.ts"

/** Runs it as a background task; its failures are logged. */
export const middleware = <R>(
  f: (outcome: Outcome) => Effect.Effect<unknown, unknown, R>
): Middleware<never, never, R> =>
  ((handler) =>
    followed(handler, (exchange, context) => {
      const tasks = Context.get(context, CurrentTasks)
      exchange.observe((outcome) => {
        const run = Effect.scoped(Effect.suspend(() => f(outcome)))
        // The app's R are in the context of every request.
        tasks.run("onOutcome", run as Effect.Effect<unknown, unknown>, context, "await", exchange.startMillis)
      })
      return undefined
    })) as Middleware<never, never, R>
