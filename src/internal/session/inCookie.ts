/**
 * Keeps sessions in their cookies, encrypted.
 *
 * ```ts
 * const keeper = inCookie("Visit", keys, jar.capacity)
 * ```
 *
 * There is nothing to compare with: of two answers the last wins. And nothing to take back: a copy of a cookie lives as long as it would.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Sealed from "../../Sealed.ts"
import { SessionError } from "./failure.ts"
import { type Found, type Keeper, Nothing } from "./keeper.ts"

/** The id, and the session. */
const Kept = Schema.Tuple([Schema.String, Schema.Unknown])

/** So many cookies are remembered opened, of up to so many characters: a browser sends the same one again and again. */
const most = { cookies: 1000, characters: 1024 }

/** Makes the keeper; a text that is longer than `capacity` when it is sealed does not fit. */
export const inCookie = (name: string, keys: Sealed.KeyRing, capacity: number): Keeper<SessionError> => {
  const sealed = Sealed.make({ schema: Kept, keys, purpose: `session ${name}` })
  const opened = new Map<string, Found>()
  const remember = (cookie: string, found: Found): Found => {
    if (cookie.length > most.characters) return found
    if (opened.size >= most.cookies) opened.delete(opened.keys().next().value as string)
    opened.set(cookie, found)
    return found
  }
  return {
    inCookie: true,
    known: (cookie) => opened.get(cookie),
    find: (cookie) =>
      Effect.match(sealed.open(cookie), {
        onSuccess: ([id, kept]) => remember(cookie, { id, text: JSON.stringify(kept), version: "" }),
        onFailure: ({ reason }) => new Nothing(`Its cookie is ${reason}`)
      }),
    save: (id, text) =>
      Effect.flatMap(sealed.seal([id, JSON.parse(text)]), (cookie) =>
        cookie.length > capacity ? Effect.fail(tooLarge(cookie.length, capacity)) : Effect.succeed(cookie)
      ),
    move: () => Effect.succeed(true),
    remove: () => Effect.void
  }
}

// With a cause the log says what the message is.
const tooLarge = (length: number, capacity: number): SessionError =>
  new SessionError({ reason: "tooLarge", cause: `It has ${length} characters, ${capacity} have place` })
