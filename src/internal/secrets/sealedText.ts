/**
 * The form of sealed texts: how, by which key, and what.
 *
 * ```ts
 * encrypted // e1.kM3x_a.<nonce, encrypted text and tag>
 * signed    // s1.kM3x_a.<text>.<tag>
 * ```
 *
 * The id of the key is in front, so that a ring of many keys costs one try. All of it is signed or bound to the encryption.
 *
 * @spec RFC 4648 §5, §3.5 (one spelling only)
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Key } from "./sealing.ts"

/** One way to seal. Undefined is a text that none of the keys has sealed. */
export interface Form {
  readonly seal: (key: Key, plain: string) => Effect.Effect<string>
  readonly open: (keys: ReadonlyArray<Key>, text: string) => Effect.Effect<string | undefined>
}

// "e1.", the id, "."
const START = 10

const SHAPE = /^(?:e1\.[\w-]{6}\.[\w-]+|s1\.[\w-]{6}\.[\w-]+\.[\w-]{43})$/

/** Whether a text could be a sealed one. */
export const isShaped = (text: string): boolean => SHAPE.test(text)

/** Who has the text cannot read it. */
export const encrypted: Form = {
  seal: (key, plain) => Effect.mapEager(key.encrypt(plain), (text) => `e1.${key.id}.${text}`),
  open: opener("e1", (key, text) => key.decrypt(text.slice(START)))
}

/** Who has the text can read it. */
export const signed: Form = {
  seal: (key, plain) => {
    const text = `s1.${key.id}.${key.encode(plain)}`
    return Effect.mapEager(key.sign(text), (tag) => `${text}.${tag}`)
  },
  open: opener("s1", (key, text) => {
    const dot = text.lastIndexOf(".")
    if (dot < START) return Effect.undefined
    return Effect.mapEager(key.verify(text.slice(0, dot), text.slice(dot + 1)), (isGenuine) =>
      isGenuine ? key.decode(text.slice(START, dot)) : undefined
    )
  })
}

type Try = (key: Key, text: string) => Effect.Effect<string | undefined>

function opener(kind: string, attempt: Try): Form["open"] {
  return (keys, text) => from(keys, text, 0)

  // Ids are short: two keys of a ring may have the same one
  function from(keys: ReadonlyArray<Key>, text: string, start: number): Effect.Effect<string | undefined> {
    for (let index = start; index < keys.length; index++) {
      const key = keys[index] as Key
      if (!text.startsWith(`${kind}.${key.id}.`)) continue
      return Effect.flatMapEager(attempt(key, text), (plain) =>
        plain === undefined ? from(keys, text, index + 1) : Exit.succeed(plain)
      )
    }
    return Effect.undefined
  }
}
