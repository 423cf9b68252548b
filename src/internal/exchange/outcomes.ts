/**
 * A middleware that runs an effect when a request has ended.
 *
 * ```ts
 * App.use(middleware((outcome) => Effect.log(outcome.result)))
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import { RouteContext } from "../../Handler.ts"
import type { Middleware } from "../../Middleware.ts"
import type { Outcome } from "../../Outcome.ts"
import { CurrentTasks } from "../lifecycle/tasks.ts"
import { follow } from "./followed.ts"
import * as Passage from "./passage.ts"

/** Runs it as a background task; its failures are logged. */
export const middleware = <R>(
  f: (outcome: Outcome) => Effect.Effect<unknown, unknown, R>
): Middleware<never, never, R> =>
  Passage.middleware((passage) => {
    const { request, route } = passage
    follow(passage).observe((outcome) => {
      const run = Effect.scoped(Effect.suspend(() => f(outcome)))
      // Without a fiber there is nobody else to say whose end it is.
      const own = Context.add(Context.add(passage.context, HttpServerRequest, request), RouteContext, route)
      const tasks = Context.get(own, CurrentTasks)
      // The app's R are in the context of every request.
      tasks.run("onOutcome", run as Effect.Effect<unknown, unknown>, own, "await", outcome.startMillis)
    })
  }) as Middleware<never, never, R>
