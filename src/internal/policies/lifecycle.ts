/**
 * `Route.onDisconnect` and `Route.onDrain`: what becomes of a handler whose client leaves, or whose server stops.
 *
 * The server's engine asks for them by the request's target; for other engines `finishing` does what can be done without them.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { ClientAbort } from "effect/http/HttpServerError"
import type { Handler } from "../../Handler.ts"
import { Draining } from "../lifecycle/draining.ts"
import * as Policy from "./policy.ts"
import { positive } from "./timeout.ts"

/** For `Route.onDisconnect`: goes on for so long, and is interrupted then. */
export const finishWithin = (duration: Duration.Input): Policy.FinishWithin => ({
  finishWithin: positive(duration, "Route.finishWithin")
})

/**
 * What becomes of the handler, and of all middleware around it, when the client leaves before it is answered:
 *
 * - "interrupt", the default: it is interrupted, and its finalizers run
 * - "finish": it goes on, and its answer is thrown away; a `timeout` and a server that stops still end it
 * - `Route.finishWithin("10 seconds")`: it goes on for so long
 *
 * A stream whose head was sent is interrupted in any case. A handler that has yet to read its body fails, for the rest will not come.
 */
export const onDisconnect = (manner: "interrupt" | "finish" | Policy.FinishWithin): Policy.Policy => {
  if (typeof manner === "string" && manner !== "interrupt" && manner !== "finish") {
    throw new TypeError(
      `Route.onDisconnect: ${JSON.stringify(manner)} is unknown; write "interrupt", "finish" or Route.finishWithin(...)`
    )
  }
  return Policy.make("onDisconnect", manner)
}

/**
 * What becomes of the handler when the server begins to stop:
 *
 * - "await", the default: it may take `shutdownTimeout`, and is interrupted then
 * - "notify": so too, but `Route.draining` tells it, so that it can come to an end by itself
 * - "interrupt": it is interrupted at once; the client gets 503 with `Retry-After`, or a stream that is cut. For long polls
 */
export const onDrain = (manner: "await" | "notify" | "interrupt"): Policy.Policy => {
  if (manner === "notify") {
    return Policy.make("onDrain", manner, (handler) =>
      Effect.flatMap(Draining, (draining) => Effect.provideService(handler, Notice, draining))
    )
  }
  if (manner === "await" || manner === "interrupt") return Policy.make("onDrain", manner)
  throw new TypeError(`Route.onDrain: ${JSON.stringify(manner)} is unknown; write "await", "notify" or "interrupt"`)
}

const Notice = Context.Reference<Effect.Effect<void>>("effect-web/DrainNotice", { defaultValue: () => Effect.never })

/**
 * In the handler of a route with `onDrain("notify")`: ends when the server begins to stop. In others it never does. Race it with what
 * waits; for a stream, take it in the handler: `Stream.interruptWhen(events, yield* Route.draining)` ends the stream as a whole one.
 */
export const draining: Effect.Effect<Effect.Effect<void>> = Notice

/** Whether an exit is that of a fiber whose client has left. */
const hasLeft = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some(
    (reason) =>
      Cause.isInterruptReason(reason) && Context.getOption(Cause.reasonAnnotations(reason), ClientAbort)._tag === "Some"
  )

/** The handler by its policy, in a fiber that is interrupted when the client leaves. It is waited for. */
export const finishing = <R>(
  handler: Handler<never, R>,
  manner: Policy.Policies["onDisconnect"]
): Handler<never, R> => {
  if (manner === undefined || manner === "interrupt") return handler
  const patience = manner === "finish" ? Duration.infinity : manner.finishWithin
  return Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkChild(handler, { startImmediately: true }), (child) =>
      Effect.onExit(restore(Fiber.join(child)), (exit) => {
        if (Exit.isSuccess(exit)) return Effect.void
        const end = Fiber.interrupt(child)
        return hasLeft(exit) ? Effect.andThen(Effect.timeoutOption(Fiber.await(child), patience), end) : end
      })
    )
  )
}
