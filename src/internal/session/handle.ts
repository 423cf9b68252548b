/**
 * A session as a handler sees it.
 *
 * ```ts
 * const visit = yield* Visit
 * const { count } = yield* visit.update((v) => ({ count: v.count + 1 }))
 * ```
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Session } from "../../Session.ts"
import { ended } from "./endings.ts"
import type { SessionError } from "./failure.ts"
import type { Live } from "./live.ts"
import type { State } from "./state.ts"

type Any = Session<unknown, unknown, Readonly<Record<string, unknown>>>

/** What the service of a session is. Getters: a request makes only what it uses, and each function stands without its object. */
export class Handle implements Any {
  // Hidden: who logs a session does not log its cookie.
  readonly #live: Live

  constructor(live: Live) {
    this.#live = live
  }

  get get(): Effect.Effect<unknown> {
    return Effect.map(this.#live.current, ({ data }) => data)
  }

  get isNew(): Effect.Effect<boolean> {
    return Effect.map(this.#live.current, () => this.#live.base?.found === undefined)
  }

  get identity(): Effect.Effect<Option.Option<unknown>> {
    return Effect.map(this.#live.current, ({ identity }) =>
      identity === undefined ? Option.none() : Option.some(identity.value)
    )
  }

  get flashed(): Effect.Effect<State["flash"], SessionError> {
    const live = this.#live
    return Effect.flatMap(live.current, () => {
      if (live.taken !== undefined) return Effect.succeed(live.taken)
      const left = live.base?.state.flash ?? {}
      const names = Object.keys(left)
      if (names.length === 0) return Effect.succeed(left)
      const gone = names.filter((name) => !live.left.has(name))
      return Effect.map(
        live.change((state) => ({ ...state, flash: without(state.flash, gone) })),
        () => {
          live.taken = left
          return left
        }
      )
    })
  }

  get ended(): Effect.Effect<void> {
    return ended(this.#live)
  }

  get invalidate(): Effect.Effect<void, SessionError> {
    return this.#live.end
  }

  get set() {
    return (data: unknown): Effect.Effect<void, SessionError> =>
      Effect.asVoid(this.#live.change((state) => ({ ...state, data })))
  }

  get update() {
    return (f: (data: unknown) => unknown): Effect.Effect<unknown, SessionError> =>
      Effect.map(
        this.#live.change((state) => ({ ...state, data: f(state.data) })),
        ({ data }) => data
      )
  }

  get flash() {
    const live = this.#live
    return (messages: State["flash"]): Effect.Effect<void, SessionError> =>
      Effect.map(
        live.change((state) => ({ ...state, flash: { ...state.flash, ...messages } })),
        () => {
          for (const name of Object.keys(messages)) live.left.add(name)
        }
      )
  }

  get rotate() {
    return (...[value, options]: [identity?: unknown, options?: RotateOptions]): Effect.Effect<void, SessionError> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const { remember = false } = options ?? {}
        // A new identity has its whole time before it.
        const begun = value === undefined ? undefined : { identity: { value }, remember, created: now }
        return Effect.asVoid(this.#live.rotate((state) => ({ ...state, ...begun })))
      })
  }
}

interface RotateOptions {
  readonly remember?: boolean
}

const without = (flash: State["flash"], names: ReadonlyArray<string>): State["flash"] =>
  Object.fromEntries(Object.entries(flash).filter(([name]) => !names.includes(name)))
