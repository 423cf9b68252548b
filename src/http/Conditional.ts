/**
 * Conditional requests: whether to proceed, or to answer 304 or 412 instead.
 *
 * ```ts
 * Conditional.evaluate({
 *   method: "GET",
 *   headers: { "if-none-match": '"v1"' },
 *   etag: EntityTag.make("v1")
 * }) // "not-modified"
 * ```
 *
 * @source aiohttp.web.FileResponse
 * @spec RFC 9110 §13
 */
import * as DateTime from "effect/DateTime"
import * as Headers from "effect/http/Headers"
import * as Result from "effect/Result"
import * as EntityTag from "./EntityTag.ts"
import * as Syntax from "./Syntax.ts"

/** Whether there is anything to evaluate. */
export const isConditional = (headers: Readonly<Record<string, string | undefined>>): boolean =>
  headers["if-none-match"] !== undefined ||
  headers["if-modified-since"] !== undefined ||
  headers["if-match"] !== undefined ||
  headers["if-unmodified-since"] !== undefined

/**
 * Evaluates `If-Match`, `If-Unmodified-Since`, `If-None-Match` and `If-Modified-Since`, in this order, against the
 * current representation. Dates are compared in whole seconds; a date that is malformed, or cannot be compared because
 * `lastModified` is not known, is ignored. CONNECT, OPTIONS and TRACE always proceed.
 *
 * `exists` (default true): whether there is a current representation, which is all that `*` asks.
 *
 * @spec RFC 9110 §13.1, §13.2
 */
export const evaluate = (options: {
  readonly method: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly etag?: EntityTag.EntityTag | undefined
  readonly lastModified?: Date | undefined
  readonly exists?: boolean | undefined
}): "proceed" | "not-modified" | "precondition-failed" => {
  const { method, headers } = options
  // §13.2.1: these methods do not select a representation
  if (method === "CONNECT" || method === "OPTIONS" || method === "TRACE") return "proceed"
  const reads = method === "GET" || method === "HEAD"
  const modified = options.lastModified && seconds(options.lastModified)
  const isCurrent = (header: string, equals: (left: EntityTag.EntityTag, right: EntityTag.EntityTag) => boolean) => {
    const { etag, exists = true } = options
    const tags = EntityTag.parseList(header)
    return exists && (tags === "*" || (etag !== undefined && tags.some((tag) => equals(tag, etag))))
  }

  // §13.2.2, steps 1 and 2
  const match = headers["if-match"]
  if (match !== undefined) {
    if (!isCurrent(match, EntityTag.strongEquals)) return "precondition-failed"
  } else if (isAfter(modified, parseDate(headers["if-unmodified-since"])) === true) {
    return "precondition-failed"
  }

  // Steps 3 and 4
  const noneMatch = headers["if-none-match"]
  if (noneMatch !== undefined) {
    if (isCurrent(noneMatch, EntityTag.weakEquals)) return reads ? "not-modified" : "precondition-failed"
  } else if (reads && isAfter(modified, parseDate(headers["if-modified-since"])) === false) {
    return "not-modified"
  }
  return "proceed"
}

/**
 * Whether `If-Range` lets a Range be honoured: true when it is absent, when its tag equals `etag` and both are strong,
 * or when its date is exactly `lastModified` in whole seconds. Unlike aiohttp: the tag form is supported, and a date
 * that is later or malformed does not pass.
 *
 * @spec RFC 9110 §13.1.5
 */
export const ifRange = (
  header: string | undefined,
  current: { readonly etag?: EntityTag.EntityTag | undefined; readonly lastModified?: Date | undefined }
): boolean => {
  if (header === undefined) return true
  const tag = EntityTag.parse(header)
  if (tag !== undefined) return current.etag !== undefined && EntityTag.strongEquals(tag, current.etag)
  const date = parseDate(header)
  return date !== undefined && current.lastModified !== undefined && seconds(current.lastModified) === date
}

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000)

// `undefined` when one of the two is not known; an invalid Date is not known either
const isAfter = (modified: number | undefined, date: number | undefined): boolean | undefined =>
  modified === undefined || date === undefined || Number.isNaN(modified) ? undefined : modified > date

const parseDate = (header: string | undefined): number | undefined => {
  if (header === undefined) return undefined
  const parsed = Headers.parseHttpDate(Syntax.trim(header))
  return Result.isSuccess(parsed) ? Math.floor(DateTime.toEpochMillis(parsed.success) / 1000) : undefined
}
