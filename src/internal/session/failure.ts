/**
 * What can go wrong with a session by the program's own doing.
 *
 * ```ts
 * yield* new SessionError({ reason: "sent" })
 * ```
 */
import * as Schema from "effect/Schema"
import * as HttpError from "../../HttpError.ts"

/**
 * A session cannot be changed or saved (500):
 * - "sent": the answer is on its way, so that no cookie can be set and nothing is saved any more: in the body of a stream, in an event
 *   stream, in the handler of a WebSocket
 * - "tooLarge": it does not fit into cookies; keep it in a store, as `RecordStore.redis()`
 */
export class SessionError extends HttpError.define<SessionError>()(
  "SessionError",
  { status: 500 },
  { reason: Schema.Literals(["sent", "tooLarge"]) }
) {
  override get message(): string {
    return this.reason === "sent"
      ? "The session can no longer change: the answer is on its way"
      : "The session is too large for cookies: keep less in it, or keep it in a RecordStore"
  }
}
