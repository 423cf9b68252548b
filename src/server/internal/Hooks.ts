/**
 * Runs the hooks of an app.
 *
 * ```ts
 * yield* Hooks.start(hooks)
 * yield* Hooks.drain(hooks)
 * ```
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { ServeError } from "effect/http/HttpServerError"
import type * as Scope from "effect/Scope"
import type { Hook } from "../../internal/hooks.ts"

type Run = Effect.Effect<unknown, unknown, Scope.Scope>

// What a hook needs is among the needs of its app, which the caller has provided.
const runOf = (hook: Hook): Run => hook.run as Run

/** Starts in order; what a hook acquires, and the stops declared before, belong to the scope. */
export const start = Effect.fnUntraced(function* (
  hooks: ReadonlyArray<Hook>
): Effect.fn.Return<void, ServeError, Scope.Scope> {
  const count = hooks.filter(({ on }) => on === "start").length
  let index = 0
  for (const hook of hooks) {
    if (hook.on === "start") {
      index++
      yield* orServeError(runOf(hook), `its onStart ${count === 1 ? "" : `${index} of ${count} `}failed: `)
    } else if (hook.on === "stop") {
      yield* Effect.addFinalizer(() => logged(hook, "onStop"))
    }
  }
})

/** What goes wrong in a part of a start, as the failure of the start that says which part it was; interruption stays what it is. */
export const orServeError = <A, R>(
  effect: Effect.Effect<A, unknown, R>,
  part: string
): Effect.Effect<A, ServeError, R> =>
  Effect.catchCause(effect, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
    const error = new ServeError({ cause: Cause.squash(cause) })
    error.message = `The app does not start: ${part}${reason(cause)}`
    return Effect.fail(error)
  })

// A failure is one line, with what caused it; of a defect its stack is wanted.
const reason = (cause: Cause.Cause<unknown>): string => {
  const [only, ...more] = cause.reasons
  if (only?._tag === "Fail" && only.error instanceof Error && more.length === 0) return line(only.error)
  return Cause.pretty(cause)
}

const line = (error: Error): string => {
  const own = [error.name, error.message].filter((text) => text !== "").join(": ")
  return error.cause instanceof Error ? `${own}; caused by ${line(error.cause)}` : own
}

/** What runs when the server begins to stop, in order. */
export const drain = (hooks: ReadonlyArray<Hook>): Effect.Effect<void> =>
  Effect.forEach(
    hooks.filter(({ on }) => on === "drain"),
    (hook) => logged(hook, "onDrain"),
    { discard: true }
  )

const logged = (hook: Hook, name: string): Effect.Effect<void> =>
  Effect.asVoid(Effect.scoped(runOf(hook))).pipe(
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : Effect.logError(`An ${name} failed`, cause)
    )
  )
