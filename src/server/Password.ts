/**
 * Passwords: hashed slowly, compared in constant time, hashed again when a stored hash has become weak.
 *
 * ```ts
 * const user = yield* findUser(login)
 * const isRight = yield* Password.verify(password, user?.hash) // takes as long when there is none
 * if (user === undefined || !isRight) return yield* new HttpError.Unauthorized({})
 * if (yield* Password.needsRehash(user.hash)) yield* store(user.id, yield* Password.hash(password))
 * ```
 *
 * Hashes are PHC strings: Argon2id where Node has it (24.7 and later), else scrypt, at OWASP's costs. Passwords are taken in
 * Unicode's form NFKC, as keyboards differ in how they write "é"; nothing is trimmed. Above 1 KiB they are refused at once.
 * Two are hashed at a time in a process (at most 2 * 32 MiB), 64 wait; who comes then is answered 503.
 *
 * @source aiohttp-security's examples with passlib: aiohttp has none
 * @spec RFC 9106; RFC 7914; NIST SP 800-63B §3.1.1.2; OWASP Password Storage Cheat Sheet
 */
import * as Crypto from "node:crypto"
import type * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as HttpError from "../HttpError.ts"
import * as ByteLimit from "../internal/byteLimit.ts"
import * as Phc from "../internal/secrets/phc.ts"
import { derive, hasArgon2id } from "./internal/crypto/passwordHash.ts"

export type { Argon2id, Scrypt } from "../internal/secrets/phc.ts"

/** The password has more than 1024 bytes in UTF-8. */
export class TooLong extends HttpError.define<TooLong>()("PasswordTooLong", { status: 422 }) {}

/**
 * Argon2id with costs: 19 MiB, 2 passes, 1 lane unless given. Throws a TypeError above 256 MiB, and above 1 GiB over all passes.
 *
 * @spec RFC 9106
 */
export const argon2id = (
  options: { readonly memory?: ByteSize.Input; readonly passes?: number; readonly parallelism?: number } = {}
): Phc.Argon2id => {
  const { parallelism = 1, passes = 2 } = options
  const memory = options.memory === undefined ? 19 * 1024 : Number(ByteLimit.parse(options.memory)) / 1024
  return checked({ _tag: "Argon2id", memory, passes, parallelism })
}

/**
 * scrypt with costs: N = 2^15, r = 8, p = 3 unless given, which take 32 MiB. Throws a TypeError above 256 MiB.
 *
 * @spec RFC 7914
 */
export const scrypt = (
  options: { readonly logCost?: number; readonly blockSize?: number; readonly parallelism?: number } = {}
): Phc.Scrypt => checked({ _tag: "Scrypt", logCost: 15, blockSize: 8, parallelism: 3, ...options })

/** How passwords are hashed from now on: `argon2id()` where Node has it, else `scrypt()`, unless provided. */
export const Algorithm = Context.Reference<Phc.Argon2id | Phc.Scrypt>("effect-web/Password/Algorithm", {
  defaultValue: () => (hasArgon2id() ? argon2id() : scrypt())
})

/**
 * Hashes a password with a salt of its own, for storing.
 *
 * @errors TooLong (422) above 1 KiB, ServiceUnavailable (503) when too many are being hashed
 */
export const hash = Effect.fnUntraced(function* (
  password: Redacted.Redacted
): Effect.fn.Return<string, TooLong | HttpError.ServiceUnavailable> {
  const text = normal(password)
  if (text === undefined) return yield* new TooLong({ text: `The password is longer than ${MAX_BYTES} bytes` })
  const algorithm = yield* Algorithm
  const salt = Crypto.randomBytes(SALT_BYTES)
  return Phc.format({ algorithm, salt, hash: yield* derive(algorithm, text, salt, HASH_BYTES) })
})

/**
 * Whether it is the password of a stored hash. Pass `undefined` where there is no user: it takes as long, so that nobody learns
 * from the time who has an account. A stored text that is no hash, or that asks for more than 256 MiB, fits no password, and is
 * logged as a warning; one by an algorithm that this Node does not have is a defect. Above 1 KiB no password is right.
 *
 * @errors ServiceUnavailable (503) when too many are being hashed
 */
export const verify = Effect.fnUntraced(function* (
  password: Redacted.Redacted,
  stored: string | undefined
): Effect.fn.Return<boolean, HttpError.ServiceUnavailable> {
  const text = normal(password)
  if (text === undefined) return false
  const phc = stored === undefined ? undefined : Phc.parse(stored)
  if (phc === undefined) {
    if (stored !== undefined) yield* Effect.logWarning("A stored password hash cannot be read, or costs too much")
    yield* derive(yield* Algorithm, text, new Uint8Array(SALT_BYTES), HASH_BYTES)
    return false
  }
  const found = yield* derive(phc.algorithm, text, phc.salt, phc.hash.length)
  return Crypto.timingSafeEqual(found, phc.hash)
})

/** Whether a stored hash took less memory or less work than those of `Algorithm`: then hash the password again, when it was right. */
export const needsRehash = (stored: string): Effect.Effect<boolean> =>
  Effect.map(Algorithm, (wanted) => {
    const phc = Phc.parse(stored)
    if (phc === undefined || phc.salt.length < SALT_BYTES || phc.hash.length < HASH_BYTES) return true
    const { algorithm } = phc
    if (algorithm._tag !== wanted._tag) return wanted._tag === "Argon2id"
    return memory(algorithm) < memory(wanted) || work(algorithm) < work(wanted)
  })

const MAX_BYTES = 1024
const SALT_BYTES = 16
const HASH_BYTES = 32

// The length is looked at first: what is refused costs nothing
const normal = (password: Redacted.Redacted): string | undefined => {
  const text = Redacted.value(password)
  return text.length <= MAX_BYTES && Buffer.byteLength(text) <= MAX_BYTES ? text.normalize("NFKC") : undefined
}

const memory = (costs: Phc.Algorithm): number =>
  costs._tag === "Argon2id" ? costs.memory : 2 ** costs.logCost * costs.blockSize
// How often the memory is gone through: one pass over more of it may be as good as two (OWASP's table of equal costs).
const work = (costs: Phc.Algorithm): number =>
  memory(costs) * (costs._tag === "Argon2id" ? costs.passes : costs.parallelism)

const checked = <A extends Phc.Algorithm>(algorithm: A): A => {
  const problem = Phc.problem(algorithm)
  if (problem === undefined) return algorithm
  throw new TypeError(`${algorithm._tag} cannot be used with these costs: ${problem}`)
}
