/**
 * Hashes of passwords on the threads of node:crypto: two at a time, a bounded number in line.
 *
 * ```ts
 * const hash = yield* derive(algorithm, password, salt, 32)
 * ```
 *
 * @spec RFC 9106; RFC 7914
 */
import * as Crypto from "node:crypto"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as HttpError from "../../HttpError.ts"
import type { Algorithm, Argon2id, Scrypt } from "../../internal/phc.ts"

/** So many run at a time in the process: of Node's four threads two are left to files and names. */
export const RUNNING = 2

/** So many wait; who comes then is sent away, before he waits for longer than anybody does. */
export const WAITING = 64

/** Runs few at a time, lets some wait, and fails with ServiceUnavailable (503) beyond. Who is interrupted leaves the line. */
export const bounded = (running: number, waiting: number) => {
  const semaphore = Semaphore.makeUnsafe(running)
  let inside = 0
  const leave = Effect.sync(() => {
    inside--
  })
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | HttpError.ServiceUnavailable, R> =>
    Effect.suspend((): Effect.Effect<A, E | HttpError.ServiceUnavailable, R> => {
      if (inside >= running + waiting) {
        const text = "Too many passwords are being checked; try again in a moment"
        return Effect.fail(new HttpError.ServiceUnavailable({ text, retryAfter: "1 second" }))
      }
      inside++
      return Effect.ensuring(semaphore.withPermits(1)(effect), leave)
    })
}

const inTurn = bounded(RUNNING, WAITING)

/** Derives the bytes of a hash. An algorithm that this Node does not have is a defect. */
export const derive = (algorithm: Algorithm, password: string, salt: Uint8Array, length: number) =>
  inTurn(
    // The memory is taken until the thread is done, whoever still waits for it
    Effect.uninterruptible(
      Effect.callback<Uint8Array>((resume) => {
        const done = (error: Error | null, bytes: Uint8Array): void =>
          resume(error === null ? Effect.succeed(bytes) : Effect.die(error))
        if (algorithm._tag === "Argon2id") argon2id(algorithm, password, salt, length, done)
        else scrypt(algorithm, password, salt, length, done)
      })
    )
  )

type Done = (error: Error | null, bytes: Uint8Array) => void

const argon2id = (costs: Argon2id, message: string, nonce: Uint8Array, tagLength: number, done: Done): void => {
  const { memory, parallelism, passes } = costs
  if (hasArgon2id()) Crypto.argon2("argon2id", { message, nonce, memory, passes, parallelism, tagLength }, done)
  else done(new Error("A password is hashed by Argon2id, which this Node does not have; 24.7 and later do"), nonce)
}

const scrypt = (costs: Scrypt, password: string, salt: Uint8Array, length: number, done: Done): void => {
  const { blockSize: r, logCost, parallelism: p } = costs
  const N = 2 ** logCost
  Crypto.scrypt(password, salt, length, { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 }, done)
}

let known: boolean | undefined

/** Whether this Node has it: since 24.7, where its OpenSSL does. */
export const hasArgon2id = (): boolean => {
  known ??= attempt()
  return known
}

const attempt = (): boolean => {
  const costs = { message: "", nonce: new Uint8Array(8), memory: 8, passes: 1, parallelism: 1, tagLength: 4 }
  try {
    return Crypto.argon2Sync("argon2id", costs).length === 4
  } catch {
    return false
  }
}
