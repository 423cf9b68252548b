/**
 * Byte ranges: the `Range` header, and the `Content-Range` of the answer.
 *
 * ```ts
 * const specs = ByteRange.parse("bytes=0-499, -500") // [{ first: 0, last: 499 }, { suffix: 500 }]
 * ByteRange.resolve([{ suffix: 500 }], 10_000) // [{ start: 9500, end: 10000 }]
 * ByteRange.contentRange(9500, 10_000, 10_000) // "bytes 9500-9999/10000"
 * ```
 *
 * @source aiohttp.web.BaseRequest.http_range
 * @spec RFC 9110 §14
 */
import * as Syntax from "./Syntax.ts"

/** One requested range: from `first` to `last`, both included (`undefined`: to the end), or the last `suffix` bytes. */
export type Spec = { readonly first: number; readonly last: number | undefined } | { readonly suffix: number }

/**
 * Reads a Range header. `undefined` when there is none or its unit is not bytes: the header is to be ignored.
 * "invalid" when it is malformed, a range ends before it begins, or there are more than 100. Unlike aiohttp: several
 * ranges are valid. Positions above 2^53 - 1 count as 2^53 - 1.
 *
 * @spec RFC 9110 §14.1.1, §14.2
 */
export const parse = (header: string | undefined): ReadonlyArray<Spec> | "invalid" | undefined => {
  const text = Syntax.trim(header ?? "")
  const unit = text.slice(0, Syntax.tokenEnd(text, 0))
  if (unit.toLowerCase() !== "bytes") return undefined
  if (text[unit.length] !== "=") return "invalid"
  const specs: Array<Spec> = []
  // A range has no quotes, so that every comma separates
  for (const element of text.slice(unit.length + 1).split(",")) {
    const range = Syntax.trim(element)
    if (range === "") continue
    const spec = parseSpec(range)
    if (spec === undefined || specs.length === MAX_RANGES) return "invalid"
    specs.push(spec)
  }
  return specs.length === 0 ? "invalid" : specs
}

/**
 * The ranges that exist in `size` bytes, in the order asked for, `end` excluded and never above `size`. Those that
 * begin after the end are dropped: an empty answer is a 416.
 *
 * @spec RFC 9110 §14.1.2
 */
export const resolve = (
  specs: ReadonlyArray<Spec>,
  size: number
): ReadonlyArray<{ readonly start: number; readonly end: number }> => {
  const found: Array<{ readonly start: number; readonly end: number }> = []
  for (const spec of specs) {
    const start = "suffix" in spec ? Math.max(0, size - spec.suffix) : spec.first
    const end = "suffix" in spec || spec.last === undefined ? size : Math.min(spec.last + 1, size)
    if (start < end) found.push({ start, end })
  }
  return found
}

/**
 * The ranges with those joined that overlap, touch, or have no more than `gap` bytes between them: each stands where the first
 * of its ranges was asked for. So no byte is sent twice, whatever is asked for.
 *
 * @spec RFC 9110 §14.2, §15.3.7.2
 */
export const coalesce = (
  ranges: ReadonlyArray<{ readonly start: number; readonly end: number }>,
  gap: number
): ReadonlyArray<{ readonly start: number; readonly end: number }> => {
  const joined: Array<{ start: number; end: number; order: number }> = []
  const sorted = ranges.map((range, order) => ({ ...range, order })).sort((left, right) => left.start - right.start)
  for (const range of sorted) {
    const last = joined.at(-1)
    if (last === undefined || range.start > last.end + gap) {
      joined.push(range)
    } else {
      last.end = Math.max(last.end, range.end)
      last.order = Math.min(last.order, range.order)
    }
  }
  return joined.sort((left, right) => left.order - right.order).map(({ start, end }) => ({ start, end }))
}

/**
 * The `Content-Range` of a 206: the bytes from `start` up to `end`, excluded, of `size`.
 *
 * @spec RFC 9110 §14.4
 */
export const contentRange = (start: number, end: number, size: number): string => `bytes ${start}-${end - 1}/${size}`

/**
 * The `Content-Range` of a 416.
 *
 * @spec RFC 9110 §14.4
 */
export const unsatisfied = (size: number): string => `bytes */${size}`

// What more ranges in one header ask for is load, not data
const MAX_RANGES = 100

const parseSpec = (range: string): Spec | undefined => {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(range) ?? []
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined
  if (first === "") return { suffix: position(last) }
  if (last === "") return { first: position(first), last: undefined }
  return position(first) > position(last) ? undefined : { first: position(first), last: position(last) }
}

const position = (digits: string): number => Math.min(Number(digits), Number.MAX_SAFE_INTEGER)
