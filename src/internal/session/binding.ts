/**
 * What ties a token to a login: a text that another login does not have, and that changes when the session's id does.
 *
 * ```ts
 * const bound = yield* Effect.flatten(SessionBinding)
 * ```
 *
 * Empty where there is no session middleware, and for a visitor who has not logged in; where the session knows no identity, for one who
 * has no session yet.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Gives the text. It says nothing of the session's id to who reads it. */
export const SessionBinding = Context.Reference<Effect.Effect<string>>("effect-web/SessionBinding", {
  defaultValue: () => Effect.succeed("")
})
