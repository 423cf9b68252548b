/**
 * Text of a client as it may stand in a log: one line, printable ASCII, no way out of its quotes.
 *
 * ```ts
 * escaped('a"b\n') // a\"b\n, as seven characters
 * ```
 *
 * As Apache does: `\"`, `\\`, `\n` and the like, `\xhh` for any other byte outside of printable ASCII. What is longer than 4096
 * characters is cut, and says so.
 *
 * @spec CWE-117
 */

/** So many characters of a value are logged. */
const most = 4096

const unsafe = /[^ !#-[\]-~]/
const unsafeAll = /[^ !#-[\]-~]/gu
const utf8 = new TextEncoder()

const named: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v"
}

// Strings from the wire have a character for a byte; others are written as UTF-8.
const byte = (character: string): string => {
  const code = character.codePointAt(0) as number
  const bytes = code < 256 ? [code] : [...utf8.encode(character)]
  return named[character] ?? bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")
}

/** The text, escaped. */
export const escaped = (text: string): string => {
  const short = text.length > most ? `${text.slice(0, most)}...` : text
  return unsafe.test(short) ? short.replace(unsafeAll, byte) : short
}
