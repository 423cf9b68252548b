/**
 * A session in the course of a request: read when it is first asked for, changed by functions that can be applied again.
 *
 * ```ts
 * const live = new Live(plan, passage)
 * yield* live.change((state) => ({ ...state, data }))
 * ```
 *
 * Nothing is parsed, decrypted or loaded before. A failure of the store is a defect here; the middleware makes it a failure again.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Passage } from "../exchange/passage.ts"
import { sha256 } from "../secrets/sha256.ts"
import type * as Cookies from "./cookies.ts"
import type { Endings } from "./endings.ts"
import { SessionError } from "./failure.ts"
import { frozen } from "./frozen.ts"
import { type Found, type Keeper, Nothing, newId } from "./keeper.ts"
import type { Codec, State } from "./state.ts"
import type { Turns } from "./turns.ts"

/** How long a session lives, in milliseconds. */
export interface Limits {
  readonly idle: number
  readonly whole: number
}

/** What all sessions of a kind have in common. */
export interface Plan {
  readonly codec: Codec
  readonly keeper: Keeper<unknown, unknown>
  readonly jar: Cookies.Jar
  readonly limits: (state: State) => Limits
  readonly endings: Endings
  readonly turns: Turns
}

/** A change to a session; applied again when another request was faster. */
export type Change = (state: State) => State

/** A session that was read: where it is kept, if it is, and its state. */
interface Read {
  readonly found: Found | undefined
  /** It goes on under another id. */
  readonly moved: boolean
  readonly state: State
}

/** The session of a request. */
export class Live {
  readonly plan: Plan
  readonly passage: Passage
  /** Undefined until something was asked for. */
  base: Read | undefined = undefined
  state: State | undefined = undefined
  /** The id that it is to have. */
  id: string | undefined = undefined
  changes: Array<Change> = []
  rotates = false
  /** What was invalidated, to be removed. */
  dropped: Array<Found> = []
  ended = false
  /** Nothing more is saved. */
  over = false
  /** The store failed with it. */
  failure: { readonly error: unknown } | undefined = undefined
  /** What this request has taken of the messages that were left for it. */
  taken: State["flash"] | undefined = undefined
  /** The names of the messages that this request leaves. */
  readonly left = new Set<string>()

  constructor(plan: Plan, passage: Passage) {
    this.plan = plan
    this.passage = passage
  }

  get request(): HttpServerRequest {
    return this.passage.request
  }

  /** The services that the middleware has around it, and gives. */
  get context(): Context.Context<never> {
    return this.passage.context
  }

  /** The state as it is now. */
  get current(): Effect.Effect<State> {
    return Effect.withFiber((fiber) =>
      this.state === undefined ? this.load(fiber.context) : Effect.succeed(this.state)
    )
  }

  /** Changes the state; not once the answer is on its way. */
  change(f: Change): Effect.Effect<State, SessionError> {
    return Effect.flatMap(this.current, (state) => {
      if (this.over) return sent
      this.state = f(state)
      this.changes.push(f)
      if (this.base?.found === undefined) this.id ??= newId()
      return Effect.succeed(this.state)
    })
  }

  /** Changes the state, and the id with it. */
  rotate(f: Change): Effect.Effect<State, SessionError> {
    return Effect.tap(this.change(f), () => {
      this.rotates = true
      this.id = newId()
      return Effect.void
    })
  }

  /** Ends the session; what comes after begins another one. */
  get end(): Effect.Effect<void, SessionError> {
    return Effect.flatMap(Effect.andThen(this.current, Clock.currentTimeMillis), (now) => {
      if (this.over) return sent
      if (this.base?.found !== undefined) this.dropped.push(this.base.found)
      const state = this.plan.codec.fresh(now)
      this.base = { found: undefined, moved: false, state }
      this.state = state
      this.id = undefined
      this.changes = []
      this.rotates = false
      this.taken = {}
      this.left.clear()
      this.ended = true
      return Effect.void
    })
  }

  /**
   * A text of this login alone; "" while there is none, so that what a visitor was given stays good when a session begins. Where a
   * session knows no identity, nobody can tell a login: a text of this session alone.
   */
  get binding(): Effect.Effect<string> {
    return Effect.flatMap(this.current, ({ identity }) => {
      if (identity === undefined && this.plan.codec.knowsIdentity) return Effect.succeed("")
      const id = this.id ?? this.base?.found?.id
      return id === undefined ? Effect.succeed("") : sha256(`binding ${id}`)
    })
  }

  private load(context: Context.Context<never>): Effect.Effect<State> {
    return Effect.mapEager(this.readAt(context), (read) => {
      // Of two fibers that ask at once the first to be answered decides.
      this.base ??= read
      this.state ??= this.base.state
      return this.state
    })
  }

  /** What is kept now. */
  get read(): Effect.Effect<Read> {
    return Effect.withFiber((fiber) => this.readAt(fiber.context))
  }

  // An Exit where nothing has to be asked.
  private readAt(context: Context.Context<never>): Effect.Effect<Read> {
    const { jar, keeper } = this.plan
    const now = Context.get(context, Clock.Clock).currentTimeMillisUnsafe()
    const cookie = jar.read(this.request)
    if (cookie === undefined || cookie === "") return Effect.succeed(this.none(now))
    const known = keeper.known?.(cookie)
    if (known !== undefined) return this.accept(known, now)
    return Effect.flatMap(this.stored(keeper.find(cookie)), (found) => this.accept(found, now))
  }

  private accept(found: Found | "moved" | Nothing, now: number): Effect.Effect<Read> {
    if (found === "moved") return Effect.succeed({ ...this.none(now), moved: true })
    if (found instanceof Nothing) return this.refused(found.why, now)
    const state = this.decode(found, now)
    return typeof state === "string" ? this.refused(state, now) : Effect.succeed({ found, moved: false, state })
  }

  private refused(why: string, now: number): Effect.Effect<Read> {
    return Effect.as(Effect.logDebug(`A session was not accepted: ${why}`), this.none(now))
  }

  private decode(found: Found, now: number): State | string {
    const state = found.state ?? this.plan.codec.decode(found.text)
    if (typeof state === "string") return state
    if (found.state === undefined && frozen(state)) found.state = state
    const { idle, whole } = this.plan.limits(state)
    if (now - state.touched >= idle) return "It was idle for too long"
    return now - state.created >= whole ? "It is too old" : state
  }

  private none(now: number): Read {
    return { found: undefined, moved: false, state: this.plan.codec.fresh(now) }
  }

  /**
   * Gives the store what the middleware has around it. A transaction that was begun further in stays, as long as the handler runs: on a
   * connection of its own the store would wait for the one that waits for it.
   */
  provided<A>(effect: Effect.Effect<A, unknown, unknown>): Effect.Effect<A, unknown> {
    return Effect.updateContext(effect as Effect.Effect<A, unknown>, (current: Context.Context<never>) =>
      this.over || current === this.context ? this.context : Context.merge(current, this.context)
    )
  }

  /** Asks the store. Its failure is remembered, so that it can be told from any other defect. */
  stored<A>(effect: Effect.Effect<A, unknown, unknown>): Effect.Effect<A> {
    return Effect.catch(this.provided(effect), (error) => {
      this.failure = { error }
      return Effect.die(error)
    })
  }
}

const sent = Effect.suspend(() =>
  Effect.fail(new SessionError({ reason: "sent", cause: "It was changed when the handler had ended" }))
)
