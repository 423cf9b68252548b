/**
 * Compares secrets in a time that says nothing about the expected one.
 *
 * ```ts
 * equals(token, Redacted.make("t-ada"))
 * ```
 */
import * as Redacted from "effect/Redacted"

/**
 * Whether a secret that was given is the one that is expected. The time depends on the length of what was given alone: neither on
 * where the two differ, nor on the length of the other.
 */
export const equals = (
  given: string | Redacted.Redacted<string>,
  expected: string | Redacted.Redacted<string>
): boolean => {
  const [a, b] = [reveal(given), reveal(expected)]
  let difference = a.length ^ b.length
  // An empty text is compared with itself; the lengths have told already.
  const other = b.length === 0 ? a : b
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ other.charCodeAt(at % other.length)
  return difference === 0
}

const reveal = (secret: string | Redacted.Redacted<string>): string =>
  typeof secret === "string" ? secret : Redacted.value(secret)
