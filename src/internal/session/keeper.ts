/**
 * Where sessions are kept: under the hash of an id that the cookie has, or in the cookie itself.
 *
 * ```ts
 * const found = yield* keeper.find(cookie)
 * const saved = yield* keeper.save(found?.id ?? newId(), text, found, Duration.hours(2))
 * ```
 *
 * @spec OWASP Session Management Cheat Sheet
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type { RecordStore } from "../../RecordStore.ts"
import { sha256 } from "../secrets/sha256.ts"
import type { State } from "./state.ts"

/** A session as it is kept. */
export interface Found {
  readonly id: string
  readonly text: string
  readonly version: string
  /** What the text says, where it was read before and nobody can change it. */
  state?: State
}

/** Why a cookie stands for nothing. */
export class Nothing {
  readonly why: string

  constructor(why: string) {
    this.why = why
  }
}

/** A way to keep sessions. */
export interface Keeper<out E = never, out R = never> {
  /** What a cookie stands for: a session, the place of one that goes on under another id ("moved"), or nothing. */
  readonly find: (cookie: string) => Effect.Effect<Found | "moved" | Nothing, E, R>
  /** What a cookie stands for, where that is known without asking. */
  readonly known?: (cookie: string) => Found | undefined
  /** Keeps a text in the place of what was found, or of nothing. Gives the cookie; undefined when someone else was faster. */
  readonly save: (
    id: string,
    text: string,
    found: Found | undefined,
    expiresIn: Duration.Duration
  ) => Effect.Effect<string | undefined, E, R>
  /** Ends what goes on under another id; false when someone else was faster. */
  readonly move: (found: Found) => Effect.Effect<boolean, E, R>
  /** Forgets; with `found.version` only what is still at it. */
  readonly remove: (found: Found, always: boolean) => Effect.Effect<void, E, R>
  /** Whether the cookie has the session itself, and so has to be set whenever it is saved. */
  readonly inCookie: boolean
}

/** A new id: 144 random bits in 24 characters. */
export const newId = (): string => Base64Url.encode(SecureRandom.randomBytesUnsafe(18))

/** Whether a text can be an id. */
export const isId = (text: string): boolean => /^[\w-]{24}$/.test(text)

/**
 * Keeps sessions in a store. A copy of the store opens none of them: its keys are hashes. For a minute nothing can be written where a
 * session was that has moved, so that a request from before the move does not take its cookie away.
 */
export const inRecords = <E, R>(name: string, store: RecordStore<E, R>): Keeper<E, R> => {
  const keyOf = (id: string) => Effect.map(sha256(id), (hashed) => `session:${name}:${hashed}`)
  const withKey = <A>(id: string, f: (key: string) => Effect.Effect<A, E, R>) => Effect.flatMap(keyOf(id), f)
  return {
    inCookie: false,
    find: (id) =>
      isId(id)
        ? Effect.map(
            withKey(id, (key) => store.get(key)),
            (stored) => {
              if (stored === undefined) return gone
              return stored.value === moved ? "moved" : { id, text: stored.value, version: stored.version }
            }
          )
        : malformed,
    save: (id, text, found, expiresIn) =>
      Effect.map(
        withKey(id, (key) => store.put(key, text, { expected: found?.version, expiresIn })),
        (version) => (version === undefined ? undefined : id)
      ),
    move: ({ id, version }) =>
      Effect.map(
        withKey(id, (key) => store.put(key, moved, { expected: version, expiresIn: "1 minute" })),
        (version) => version !== undefined
      ),
    remove: ({ id, version }, always) =>
      withKey(id, (key) => store.remove(key, always ? undefined : { expected: version }))
  }
}

const moved = "moved"
const gone = new Nothing("The store has none of its id")
const malformed = Effect.succeed(new Nothing("Its cookie has no id"))
