/**
 * Keys that encrypt, decrypt and sign text, as each engine does it fastest.
 *
 * ```ts
 * const key = yield* Effect.flatMap(Sealing, ({ key }) => key(secret, "effect-web/Sealed/1/encrypt/cart"))
 * const text = yield* key.encrypt("plain")
 * ```
 *
 * Unless an engine gives it, it is WebCrypto, which all engines have.
 *
 * @spec RFC 5869 HKDF; NIST SP 800-38D AES-GCM; RFC 2104 HMAC; RFC 4648 §5 base64url
 */
import * as Context from "effect/Context"
import * as Aead from "effect/crypto/Aead"
import * as Kdf from "effect/crypto/Kdf"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Base64Url from "effect/encoding/Base64Url"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"

/**
 * A key for one purpose. Texts that come out are base64url without padding; no other spelling of one is taken. An engine may do
 * the work when it is called.
 */
export interface Key {
  /** Six characters to find the key by. They say nothing of it. */
  readonly id: string
  /** AES-256-GCM bound to the purpose: the nonce, the encrypted text, the tag. */
  readonly encrypt: (plain: string) => Effect.Effect<string>
  readonly decrypt: (text: string) => Effect.Effect<string | undefined>
  /** The text in base64url, and back, which throws for what is none. */
  readonly encode: (plain: string) => string
  readonly decode: (text: string) => string
  /** HMAC-SHA-256, in 43 characters. */
  readonly sign: (text: string) => Effect.Effect<string>
  /** Compares in constant time. */
  readonly verify: (text: string, tag: string) => Effect.Effect<boolean>
}

/** How keys are derived: HKDF-SHA-256, so that those of two purposes have nothing in common. */
export interface Sealing {
  readonly key: (secret: Uint8Array, purpose: string) => Effect.Effect<Key>
}

/** So many bytes are derived: a key of 32, and what its id is made of. */
export const DERIVED_BYTES = 37

/** The bytes of a nonce and of a tag. */
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

/** The id of the key in its derived bytes. */
export const toId = (derived: Uint8Array): string => Base64Url.encode(derived.subarray(32)).slice(0, 6)

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const services = Layer.mergeAll(
  Kdf.layerWebCrypto,
  SecureRandom.layerWebCrypto,
  Layer.provide(Layer.merge(Aead.layerWebCrypto, Mac.layerWebCrypto), SecureRandom.layerWebCrypto)
)

const derive = Effect.fnUntraced(function* (
  secret: Uint8Array,
  purpose: string
): Effect.fn.Return<Key, never, Kdf.Kdf | SecureRandom.SecureRandom | Aead.Aead | Mac.Mac> {
  const [kdf, random, aead, mac] = [yield* Kdf.Kdf, yield* SecureRandom.SecureRandom, yield* Aead.Aead, yield* Mac.Mac]
  const aad = encoder.encode(purpose)
  const options = { salt: new Uint8Array(), info: aad, length: DERIVED_BYTES }
  const derived = yield* Effect.orDie(kdf.derive(Kdf.hkdfSha256, secret, options))
  const bytes = derived.subarray(0, 32)
  const cipherKey = yield* Effect.orDie(Aead.key(Aead.aes256Gcm, bytes))
  const macKey = yield* Effect.orDie(Mac.key(Mac.hmacSha256, bytes))
  const sign: Key["sign"] = (text) =>
    Effect.map(Effect.orDie(mac.sign(macKey, encoder.encode(text))), (tag) => Base64Url.encode(tag))
  return {
    id: toId(derived),
    encrypt: Effect.fnUntraced(function* (plain) {
      const nonce = yield* random.randomBytes(NONCE_BYTES)
      const sealed = yield* Effect.orDie(aead.encrypt(cipherKey, encoder.encode(plain), { nonce, aad }))
      const all = new Uint8Array(NONCE_BYTES + sealed.length)
      all.set(nonce)
      all.set(sealed, NONCE_BYTES)
      return Base64Url.encode(all)
    }),
    decrypt: (text) => {
      const all = Result.getOrElse(Base64Url.decode(text), () => undefined)
      if (all === undefined || all.length < NONCE_BYTES + TAG_BYTES) return Effect.undefined
      // A last character may have bits that mean nothing, and a decoder may skip what it does not know.
      if (Base64Url.encode(all) !== text) return Effect.undefined
      const options = { nonce: all.subarray(0, NONCE_BYTES), aad }
      const plain = Effect.map(aead.decrypt(cipherKey, all.subarray(NONCE_BYTES), options), (plain) =>
        decoder.decode(plain)
      )
      return Effect.orElseSucceed(plain, () => undefined)
    },
    encode: Base64Url.encode,
    decode: (text) => Result.getOrThrow(Base64Url.decodeString(text)),
    sign,
    verify: (text, tag) =>
      Effect.map(sign(text), (wanted) => Mac.timingSafeEqual(encoder.encode(wanted), encoder.encode(tag)))
  }
})

/** As every engine can. */
export const portable: Sealing = { key: (secret, purpose) => Effect.provide(derive(secret, purpose), services) }

/** The way of the engine. */
export const Sealing = Context.Reference<Sealing>("effect-web/Sealing", { defaultValue: () => portable })

/** The keys of a fiber's engine. */
export interface Keys {
  (fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<ReadonlyArray<Key>>
}

/** The derived keys of some secrets for a purpose, in the order of the secrets; derived when they are first needed. */
export const deriver = (secrets: ReadonlyArray<Uint8Array>, purpose: string): Keys => {
  let known: { readonly sealing: Sealing; readonly keys: Effect.Effect<ReadonlyArray<Key>> } | undefined
  return (fiber) => {
    const sealing = fiber.getRef(Sealing)
    if (known?.sealing === sealing) return known.keys
    return Effect.map(
      Effect.forEach(secrets, (secret) => sealing.key(secret, purpose)),
      (keys) => {
        known = { sealing, keys: Exit.succeed(keys) }
        return keys
      }
    )
  }
}
