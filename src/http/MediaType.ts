/**
 * Media types: the value of Content-Type and the offers of negotiation.
 *
 * ```ts
 * const type = MediaType.parse('Text/HTML; Charset="utf-8"')
 * // { essence: "text/html", parameters: { charset: "utf-8" } }
 * MediaType.isJson("application/problem+json") // true
 * ```
 *
 * @source aiohttp.helpers.parse_content_type
 * @spec RFC 9110 §8.3
 */
import * as Syntax from "./Syntax.ts"

/** A media type: `essence` is "type/subtype" in lower case; parameter names are lower case, values are not quoted. */
export interface MediaType {
  readonly essence: string
  readonly parameters: Readonly<Record<string, string>>
}

/**
 * Reads a media type; `undefined` without a valid "type/subtype". Of two parameters with one name the first wins, a
 * malformed one is skipped, as in aiohttp. The parameters have a null prototype.
 *
 * @spec RFC 9110 §8.3.1
 */
export const parse = (text: string): MediaType | undefined => {
  const end = Syntax.nextOrEnd(text, ";", 0)
  const essence = Syntax.trim(text.slice(0, end)).toLowerCase()
  return isEssence(essence) ? { essence, parameters: Syntax.parameters(text, end, "skip") } : undefined
}

/** Whether an essence means JSON: `application/json`, `text/json` or the structured suffix `+json` (RFC 6839). */
export const isJson = (essence: string): boolean =>
  essence === "application/json" || essence === "text/json" || essence.endsWith("+json")

/**
 * Writes a media type, quoting the values that are not tokens.
 *
 * Throws a TypeError when the essence or a name is malformed, or a value has characters that no header can carry.
 *
 * @spec RFC 9110 §8.3.1
 */
export const format = (mediaType: MediaType): string => {
  let text = mediaType.essence
  if (!isEssence(text)) throw new TypeError(`${JSON.stringify(text)} is not a media type: write "type/subtype"`)
  for (const [name, value] of Object.entries(mediaType.parameters)) {
    if (!Syntax.isToken(name)) throw new TypeError(`${JSON.stringify(name)} is not a parameter name: write a token`)
    text += `; ${name}=${Syntax.isToken(value) ? value : Syntax.quote(value)}`
  }
  return text
}

const isEssence = (text: string): boolean => {
  const slash = text.indexOf("/")
  return slash > 0 && Syntax.tokenEnd(text, 0) === slash && Syntax.isToken(text.slice(slash + 1))
}
