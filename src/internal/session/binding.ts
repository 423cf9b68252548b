/**
 * What ties a token to a session: a text that another session does not have, and that changes when the session's id does.
 *
 * ```ts
 * const bound = yield* Effect.flatten(SessionBinding)
 * ```
 *
 * Empty where there is no session middleware, and for a visitor who has no session yet.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Gives the text. It says nothing of the session's id to who reads it. */
export const SessionBinding = Context.Reference<Effect.Effect<string>>("effect-web/SessionBinding", {
  defaultValue: () => Effect.succeed("")
})
