/**
 * The Idempotency-Key field: a string in quotes, or, as most clients write it, without.
 *
 * ```ts
 * parse('"8e03978e-40d5-43dd-bc93-6894a57f9324"') // "8e03978e-40d5-43dd-bc93-6894a57f9324"
 * parse("8e03978e-40d5-43dd-bc93-6894a57f9324") // the same
 * ```
 *
 * @spec draft-ietf-httpapi-idempotency-key-header-07 §2.1; RFC 9651 §3.3.3
 */

const longest = 255

const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
// No space, and neither "," nor ";" nor quotes: several fields are one list, and a string may have parameters.
const bare = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/

/** The key, from 1 to 255 characters; undefined when it is malformed. */
export const parse = (field: string): string | undefined => {
  const text = field.trim()
  const key = bare.test(text) ? text : quoted.exec(text)?.[1]?.replace(/\\(.)/g, "$1")
  return key === undefined || key.length === 0 || key.length > longest ? undefined : key
}
