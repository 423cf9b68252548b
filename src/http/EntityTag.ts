/**
 * Entity tags: the validator in `ETag`, and the lists of `If-Match` and `If-None-Match`.
 *
 * ```ts
 * EntityTag.format(EntityTag.make("v1", { weak: true })) // 'W/"v1"'
 * EntityTag.parseList('"a", W/"b"') // [{ value: "a", weak: false }, { value: "b", weak: true }]
 * ```
 *
 * @source aiohttp.ETag
 * @spec RFC 9110 §8.8.3
 */
import * as Syntax from "./Syntax.ts"

/** An entity tag, its value without the quotes. */
export interface EntityTag {
  readonly value: string
  readonly weak: boolean
}

/**
 * A tag for an `ETag` header; strong unless `weak`.
 *
 * Throws a TypeError on characters that a tag cannot have: quotes, spaces, controls and characters above 0xFF.
 *
 * @spec RFC 9110 §8.8.3
 */
export const make = (value: string, options?: { readonly weak?: boolean | undefined }): EntityTag => {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (isTagCharacter(code) && code <= 0xff) continue
    throw new TypeError(`${JSON.stringify(value)} is not an entity tag: encode the character at ${at}, in hex say`)
  }
  return { value, weak: options?.weak === true }
}

/** Reads one tag, `"value"` or `W/"value"`; `undefined` for anything else. `W` is upper case. */
export const parse = (text: string): EntityTag | undefined => {
  const trimmed = Syntax.trim(text)
  const end = tagEnd(trimmed, 0)
  return end !== -1 && end === trimmed.length ? read(trimmed) : undefined
}

/**
 * Reads the value of `If-Match` or `If-None-Match`; absent is the empty list. Reading stops at the first malformed
 * tag, as in aiohttp; empty elements are skipped.
 *
 * @source aiohttp.web.BaseRequest.if_match
 * @spec RFC 9110 §13.1.1, §13.1.2
 */
export const parseList = (header: string | undefined): "*" | ReadonlyArray<EntityTag> => {
  const text = Syntax.trim(header ?? "")
  if (text === "*") return "*"
  const tags: Array<EntityTag> = []
  for (let at = 0; at < text.length; ) {
    const start = Syntax.spaceEnd(text, at)
    const empty = text[start] === ","
    const end = empty ? start : tagEnd(text, start)
    const next = end === -1 ? -1 : Syntax.spaceEnd(text, end)
    if (next === -1 || (next < text.length && text[next] !== ",")) break
    if (!empty) tags.push(read(text.slice(start, end)))
    at = next + 1
  }
  return tags
}

/** Writes a tag for a header. */
export const format = (tag: EntityTag): string => `${tag.weak ? "W/" : ""}"${tag.value}"`

/**
 * Whether two tags are equal and both strong: the same bytes.
 *
 * @spec RFC 9110 §8.8.3.2
 */
export const strongEquals = (left: EntityTag, right: EntityTag): boolean =>
  !left.weak && !right.weak && left.value === right.value

/**
 * Whether two tags are equal, weak or not: equivalent content.
 *
 * @spec RFC 9110 §8.8.3.2
 */
export const weakEquals = (left: EntityTag, right: EntityTag): boolean => left.value === right.value

// Unlike aiohttp: "~" and the empty tag are valid, and a backslash is an ordinary character
const isTagCharacter = (code: number): boolean => code === 0x21 || (code >= 0x23 && code !== 0x7f)

// The index after the tag that begins at `from`, or -1
const tagEnd = (text: string, from: number): number => {
  let at = text.startsWith("W/", from) ? from + 2 : from
  if (text[at] !== '"') return -1
  do at++
  while (at < text.length && isTagCharacter(text.charCodeAt(at)))
  return text[at] === '"' ? at + 1 : -1
}

const read = (text: string): EntityTag => {
  const weak = text.startsWith("W/")
  return { value: text.slice(weak ? 3 : 1, -1), weak }
}
