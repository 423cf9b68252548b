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
import * as HttpError from "../../../HttpError.ts"
import type { Algorithm } from "../../../internal/secrets/phc.ts"

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
    Effect.uninterruptibleMask((restore): Effect.Effect<A, E | HttpError.ServiceUnavailable, R> => {
      if (inside >= running + waiting) {
        const text = "Too many passwords are being checked; try again in a moment"
        return Effect.fail(new HttpError.ServiceUnavailable({ text, retryAfter: "1 second" }))
      }
      inside++
      return Effect.ensuring(restore(semaphore.withPermits(1)(effect)), leave)
    })
}

/** What is asked of node:crypto; Argon2 is there since 24.7, where OpenSSL has it. */
export interface NodeCrypto {
  readonly argon2: typeof Crypto.argon2 | undefined
  readonly argon2Sync: typeof Crypto.argon2Sync | undefined
  readonly scrypt: typeof Crypto.scrypt
}

/** Derives the bytes of a hash. An algorithm that is not there is a defect. */
export const deriver = ({ argon2, scrypt }: NodeCrypto, inTurn: ReturnType<typeof bounded>) => {
  const start = (algorithm: Algorithm, message: string, nonce: Uint8Array, tagLength: number, done: Done): void => {
    const { parallelism } = algorithm
    if (algorithm._tag === "Scrypt") {
      const { blockSize: r, logCost } = algorithm
      const N = 2 ** logCost
      scrypt(message, nonce, tagLength, { N, r, p: parallelism, maxmem: 128 * r * (N + parallelism + 2) + 1024 }, done)
    } else if (argon2 === undefined) done(new Error(MISSING), nonce)
    else {
      const { memory, passes } = algorithm
      argon2("argon2id", { message, nonce, memory, passes, parallelism, tagLength }, done)
    }
  }
  return (algorithm: Algorithm, password: string, salt: Uint8Array, length: number) =>
    inTurn(
      // The memory is taken until the thread is done, whoever still waits for it
      Effect.uninterruptible(
        Effect.callback<Uint8Array>((resume) =>
          start(algorithm, password, salt, length, (error, bytes) =>
            resume(error === null ? Effect.succeed(bytes) : Effect.die(error))
          )
        )
      )
    )
}

/** As this Node does it. */
export const derive = deriver(Crypto, bounded(RUNNING, WAITING))

/** Whether there is Argon2id. */
export const hasArgon2id = ({ argon2Sync }: NodeCrypto = Crypto): boolean => {
  const costs = { message: "", nonce: new Uint8Array(8), memory: 8, passes: 1, parallelism: 1, tagLength: 4 }
  try {
    return argon2Sync?.("argon2id", costs).length === 4
  } catch {
    return false
  }
}

type Done = (error: Error | null, bytes: Uint8Array) => void

const MISSING = "A password is hashed by Argon2id, which this Node does not have; 24.7 and later do"
