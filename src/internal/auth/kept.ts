/**
 * What somebody else publishes, kept for a while: asked for once at a time, and not again before a cooldown is over.
 *
 * ```ts
 * const keys = kept(fetchKeys, { cacheFor: "10 minutes", cooldown: "30 seconds", timeout: "5 seconds", text: "Nobody answers" })
 * const found = yield* keys.get
 * ```
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { ServiceUnavailable } from "../../HttpError.ts"

/** How long it is kept and how often it is asked for. */
export interface Options {
  readonly cacheFor: Duration.Input
  readonly cooldown: Duration.Input
  readonly timeout: Duration.Input
  /** What the client is told when there is no answer. */
  readonly text: string
}

/** What is kept. */
export interface Kept<A> {
  /** What is known, or the answer when it is too old. */
  readonly get: Effect.Effect<A, ServiceUnavailable>
  /** Asks again; fails when it was asked a moment ago. */
  readonly renew: Effect.Effect<A, ServiceUnavailable>
}

// How long what is old counts while there is no answer.
const grace = Duration.toMillis("1 hour")

/** Keeps the answer of an effect. Only the failure of the one who asked has a cause: the others come too often for a log. */
export const kept = <A>(ask: Effect.Effect<A, unknown>, options: Options): Kept<A> => {
  const cacheFor = Duration.toMillis(options.cacheFor)
  const cooldown = Duration.toMillis(options.cooldown)
  let known: { readonly value: A; readonly at: number } | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Deferred.Deferred<A, ServiceUnavailable> | undefined

  const unavailable = (more?: { readonly cause: unknown }) =>
    new ServiceUnavailable({ text: options.text, retryAfter: cooldown, ...more })

  const asked = ask.pipe(
    Effect.timeout(options.timeout),
    Effect.mapError((cause) => unavailable({ cause }))
  )

  // Who leaves between the note that it is asked for and the asking would have all others wait for ever.
  const renewed = (now: number): Effect.Effect<A, ServiceUnavailable> =>
    Effect.uninterruptibleMask((restore) => {
      if (asking !== undefined) return restore(Deferred.await(asking))
      if (now - askedAt < cooldown) return Effect.fail(unavailable())
      askedAt = now
      const answer = Deferred.makeUnsafe<A, ServiceUnavailable>()
      asking = answer
      const end = (exit: Exit.Exit<A, ServiceUnavailable>) =>
        Effect.suspend(() => {
          if (exit._tag === "Success") known = { value: exit.value, at: now }
          // Without a word nobody would know before all requests fail
          const isTold = exit._tag === "Failure" && known !== undefined
          const told = isTold ? Effect.logWarning(`${options.text}: what is known counts on`, exit.cause) : Effect.void
          const done = Effect.sync(() => {
            asking = undefined
            Deferred.doneUnsafe(answer, exit)
          })
          return Effect.ensuring(told, done)
        })
      // The fiber that asks is nobody's: who leaves while it does takes nothing from the others.
      return Effect.andThen(Effect.forkDetach(Effect.onExit(asked, end)), restore(Deferred.await(answer)))
    })

  const current = (now: number): Effect.Effect<A, ServiceUnavailable> => {
    const old = known
    if (old === undefined) return renewed(now)
    if (now - old.at < cacheFor) return Effect.succeed(old.value)
    return Effect.catch(renewed(now), (error) =>
      now - old.at < cacheFor + grace ? Effect.succeed(old.value) : Effect.fail(error)
    )
  }
  return {
    get: Effect.flatMap(Clock.currentTimeMillis, current),
    renew: Effect.flatMap(Clock.currentTimeMillis, renewed)
  }
}
