/**
 * Redis for rooms, when it is there and when it is not: no command fails, and none waits for long.
 *
 * ```ts
 * const reply = yield* run({ op: "beat", room: '"lobby"' }) // undefined when Redis cannot be reached
 * ```
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import { type Command, type Process, script } from "./script.ts"

/** A connection that may be down. */
export interface Connection {
  /** The reply, which is never undefined; undefined while Redis is down. */
  readonly run: (command: Command) => Effect.Effect<unknown>
  /** Looks whether Redis is there again; true where it is up. */
  readonly revive: Effect.Effect<boolean>
  /** Takes note of a failure elsewhere. */
  readonly failed: (cause: unknown) => Effect.Effect<undefined>
}

/** A command that takes longer has failed. */
const patience = Duration.seconds(2)

/** Loads the script; fails when Redis cannot be reached now. */
export const make = Effect.fnUntraced(function* (
  own: Process
): Effect.fn.Return<Connection, Redis.RedisError, Redis.Redis> {
  const redis = yield* Redis.Redis
  const evaluate = redis.eval(script)
  let isDown = false
  yield* evaluate(own, { op: "none", room: "" })

  const failed = (cause: unknown): Effect.Effect<undefined> => {
    if (isDown) return Effect.undefined
    isDown = true
    const text = "Redis cannot be reached: rooms go on, each process for itself"
    return Effect.as(Effect.logWarning(text, cause), undefined)
  }
  const attempt = <A>(effect: Effect.Effect<A, unknown>): Effect.Effect<A | undefined> =>
    Effect.catch(Effect.timeout(effect, patience), failed)

  return {
    failed,
    run: (command) => Effect.suspend(() => (isDown ? Effect.undefined : attempt(evaluate(own, command)))),
    revive: Effect.gen(function* () {
      if (!isDown) return true
      if ((yield* attempt(redis.send("PING"))) === undefined) return false
      isDown = false
      yield* Effect.logInfo("Redis can be reached again")
      return true
    })
  }
})
