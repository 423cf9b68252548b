/**
 * Keys on node:crypto: without a promise, so that to open a session costs microseconds.
 *
 * ```ts
 * const base = Context.make(Sealing, nodeSealing)
 * ```
 */
import * as Crypto from "node:crypto"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { DERIVED_BYTES, type Key, NONCE_BYTES, type Sealing, TAG_BYTES, toId } from "../../internal/sealing.ts"

const derive = (secret: Uint8Array, purpose: string): Key => {
  const derived = new Uint8Array(Crypto.hkdfSync("sha256", secret, new Uint8Array(), purpose, DERIVED_BYTES))
  const key = Crypto.createSecretKey(derived.subarray(0, 32))
  const sign = (text: string): string => Crypto.createHmac("sha256", key).update(text).digest("base64url")
  return {
    id: toId(derived),
    encrypt: (plain, context) => Effect.sync(() => encrypt(key, plain, context)),
    decrypt: (text, context) => Effect.sync(() => decrypt(key, text, context)),
    sign: (text) => Effect.sync(() => sign(text)),
    verify: (text, tag) => Effect.sync(() => equal(sign(text), tag))
  }
}

/** Derives and remembers nothing: who asks does. */
export const nodeSealing: Sealing = { key: (secret, purpose) => Exit.succeed(derive(secret, purpose)) }

const encrypt = (key: Crypto.KeyObject, plain: string, context: string): string => {
  const nonce = Crypto.randomBytes(NONCE_BYTES)
  const cipher = Crypto.createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(context))
  const first = cipher.update(plain, "utf8")
  const last = cipher.final()
  return Buffer.concat([nonce, first, last, cipher.getAuthTag()]).toString("base64url")
}

const decrypt = (key: Crypto.KeyObject, text: string, context: string): string | undefined => {
  const all = Buffer.from(text, "base64url")
  if (all.length < NONCE_BYTES + TAG_BYTES) return undefined
  // A last character may have bits that mean nothing, and Node skips what it does not know.
  if (all.toString("base64url") !== text) return undefined
  const end = all.length - TAG_BYTES
  const nonce = all.subarray(0, NONCE_BYTES)
  const decipher = Crypto.createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(context)).setAuthTag(all.subarray(end))
  const plain = decipher.update(all.subarray(NONCE_BYTES, end))
  try {
    decipher.final()
    return plain.toString("utf8")
  } catch {
    return undefined
  }
}

const equal = (wanted: string, tag: string): boolean => {
  const [a, b] = [Buffer.from(wanted), Buffer.from(tag)]
  return a.length === b.length && Crypto.timingSafeEqual(a, b)
}
