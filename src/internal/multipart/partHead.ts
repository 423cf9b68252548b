/**
 * The headers of a part, and what they say of it.
 *
 * ```ts
 * parse(encode('Content-Disposition: form-data; name="a"; filename="b.txt"'), { index: 1, isForm: true }, 100)
 * // { headers: { "content-disposition": ... }, name: "a", filename: "b.txt", type: { essence: "application/octet-stream", ... } }
 * ```
 *
 * @spec RFC 2046 §5.1; RFC 7578 §4; RFC 5322 §2.2
 */
import * as Result from "effect/Result"
import * as ContentDisposition from "../../http/ContentDisposition.ts"
import * as MediaType from "../../http/MediaType.ts"
import * as Syntax from "../../http/Syntax.ts"
import type { Failure } from "../../Multipart.ts"
import { malformed, more } from "./limits.ts"

/** What the headers of a part say. */
export interface PartHead {
  /** By names in lower case, with a null prototype. */
  readonly headers: Readonly<Record<string, string>>
  /** "" where a part of another kind than form-data has none. */
  readonly name: string
  /** Safe; undefined for a part that is no file. */
  readonly filename: string | undefined
  readonly type: MediaType.MediaType
}

/** Which part it is, counted from 1, and of what kind of body. */
export interface Place {
  readonly index: number
  readonly isForm: boolean
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Reads the headers of a part, at most `most` fields. Bytes that are no UTF-8 become U+FFFD. */
export const parse = (bytes: Uint8Array, place: Place, most: number): Result.Result<PartHead, Failure> =>
  Result.flatMap(readFields(decoder.decode(bytes), place.index, most), (headers) => read(headers, place))

const read = (headers: PartHead["headers"], { index, isForm }: Place): Result.Result<PartHead, Failure> => {
  const { "content-disposition": header, "content-type": contentType } = headers
  const disposition = header === undefined ? undefined : ContentDisposition.parse(header)
  if (header !== undefined && disposition === undefined) {
    return Result.fail(malformed(`The Content-Disposition of part ${index} is malformed`))
  }
  const { filename, name } = disposition ?? {}
  if (isForm && (disposition?.type !== "form-data" || name === undefined)) {
    const text = `Part ${index} has no name: each part of a form has "Content-Disposition: form-data; name=..."`
    return Result.fail(malformed(text))
  }
  const essence = filename === undefined ? "text/plain" : "application/octet-stream"
  const type = contentType === undefined ? { essence, parameters: {} } : MediaType.parse(contentType)
  if (type === undefined) return Result.fail(malformed(`The Content-Type of part ${index} is malformed`))
  return Result.succeed({
    headers,
    name: name ?? "",
    filename: filename === undefined ? undefined : safe(filename),
    type
  })
}

// What turns the direction of writing around: with it "fdp.exe" is shown as "exe.pdf" (UTR 36, bidirectional text spoofing)
const directions = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

const safe = (filename: string): string =>
  filename === "" ? "" : ContentDisposition.baseName(filename.replace(directions, "") || "_")

/** Those of which two would say two things. */
const single: ReadonlySet<string> = new Set(["content-disposition", "content-type", "content-transfer-encoding"])

const readFields = (text: string, index: number, most: number): Result.Result<PartHead["headers"], Failure> => {
  const found: Record<string, string> = Object.create(null)
  // A line that begins with white space goes on with the one before (RFC 5322 §2.2.3)
  const lines = text === "" ? [] : text.replace(/\r\n(?=[ \t])/g, "").split("\r\n")
  if (lines.length > most) return Result.fail(more(`Part ${index} has more than ${most} header fields`))
  for (const line of lines) {
    const end = Syntax.tokenEnd(line, 0)
    const value = Syntax.trim(line.slice(end + 1))
    if (end === 0 || line[end] !== ":" || /[\0-\x08\x0a-\x1f\x7f]/.test(value)) {
      return Result.fail(malformed(`The headers of part ${index} are malformed`))
    }
    const name = line.slice(0, end).toLowerCase()
    const earlier = found[name]
    if (earlier !== undefined && single.has(name)) return Result.fail(malformed(`Part ${index} has two ${name} fields`))
    found[name] = earlier === undefined ? value : `${earlier}, ${value}`
  }
  return Result.succeed(found)
}
