/**
 * The bytes of a body as text, by the charset of its Content-Type.
 *
 * ```ts
 * const decode = Charset.decoder("latin1")
 * decode?.(bytes) // undefined when the bytes are not in the charset
 * ```
 *
 * @spec WHATWG Encoding
 */
import * as Query from "../../http/Query.ts"

/** Makes text of bytes; undefined when they are malformed. A byte order mark is no part of the text. */
export interface Decoder {
  (bytes: ArrayBuffer | Uint8Array): string | undefined
  /** The name of the encoding in lower case: "utf-8", "windows-1252". */
  readonly encoding: string
}

const make = (decoder: TextDecoder): Decoder =>
  Object.assign(
    (bytes: ArrayBuffer | Uint8Array) => {
      try {
        return decoder.decode(bytes)
      } catch {
        return undefined
      }
    },
    { encoding: decoder.encoding }
  )

/** The decoder of UTF-8. */
export const utf8: Decoder = make(new TextDecoder("utf-8", { fatal: true }))

/** The decoder of a charset by any of its labels, UTF-8 without one; undefined when it is not known. */
export const decoder = (charset: string | undefined): Decoder | undefined => {
  if (charset === undefined || /^utf-?8$/i.test(charset)) return utf8
  try {
    return make(new TextDecoder(charset, { fatal: true }))
  } catch {
    return undefined
  }
}

/**
 * An urlencoded form; undefined when its bytes are malformed. Percent-encoded bytes are in the charset too.
 *
 * @spec WHATWG URL §5.1
 */
export const form = (bytes: ArrayBuffer, decode: Decoder): Query.Query | undefined => {
  if (decode.encoding === "utf-8") {
    const text = decode(bytes)
    return text === undefined ? undefined : Query.parseForm(text)
  }
  const pairs: Array<readonly [string, string]> = []
  // Each byte as the character of its number: what separates is ASCII in every charset of forms
  for (const pair of characters(new Uint8Array(bytes)).split("&")) {
    if (pair === "") continue
    const equals = pair.includes("=") ? pair.indexOf("=") : pair.length
    const name = decode(unescape(pair.slice(0, equals)))
    const value = decode(unescape(pair.slice(equals + 1)))
    if (name === undefined || value === undefined) return undefined
    pairs.push([name, value])
  }
  return new Query.Query(pairs)
}

const characters = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

const unescape = (text: string): Uint8Array => {
  const plain = text
    .replaceAll("+", " ")
    .replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  return Uint8Array.from(plain, (character) => character.charCodeAt(0))
}
