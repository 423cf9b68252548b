/**
 * The form of sealed texts: how, by which key, and what.
 *
 * ```ts
 * encrypted("cart") // e1.kM3x_a.<nonce, encrypted text and tag>
 * signed            // s1.kM3x_a.<text>.<tag>
 * ```
 *
 * The id of the key is in front, so that a ring of many keys costs one try. All of it is signed or bound to the encryption.
 *
 * @spec RFC 4648 §5, §3.5 (one spelling only)
 */
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import type { Key } from "./sealing.ts"

/** One way to seal. Undefined is a text that none of the keys has sealed. */
export interface Form {
  readonly seal: (key: Key, plain: string) => Effect.Effect<string>
  readonly open: (keys: ReadonlyArray<Key>, text: string) => Effect.Effect<string | undefined>
}

const SHAPE = /^(?:e1\.[\w-]{6}\.[\w-]+|s1\.[\w-]{6}\.[\w-]+\.[\w-]{43})$/

/** Whether a text could be a sealed one. */
export const isShaped = (text: string): boolean => SHAPE.test(text)

/** Who has the text cannot read it. */
export const encrypted = (purpose: string): Form => ({
  seal: (key, plain) => {
    const prefix = `e1.${key.id}.`
    return Effect.map(key.encrypt(plain, prefix + purpose), (text) => prefix + text)
  },
  open: opener("e1", (key, prefix, text) => key.decrypt(text.slice(prefix.length), prefix + purpose))
})

/** Who has the text can read it. */
export const signed: Form = {
  seal: (key, plain) => {
    const text = `s1.${key.id}.${Base64Url.encode(plain)}`
    return Effect.map(key.sign(text), (tag) => `${text}.${tag}`)
  },
  open: opener("s1", (key, prefix, text) => {
    const dot = text.lastIndexOf(".")
    if (dot < prefix.length) return Effect.undefined
    return Effect.map(key.verify(text.slice(0, dot), text.slice(dot + 1)), (isGenuine) =>
      isGenuine ? Result.getOrElse(Base64Url.decodeString(text.slice(prefix.length, dot)), () => undefined) : undefined
    )
  })
}

type Try = (key: Key, prefix: string, text: string) => Effect.Effect<string | undefined>

function opener(kind: string, attempt: Try): Form["open"] {
  return (keys, text) => from(keys, text, 0)

  // Ids are short: two keys of a ring may have the same one
  function from(keys: ReadonlyArray<Key>, text: string, start: number): Effect.Effect<string | undefined> {
    for (let index = start; index < keys.length; index++) {
      const key = keys[index] as Key
      const prefix = `${kind}.${key.id}.`
      if (!text.startsWith(prefix)) continue
      return Effect.flatMap(attempt(key, prefix, text), (plain) =>
        plain === undefined ? from(keys, text, index + 1) : Effect.succeed(plain)
      )
    }
    return Effect.undefined
  }
}
