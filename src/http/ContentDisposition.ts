/**
 * The `Content-Disposition` header: of a download, which is written, and of a part of a multipart body, which is read.
 *
 * ```ts
 * ContentDisposition.format("attachment", "€ rates.pdf")
 * // `attachment; filename="_ rates.pdf"; filename*=UTF-8''%E2%82%AC%20rates.pdf`
 * ContentDisposition.parse('form-data; name="a"; filename="b.txt"') // { type: "form-data", name: "a", filename: "b.txt" }
 * ```
 *
 * @source aiohttp.payload.Payload.set_content_disposition; aiohttp.multipart.parse_content_disposition
 * @spec RFC 6266; RFC 8187
 */
import * as Syntax from "./Syntax.ts"

/**
 * Writes the header, for any file name: control characters and the path separators `/` and `\` become `_`. A name that
 * is not plain ASCII, has a `"`, or could be taken for percent-encoded, is written twice: with `_` for each such character, as not
 * all clients know escapes, and exactly, as `filename*`.
 *
 * @spec RFC 6266 §4.1, §4.3, Appendix D; RFC 8187 §3.2
 */
export const format = (type: "attachment" | "inline", filename?: string): string => {
  if (filename === undefined || filename === "") return type
  const safe = filename.toWellFormed().replace(/[\p{Cc}/\\]/gu, "_")
  const fallback = safe.replace(/[^\x20-\x7e]|"/gu, "_")
  const plain = `${type}; filename="${fallback}"`
  return fallback === safe && !/%[0-9A-Fa-f]{2}/.test(safe) ? plain : `${plain}; filename*=UTF-8''${encode(safe)}`
}

// RFC 8187 §3.2.1: of what encodeURIComponent leaves, these four are no attr-char
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** What a Content-Disposition says. The file name is that of the client: a path is made of `baseName` only. */
export interface ContentDisposition {
  /** "form-data", "attachment", in lower case. */
  readonly type: string
  readonly name: string | undefined
  readonly filename: string | undefined
}

/**
 * Reads the header; undefined when it is malformed, or says a parameter twice. Values in the extended form (`filename*`) come
 * before plain ones, continuations (`filename*0`) are joined. In a quoted value a backslash escapes only `"` and itself, as browsers
 * send the paths of Windows; in form-data `%22`, `%0D` and `%0A` are what they stand for there.
 *
 * @spec RFC 2183; RFC 2231; RFC 8187 §3.2; Fetch §5.4 "multipart/form-data parser"
 */
export const parse = (text: string): ContentDisposition | undefined => {
  const end = Syntax.tokenEnd(text, 0)
  const parameters = end === 0 ? undefined : readParameters(text, end)
  if (parameters === undefined) return undefined
  const type = text.slice(0, end).toLowerCase()
  const value = (name: string) => {
    const extended = readExtended(parameters, name)
    const plain = parameters[name]
    return extended ?? (type === "form-data" ? plain?.replace(/%(22|0D|0A)/gi, decodeURIComponent) : plain)
  }
  return { type, name: value("name"), filename: value("filename") }
}

/**
 * The last segment of what a client calls its file, fit to be one segment of a path: no slash, backslash or control character, at
 * most 200 bytes with its extension, and neither "." nor "..": these, and what is nothing without its path, are "_". "" stays.
 */
export const baseName = (filename: string): string => {
  if (filename === "") return ""
  const name = filename
    .toWellFormed()
    .replace(/^.*[/\\]/s, "")
    .replace(/\p{Cc}/gu, "")
  return /^\.*$/.test(name) ? "_" : shortened(name)
}

const shortened = (name: string): string => {
  const size = (text: string) => new TextEncoder().encode(text).length
  if (size(name) <= 200) return name
  const extension = /\.\w{1,16}$/.exec(name)?.[0] ?? ""
  const stem = [...name.slice(0, name.length - extension.length)].slice(0, 200)
  while (size(stem.join("")) > 200 - extension.length) stem.pop()
  return stem.join("") + extension
}

const readParameters = (text: string, from: number): Readonly<Record<string, string>> | undefined => {
  const found: Record<string, string> = Object.create(null)
  let at = Syntax.spaceEnd(text, from)
  while (at < text.length) {
    if (text[at] !== ";") return undefined
    at = Syntax.spaceEnd(text, at + 1)
    const end = Syntax.tokenEnd(text, at)
    // Nothing is an empty parameter, `;;`
    if (end === at) continue
    const name = text.slice(at, end).toLowerCase()
    const stop = text[end] === "=" ? valueEnd(text, end + 1) : -1
    if (stop === -1 || name in found) return undefined
    const raw = text.slice(end + 1, stop)
    found[name] = raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(["\\])/g, "$1") : Syntax.trim(raw)
    at = Syntax.spaceEnd(text, stop)
  }
  return found
}

// A value without quotes ends at the next ";": many write names with spaces so
const valueEnd = (text: string, from: number): number => {
  if (text[from] !== '"') return Syntax.nextOrEnd(text, ";", from)
  const last = text.lastIndexOf('"')
  for (let at = from + 1; at <= last; at++) {
    if (text[at] === '"') return at + 1
    // A backslash before the last quote is the end of a path: filename="C:\\"
    if (text[at] === "\\" && (text[at + 1] === '"' || text[at + 1] === "\\") && at + 1 < last) at++
  }
  return -1
}

// RFC 2231 §3, §4: `name*=charset'language'value`, or `name*0`, `name*1*`, ... to be joined
const readExtended = (parameters: Readonly<Record<string, string>>, name: string): string | undefined => {
  const whole = parameters[`${name}*`]
  if (whole !== undefined) return decodeExtended(whole)
  let joined = ""
  for (let index = 0; ; index++) {
    const encoded = parameters[`${name}*${index}*`]
    const literal = parameters[`${name}*${index}`]
    if (encoded === undefined && literal === undefined) return index === 0 ? undefined : decodeExtended(joined)
    if (index === 0 && encoded === undefined) joined = "UTF-8''"
    joined += encoded ?? encodeURIComponent((literal as string).toWellFormed())
  }
}

const decodeExtended = (text: string): string | undefined => {
  const [, charset, encoded] = /^([^']*)'[^']*'((?:%[0-9A-F]{2}|[^%\x00-\x1f\x7f-\uffff])*)$/i.exec(text) ?? []
  if (encoded === undefined) return undefined
  const bytes = encoded.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  try {
    const decoder = new TextDecoder(charset === "" ? "utf-8" : charset, { fatal: true })
    return decoder.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)))
  } catch {
    return undefined
  }
}
