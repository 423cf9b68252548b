/**
 * Keys on node:crypto: without a promise, so that to open a session costs microseconds.
 *
 * ```ts
 * const base = Context.make(Sealing, nodeSealing)
 * ```
 */
import * as Crypto from "node:crypto"
import * as Exit from "effect/Exit"
import {
  DERIVED_BYTES,
  type Key,
  NONCE_BYTES,
  type Sealing,
  TAG_BYTES,
  toId
} from "../../../internal/secrets/sealing.ts"

const derive = (secret: Uint8Array, purpose: string): Key => {
  const derived = new Uint8Array(Crypto.hkdfSync("sha256", secret, new Uint8Array(), purpose, DERIVED_BYTES))
  const key = Crypto.createSecretKey(derived.subarray(0, 32))
  const aad = Buffer.from(purpose)
  const sign = (text: string): string => Crypto.createHmac("sha256", key).update(text).digest("base64url")
  return {
    id: toId(derived),
    encrypt: (plain) => Exit.succeed(encrypt(key, aad, plain)),
    decrypt: (text) => Exit.succeed(decrypt(key, aad, text)),
    encode: (plain) => Buffer.from(plain).toString("base64url"),
    decode: (text) => Buffer.from(text, "base64url").toString(),
    sign: (text) => Exit.succeed(sign(text)),
    verify: (text, tag) => Exit.succeed(equal(sign(text), tag))
  }
}

/** Derives and remembers nothing: who asks does. */
export const nodeSealing: Sealing = { key: (secret, purpose) => Exit.succeed(derive(secret, purpose)) }

// Drawn many at once, which takes a fiftieth of the time. They are no secret: they are in front of what they encrypt.
const drawn = Buffer.alloc(NONCE_BYTES * 256)
let used = drawn.length

const nextNonce = (): Uint8Array => {
  if (used === drawn.length) {
    Crypto.randomFillSync(drawn)
    used = 0
  }
  used += NONCE_BYTES
  return drawn.subarray(used - NONCE_BYTES, used)
}

const encrypt = (key: Crypto.KeyObject, aad: Uint8Array, plain: string): string => {
  const nonce = nextNonce()
  const cipher = Crypto.createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(aad)
  const first = cipher.update(plain, "utf8")
  const last = cipher.final()
  return Buffer.concat([nonce, first, last, cipher.getAuthTag()]).toString("base64url")
}

const decrypt = (key: Crypto.KeyObject, aad: Uint8Array, text: string): string | undefined => {
  const all = Buffer.from(text, "base64url")
  if (all.length < NONCE_BYTES + TAG_BYTES) return undefined
  // A last character may have bits that mean nothing, and Node skips what it does not know.
  if (all.toString("base64url") !== text) return undefined
  const end = all.length - TAG_BYTES
  const nonce = all.subarray(0, NONCE_BYTES)
  const decipher = Crypto.createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(aad).setAuthTag(all.subarray(end))
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
