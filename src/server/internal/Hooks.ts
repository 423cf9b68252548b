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
  for (const hook of hooks) {
    if (hook.on === "start") {
      yield* Effect.catchCause(runOf(hook), (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause as Cause.Cause<never>) : Effect.fail(failed(cause))
      )
    } else if (hook.on === "stop") {
      yield* Effect.addFinalizer(() => logged(hook, "onStop"))
    }
  }
})

const failed = (cause: Cause.Cause<unknown>): ServeError => {
  const error = new ServeError({ cause: Cause.squash(cause) })
  error.message = `The app does not start, an onStart failed: ${Cause.pretty(cause)}`
  return error
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
