/**
 * The secrets behind a key ring, for those who derive keys from them.
 *
 * ```ts
 * const ring = make(["an old secret of at least 32 bytes ...", "..."])
 * secrets(ring)[0] // the bytes of the one that seals
 * ```
 *
 * @spec RFC 5869 §3.1: what keys are derived from may be any text with enough chance in it
 */
import * as Redacted from "effect/Redacted"

/** Secrets, the newest first. It prints as `<redacted>` wherever it is printed. */
export interface KeyRing extends Redacted.Redacted<ReadonlyArray<Uint8Array>> {
  readonly "~effect-web/KeyRing": "~effect-web/KeyRing"
}

/** The least bytes of a secret: as many as the keys have that are derived from it. */
export const MIN_BYTES = 32

const CURE = "make one with `openssl rand -base64 32` and keep it outside the code"

/** Throws a TypeError for a secret that is too short. */
export const make = (texts: ReadonlyArray<string>): KeyRing => {
  const encoder = new TextEncoder()
  const secrets = texts.map((text, index) => {
    const secret = encoder.encode(text)
    if (secret.length >= MIN_BYTES) return secret
    const which = texts.length === 1 ? "The secret" : `Secret ${index + 1} of ${texts.length}`
    throw new TypeError(`${which} has ${secret.length} bytes, at least ${MIN_BYTES} are needed; ${CURE}`)
  })
  // The property is of the type alone.
  return Redacted.make(secrets) as Redacted.Redacted<ReadonlyArray<Uint8Array>> as KeyRing
}

/** The bytes of the secrets: the first seals, all open. */
export const secrets = (ring: KeyRing): ReadonlyArray<Uint8Array> => Redacted.value(ring)
