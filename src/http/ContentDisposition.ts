/**
 * The `Content-Disposition` header of a download.
 *
 * ```ts
 * ContentDisposition.format("attachment", "report.pdf") // 'attachment; filename="report.pdf"'
 * ContentDisposition.format("attachment", "€ rates.pdf")
 * // `attachment; filename="_ rates.pdf"; filename*=UTF-8''%E2%82%AC%20rates.pdf`
 * ```
 *
 * @source aiohttp.payload.Payload.set_content_disposition
 * @spec RFC 6266; RFC 8187
 */
import * as Syntax from "./Syntax.ts"

/**
 * Writes the header, for any file name: control characters and the path separators `/` and `\` become `_`. A name that
 * is not plain ASCII, or could be taken for percent-encoded, is written twice: with `_` for each character that is not
 * ASCII, and exactly, as `filename*`.
 *
 * @spec RFC 6266 §4.1, §4.3, Appendix D; RFC 8187 §3.2
 */
export const format = (type: "attachment" | "inline", filename?: string): string => {
  if (filename === undefined || filename === "") return type
  const safe = filename.toWellFormed().replace(/[\p{Cc}/\\]/gu, "_")
  const fallback = safe.replace(/[^\x20-\x7e]/gu, "_")
  const plain = `${type}; filename=${Syntax.quote(fallback)}`
  return fallback === safe && !/%[0-9A-Fa-f]{2}/.test(safe) ? plain : `${plain}; filename*=UTF-8''${encode(safe)}`
}

// RFC 8187 §3.2.1: of what encodeURIComponent leaves, these four are no attr-char
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
