/**
 * What is refused because there is too much to do: the error, what counts as such, and a line a second that says so.
 *
 * ```ts
 * const report = new Report()
 * return report.refused(error, fiber.context, () => "20 at a time")
 * ```
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as HttpError from "../../HttpError.ts"

/** Why: the queue is full, or the wait over, or the time of the request will be over before, or the event loop is late. */
export type Reason = "queue" | "wait" | "deadline" | "eventLoop"

/** The server has too much to do; `retryAfter` becomes `Retry-After`, in whole seconds. */
export class Overloaded extends HttpError.define<Overloaded>()(
  "Overloaded",
  {
    status: 503,
    headers: ({ retryAfter }) => ({ "retry-after": String(Math.ceil(Duration.toSeconds(retryAfter))) }),
    hidden: ["reason", "retryAfter"]
  },
  { retryAfter: Schema.Duration, reason: Schema.Literals(["queue", "wait", "deadline", "eventLoop"]) }
) {}

const marked = new WeakSet<object>()

/** Marks an error: its request's outcome is `shed`, and it is not logged for each. */
export const mark = <E extends object>(error: E): E => {
  marked.add(error)
  return error
}

/** Whether an error says that the request was shed. */
export const isShed = (u: unknown): boolean =>
  u instanceof Overloaded || (typeof u === "object" && u !== null && marked.has(u))

/** Says in the log what was refused, once a second at most. */
export class Report {
  private count = 0
  private at = Number.NEGATIVE_INFINITY

  /** Fails with the error. */
  refused<E>(error: E, context: Context.Context<never>, state: () => string): Effect.Effect<never, E> {
    this.count++
    const now = Context.get(context, Clock.Clock).currentTimeMillisUnsafe()
    // A wall clock may go back.
    if (Math.abs(now - this.at) < 1000) return Effect.fail(error)
    const line = `Too much to do: ${this.count} ${this.count === 1 ? "request was" : "requests were"} refused (${state()})`
    this.at = now
    this.count = 0
    return Effect.andThen(Effect.logWarning(line), Effect.fail(error))
  }
}
