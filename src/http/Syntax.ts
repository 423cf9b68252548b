/**
 * What field values are made of: tokens, quoted strings, lists and parameters. Every scan is one pass over the text.
 *
 * ```ts
 * Syntax.elements('gzip;q=0.5, "a,b", ,br') // ["gzip;q=0.5", '"a,b"', "br"]
 * Syntax.parameters('text/html; charset="utf-8"', 9, "skip") // { charset: "utf-8" }
 * ```
 *
 * @source aiohttp.helpers (there as regular expressions)
 * @spec RFC 9110 §5.6
 */

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c

const tokenCharacters: ReadonlyArray<boolean> = Array.from({ length: 128 }, (_, code) =>
  /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(String.fromCharCode(code))
)

/**
 * The text without spaces and tabs around it. Unlike `String.trim`, other white space stays.
 *
 * @spec RFC 9110 §5.6.3
 */
export const trim = (text: string): string => {
  const start = spaceEnd(text, 0)
  let end = text.length
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

/** The index after the spaces and tabs that begin at `from`. */
export const spaceEnd = (text: string, from: number): number => {
  let at = from
  while (at < text.length && isSpace(text.charCodeAt(at))) at++
  return at
}

/**
 * The index after the token that begins at `from`; `from` itself when none begins there.
 *
 * @spec RFC 9110 §5.6.2
 */
export const tokenEnd = (text: string, from: number): number => {
  let at = from
  while (at < text.length && tokenCharacters[text.charCodeAt(at)] === true) at++
  return at
}

/**
 * Whether the text is one token: not empty, and only letters, digits and `` !#$%&'*+-.^_`|~ ``.
 *
 * @spec RFC 9110 §5.6.2
 */
export const isToken = (text: string): boolean => text !== "" && tokenEnd(text, 0) === text.length

/**
 * The index after the quoted string that begins at `from`, or -1: no quote there, not closed, or a control character.
 * Characters above 0x7F are accepted as obs-text.
 *
 * @spec RFC 9110 §5.6.4
 */
export const quotedEnd = (text: string, from: number): number => {
  if (text.charCodeAt(from) !== QUOTE) return -1
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    // The character after a backslash is held to the same rule, whatever it is
    if (!isText(code === BACKSLASH ? text.charCodeAt(++at) : code)) return -1
  }
  return -1
}

/** The content of a quoted string that `quotedEnd` has measured, its escapes undone. */
export const unquote = (quoted: string): string => quoted.slice(1, -1).replace(/\\(.)/gs, "$1")

/**
 * The text as a quoted string, `"` and `\` escaped.
 *
 * Throws a TypeError on control characters and on characters above 0xFF: no header can carry them.
 *
 * @spec RFC 9110 §5.6.4
 */
export const quote = (text: string): string => {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!isText(code) || code > 0xff) {
      throw new TypeError(`${JSON.stringify(text)} cannot be quoted in a header: remove the character at ${at}`)
    }
  }
  return `"${text.replace(/["\\]/g, "\\$&")}"`
}

/**
 * The elements of a comma-separated list, trimmed, empty ones dropped. A comma inside a quoted string does not
 * separate; a quote that is never closed is an ordinary character.
 *
 * @spec RFC 9110 §5.6.1
 */
export const elements = (header: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let start = 0
  let closable = true
  for (let at = 0; at <= header.length; at++) {
    if (at === header.length || header.charCodeAt(at) === COMMA) {
      const element = trim(header.slice(start, at))
      if (element !== "") found.push(element)
      start = at + 1
    } else if (closable && header.charCodeAt(at) === QUOTE) {
      const close = closingQuote(header, at)
      // After one unclosed quote there is no closed one to look for: looking again at each is quadratic
      closable = close !== -1
      if (closable) at = close
    }
  }
  return found
}

/**
 * Reads `name "=" ( token / quoted-string )` at `from`: the name in lower case, the value without its quotes, and the
 * index after it. `undefined` when there is none.
 *
 * @spec RFC 9110 §5.6.6
 */
export const pair = (
  text: string,
  from: number
): { readonly name: string; readonly value: string; readonly end: number } | undefined => {
  const nameEnd = tokenEnd(text, from)
  if (nameEnd === from || text[nameEnd] !== "=") return undefined
  const start = nameEnd + 1
  const quoted = text[start] === '"'
  const end = quoted ? quotedEnd(text, start) : tokenEnd(text, start)
  if (end <= start) return undefined
  const raw = text.slice(start, end)
  return { name: text.slice(from, nameEnd).toLowerCase(), value: quoted ? unquote(raw) : raw, end }
}

/**
 * The parameters `*( OWS ";" OWS [ pair ] )` from `from` to the end, the first of two wins, null prototype.
 * A broken one is skipped up to the next ";", or makes the whole `undefined`.
 *
 * @spec RFC 9110 §5.6.6
 */
export function parameters(text: string, from: number, broken: "skip"): Readonly<Record<string, string>>
export function parameters(text: string, from: number, broken: "reject"): Readonly<Record<string, string>> | undefined
export function parameters(text: string, from: number, broken: "skip" | "reject") {
  const found: Record<string, string> = Object.create(null)
  let at = spaceEnd(text, from)
  while (at < text.length) {
    const start = spaceEnd(text, at + 1)
    const read = pair(text, start)
    // Nothing read is an empty parameter, `;;`, when the next ";" or the end follows
    const end = spaceEnd(text, read?.end ?? start)
    if (text[at] === ";" && (end === text.length || text[end] === ";")) {
      if (read !== undefined && !(read.name in found)) found[read.name] = read.value
      at = end
    } else if (broken === "reject") {
      return undefined
    } else {
      at = nextOrEnd(text, ";", at + 1)
    }
  }
  return found
}

/** The index of the next `mark` at or after `from`, or the length of the text. */
export const nextOrEnd = (text: string, mark: string, from: number): number => {
  const at = text.indexOf(mark, from)
  return at === -1 ? text.length : at
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09

// HTAB, SP, VCHAR and obs-text; NaN (past the end) is none of them
const isText = (code: number): boolean => (code >= 0x20 && code !== 0x7f) || code === 0x09

const closingQuote = (text: string, from: number): number => {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at
    if (code === BACKSLASH) at++
  }
  return -1
}
