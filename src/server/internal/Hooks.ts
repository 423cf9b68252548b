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
import type { Hook } from "../../internal/routing/hooks.ts"

type Run = Effect.Effect<unknown, unknown, Scope.Scope>

// What a hook needs is among the needs of its app, which the caller has provided.
const runOf = (hook: Hook): Run => hook.run as Run

/** Starts in order; what a hook acquires, and the stops declared before, belong to the scope. */
export const start = Effect.fnUntraced(function* (
  hooks: ReadonlyArray<Hook>
): Effect.fn.Return<void, ServeError, Scope.Scope> {
  for (const hook of hooks) {
    if (hook.on === "start") yield* orServeError(runOf(hook), `its ${nameOf(hook, hooks)} failed: `)
    else if (hook.on === "stop") yield* Effect.addFinalizer(() => logged(hook, nameOf(hook, hooks)))
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

/** What runs when the server begins to stop, in order. What is interrupted took longer than the stop waits. */
export const drain = (hooks: ReadonlyArray<Hook>): Effect.Effect<void> =>
  Effect.forEach(
    hooks.filter(({ on }) => on === "drain"),
    (hook) => {
      const name = nameOf(hook, hooks)
      const late = Effect.logWarning(
        `${name} has not ended within shutdownTimeout, and is interrupted; the stop goes on`
      )
      return Effect.onInterrupt(logged(hook, name), () => late)
    },
    { discard: true }
  )

const names = { start: "onStart", drain: "onDrain", stop: "onStop" } as const

// By its place among those of its kind, in the order in which they are declared.
const nameOf = (hook: Hook, hooks: ReadonlyArray<Hook>): string => {
  const alike = hooks.filter(({ on }) => on === hook.on)
  return alike.length === 1 ? names[hook.on] : `${names[hook.on]} ${alike.indexOf(hook) + 1} of ${alike.length}`
}

const logged = (hook: Hook, name: string): Effect.Effect<void> =>
  Effect.asVoid(Effect.scoped(runOf(hook))).pipe(
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : Effect.logError(`${name} failed; the stop goes on`, cause)
    )
  )
