/**
 * Where a text stops being JSON. `JSON.parse` gives the place in some of its messages only, and repeats the text in others.
 *
 * ```ts
 * JsonFault.find('{"a": tru}') // 6
 * ```
 *
 * @spec RFC 8259
 */

const STRING = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const SPACE = /[ \t\n\r]*/y
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/** What may come next: at `first` and `firstKey` the array or the object may also end. */
type Expected = "value" | "first" | "key" | "firstKey" | "colon" | "more"

/** The index of the first character that cannot be there; the length of the text when it ends too early. */
export const find = (text: string): number => {
  const open: Array<"]" | "}"> = []
  // Without the assertion the compiler takes the first value for the only one.
  let expected = "value" as Expected
  let at = skip(SPACE, text, 0)
  while (at < text.length) {
    const character = text[at]
    const close = open.at(-1)
    if (close !== undefined && character === close && (expected === "more" || expected === OPENED[close])) {
      open.pop()
      expected = "more"
      at++
    } else if (expected === "more") {
      if (character !== "," || close === undefined) return at
      expected = close === "]" ? "value" : "key"
      at++
    } else if (expected === "colon") {
      if (character !== ":") return at
      expected = "value"
      at++
    } else if (character === '"') {
      const end = contentEnd(text, at + 1)
      if (text[end] !== '"') return end
      expected = expected === "key" || expected === "firstKey" ? "colon" : "more"
      at = end + 1
    } else if (expected === "key" || expected === "firstKey") {
      return at
    } else if (character === "[" || character === "{") {
      const opened = character === "[" ? "]" : "}"
      open.push(opened)
      expected = OPENED[opened]
      at++
    } else {
      const end = skip(SCALAR, text, at)
      if (end === at) return at
      expected = "more"
      at = end
    }
    at = skip(SPACE, text, at)
  }
  return at
}

const OPENED = { "]": "first", "}": "firstKey" } as const

const skip = (pattern: RegExp, text: string, from: number): number => {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : from
}

// The index of the closing quote, or of what cannot stand in a string
const contentEnd = (text: string, from: number): number => {
  let at = skip(STRING, text, from)
  while (text[at] === "\\") {
    const end = skip(ESCAPE, text, at)
    if (end === at) return at
    at = skip(STRING, text, end)
  }
  return at
}
