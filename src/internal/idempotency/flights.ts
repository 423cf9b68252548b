/**
 * Requests that come several times: one is carried out, and the others of this process wait for what it comes to.
 *
 * ```ts
 * const response = yield* flights.run({ key, fingerprint }, handler)
 * ```
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type { Handler } from "../../Handler.ts"
import type { RecordStore } from "../../RecordStore.ts"
import * as Answer from "./answer.ts"
import * as Claims from "./claims.ts"
import type * as Failure from "./failure.ts"

type Failed = Failure.KeyReused | Failure.InProgress | Failure.NotKept

interface Flight {
  readonly fingerprint: string
  /** What is kept of it; undefined when it did not come to an end. */
  readonly landed: Deferred.Deferred<Answer.Kept | undefined>
}

/** Runs a handler, or gives what it came to before. */
export interface Flights<E, R> {
  readonly run: <E2, R2>(
    call: Claims.Call,
    handler: Handler<E2, R2>
  ) => Effect.Effect<HttpServerResponse, E | E2 | Failed, R | R2>
}

/** The flights of a server. */
export const make = <E, R>(store: RecordStore<E, R>, times: Claims.Times, rules: Answer.Rules): Flights<E, R> => {
  const flights = new Map<string, Flight>()
  const claims = Claims.make(store, times)

  const board = <E2, R2>(
    call: Claims.Call,
    handler: Handler<E2, R2>,
    deadline: number
  ): Effect.Effect<HttpServerResponse, E | E2 | Failed, R | R2> =>
    Effect.gen(function* () {
      for (;;) {
        const flight = flights.get(call.key)
        if (flight === undefined) return yield* lead(call, handler, deadline)
        if (flight.fingerprint !== call.fingerprint) return yield* Claims.reused()
        const left = Math.max(0, deadline - (yield* Clock.currentTimeMillis))
        const landed = yield* Effect.timeoutOption(Deferred.await(flight.landed), Duration.millis(left))
        if (Option.isNone(landed)) return yield* Claims.inProgress()
        if (landed.value !== undefined) return yield* Answer.replay(landed.value, rules)
      }
    })

  const lead = <E2, R2>(call: Claims.Call, handler: Handler<E2, R2>, deadline: number) =>
    Effect.uninterruptibleMask((restore) => {
      const flight: Flight = { fingerprint: call.fingerprint, landed: Deferred.makeUnsafe() }
      flights.set(call.key, flight)
      let kept: Answer.Kept | undefined
      const land = Effect.suspend(() => {
        flights.delete(call.key)
        return Deferred.succeed(flight.landed, kept)
      })
      const fly = Effect.gen(function* () {
        const claimed = yield* claims.claim(call, deadline, restore)
        if (typeof claimed !== "string") {
          kept = claimed
          return yield* Answer.replay(claimed, rules)
        }
        const stop = yield* claims.hold(call, claimed)
        const exit = yield* Effect.exit(restore(handler))
        const version = yield* stop
        kept = yield* Answer.keep(exit, rules)
        yield* claims.settle(call, version, kept)
        return yield* exit
      })
      return Effect.ensuring(fly, land)
    })

  return {
    run: (call, handler) => Effect.flatMap(Clock.currentTimeMillis, (now) => board(call, handler, now + times.wait))
  }
}
