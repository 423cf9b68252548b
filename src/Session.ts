/**
 * Sessions: what a server remembers of a browser, typed by a schema, read when it is asked for and saved when it has changed.
 *
 * ```ts
 * class Visit extends Session.Service<Visit>()("Visit", { fields: { count: Schema.Int }, empty: { count: 0 } }) {}
 * const app = App.make(routes).pipe(App.use(Session.make(Visit, { store: RecordStore.memory() })))
 * const visit = yield* Visit
 * const { count } = yield* visit.update((v) => ({ count: v.count + 1 }))
 * ```
 *
 * Saved once, at the end of the handler, also when it fails with a typed error; not when it dies or is interrupted. Where two requests
 * change one session in a store, the changes of the second are applied again to what the first has saved: none is lost. Of sessions in
 * cookies the last answer wins. Only a request that asks for its session keeps it alive.
 *
 * @source aiohttp_session
 * @spec RFC 6265bis; OWASP Session Management Cheat Sheet
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Passage from "./internal/exchange/passage.ts"
import * as Cookies from "./internal/session/cookies.ts"
import { Endings } from "./internal/session/endings.ts"
import { SessionError } from "./internal/session/failure.ts"
import { inCookie } from "./internal/session/inCookie.ts"
import { inRecords } from "./internal/session/keeper.ts"
import type { Limits, Plan } from "./internal/session/live.ts"
import { step } from "./internal/session/middleware.ts"
import { type Definition as AnyDefinition, compile } from "./internal/session/state.ts"
import { Turns } from "./internal/session/turns.ts"
import type { Middleware } from "./Middleware.ts"
import type { RecordStore } from "./RecordStore.ts"
import type { KeyRing } from "./Sealed.ts"

export type { Options as CookieOptions } from "./internal/session/cookies.ts"
export { SessionError } from "./internal/session/failure.ts"

/**
 * The session of a request. A failure of its store is not one of these effects: the middleware answers with it, and has it in its type.
 * What changes the session fails with a SessionError once the answer is on its way.
 */
export interface Session<A, Id = never, Flash = {}> {
  /** The data; `empty` for who has none. Its plain objects and arrays are frozen: what is to be kept goes through `set` or `update`. */
  readonly get: Effect.Effect<A>
  /** Whether nothing was kept before this request. */
  readonly isNew: Effect.Effect<boolean>
  /** Who has logged in: who `rotate` was last given. */
  readonly identity: Effect.Effect<Option.Option<Id>>
  readonly set: (data: A) => Effect.Effect<void, SessionError>
  /** Changes the data and gives what it is now. Called again on what another request has saved first, so the function only computes. */
  readonly update: (f: (data: A) => A) => Effect.Effect<A, SessionError>
  /** Leaves messages for the next request that reads them. */
  readonly flash: (messages: Flash) => Effect.Effect<void, SessionError>
  /** The messages that were left, once: they are gone for the next request. */
  readonly flashed: Effect.Effect<Flash, SessionError>
  /**
   * Gives the session another id, and the identity of who has proved to be someone; the data stays. There is no other way to an identity.
   * `remember` keeps it when the browser is closed, and for the times of the option `remember`.
   */
  readonly rotate: (
    ...args: [Id] extends [never]
      ? [none?: "This session knows no identity: declare `identity`, a schema, in Session.Service"]
      : [identity: Id, options?: { readonly remember?: boolean }]
  ) => Effect.Effect<void, SessionError>
  /** Forgets everything, the identity too, and the cookie: the logout. What is set after it begins another session. */
  readonly invalidate: Effect.Effect<void, SessionError>
  /**
   * Waits until another request ends the session or gives it another id, for a WebSocket or a stream that must not outlive a logout: at
   * once in this process; where another has ended it, or its time is over, within 30 seconds, by asking the store. Of sessions in cookies
   * other processes tell nothing. It never ends for who has no session.
   */
  readonly ended: Effect.Effect<void>
}

/** The fields of a session's data, and of its messages: schemas that decode and encode at once, without services. */
export interface Fields {
  readonly [name: PropertyKey]: Schema.ConstraintCodec<unknown, unknown>
}

/** A step from the data of one version to that of the next. */
export interface Migration<From, To> {
  readonly fields: Fields
  readonly to: (old: From) => To
}

/** What a session is made of. */
export interface Definition<F extends Fields, Id, Flash extends Fields, M extends ReadonlyArray<unknown>> {
  readonly fields: F
  /** The data of a new session. A session that has it, no identity and no messages is not kept. */
  readonly empty: NoInfer<Schema.Struct.Type<F>>
  /** Who can log in. */
  readonly identity?: Schema.ConstraintCodec<Id, unknown>
  /** The messages that can be left for the next request. */
  readonly flash?: Flash
  /** The version of the data; one more than there are migrations unless given. A session of a later version is a new one. */
  readonly version?: number
  /** From older versions to this one, the oldest first: `Session.migration(fields, to)` each. */
  readonly migrations?: M & Chain<M, Schema.Struct.Type<F>>
}

// Each migration gives what the next one takes, the last one the data.
type Chain<M extends ReadonlyArray<unknown>, A> = {
  readonly [K in keyof M]: Migration<
    M[K] extends Migration<infer From, unknown> ? From : never,
    Targets<M, A>[K & keyof Targets<M, A>]
  >
}
type Targets<M extends ReadonlyArray<unknown>, A> = M extends readonly [unknown, ...infer Rest]
  ? [...{ [K in keyof Rest]: Rest[K] extends Migration<infer From, unknown> ? From : never }, A]
  : ReadonlyArray<unknown>

/** The class of a kind of session: a service. */
export interface Class<Self, Key extends string, A, Id, Flash>
  extends Context.ServiceClass<Self, Key, Session<A, Id, Flash>> {
  readonly definition: AnyDefinition
}

/** Makes the class of a kind of session. Throws a TypeError for versions that do not fit, and for an `empty` that is no data. */
export const Service =
  <Self = never>() =>
  <
    const Key extends string,
    F extends Fields,
    Id = never,
    Flash extends Fields = {},
    const M extends ReadonlyArray<unknown> = readonly []
  >(
    key: Key,
    definition: Definition<F, Id, Flash, M>
  ): [Self] extends [never]
    ? "Missing `Self`: class X extends Session.Service<X>()(...)"
    : Class<Self, Key, Schema.Struct.Type<F>, Id, Partial<Schema.Struct.Type<Flash>>> => {
    // The chain of migrations is checked by its type.
    const own = definition as unknown as AnyDefinition
    compile(key, own)
    // The Self of the caller cannot be named inside; the return type states what is built.
    return Object.assign(Context.Service<never, unknown>()(key), { definition: own }) as never
  }

/** A migration, from data of these fields to what the next version has. What it throws makes the session a new one. */
export const migration = <F extends Fields, To>(
  fields: F,
  to: (old: Schema.Struct.Type<F>) => To
): Migration<Schema.Struct.Type<F>, To> => ({
  fields,
  to
})

/** Sessions in cookies; see `cookie`. */
export interface CookieStore<out E = SessionError> {
  readonly _tag: "CookieStore"
  readonly keys: KeyRing
  readonly "~E"?: E
}

/**
 * Keeps sessions in the browser, encrypted: nothing to run and nothing to clean up. At most some 5 KB of JSON, and the last answer wins.
 * What a logout ends stays good for who has copied the cookie before, until it has been idle for too long.
 *
 * @errors SessionError (500) when it does not fit
 * @source aiohttp_session.cookie_storage.EncryptedCookieStorage
 */
export const cookie = (options: { readonly keys: KeyRing }): CookieStore => ({ _tag: "CookieStore", ...options })

/** How long sessions live. */
export interface Times {
  /** How long without a request that asks for it; 2 hours. It is counted from the last save, at most a quarter of it before. */
  readonly idleTimeout?: Duration.Input
  /** How long in all, from its beginning or its login on; 1 day. */
  readonly maxAge?: Duration.Input
}

/** How sessions are kept. */
export interface Options<E, R> extends Times {
  /** `RecordStore.memory()`, `.redis()`, `.sql()`, one of your own, or `Session.cookie({ keys })`. */
  readonly store: RecordStore<E, R> | CookieStore<E>
  readonly cookie?: Cookies.Options
  /** The times of who wanted to be remembered: 14 and 30 days. */
  readonly remember?: Times
}

/**
 * Makes the middleware that gives handlers their session.
 *
 * The cookie is `__Host-session; Secure; HttpOnly; SameSite=Lax; Path=/`, and plainly `session` for http on this machine. An answer whose
 * handler has asked has `Vary: Cookie` and, unless it says otherwise, `Cache-Control: private, no-cache`; one that sets the cookie is
 * never `public`. A cookie that is broken, forged, too old or unknown stands for a new session, and a line in the log at debug.
 *
 * @errors the failures of the store; SessionError (500) when a session does not fit into cookies
 * @source aiohttp_session.setup
 */
export const make = <Self, Key extends string, A, Id, Flash, E = never, R = never>(
  service: Class<Self, Key, A, Id, Flash>,
  options: Options<E, R>
): Middleware<Self, E, R> => {
  const { definition, key } = service
  const { store } = options
  const jar = Cookies.make(options.cookie ?? {})
  const usual = limits(key, options, "2 hours", "1 day")
  const remembered = limits(key, options.remember ?? {}, "14 days", "30 days")
  const plan: Plan = {
    codec: compile(key, definition),
    jar,
    endings: new Endings(),
    turns: new Turns(),
    keeper: "_tag" in store ? inCookie(key, store.keys, jar.capacity) : inRecords(key, store),
    limits: ({ remember }) => (remember ? remembered : usual)
  }
  // The service is given under its own key, and what the store fails with is passed on.
  const middleware = Passage.middleware(step(plan, service as unknown as Context.Key<unknown, unknown>))
  return ("_tag" in store ? Object.assign(middleware, { errors: [SessionError] }) : middleware) as Middleware<
    Self,
    E,
    R
  >
}

const limits = (name: string, { idleTimeout, maxAge }: Times, idle: Duration.Input, whole: Duration.Input): Limits => {
  const found = { idle: Duration.toMillis(idleTimeout ?? idle), whole: Duration.toMillis(maxAge ?? whole) }
  // Who has said nothing of its whole time has not meant it to be the shorter one
  if (maxAge === undefined && found.idle > found.whole && Number.isFinite(found.idle)) {
    const [longer, shorter] = [found.idle, found.whole].map((each) => Duration.format(Duration.millis(each)))
    throw new TypeError(
      `Session "${name}": an idleTimeout of ${longer} is longer than its maxAge of ${shorter}; give a longer maxAge too`
    )
  }
  if (found.idle > 0 && found.whole > 0 && Number.isFinite(found.whole)) return found
  throw new TypeError(`Session "${name}": a session needs an idleTimeout and a maxAge above 0, and a maxAge that ends`)
}
