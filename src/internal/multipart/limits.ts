/**
 * The limits of a multipart body: as they are declared, and the failures of what is above them.
 *
 * ```ts
 * const limits = parse({ limit: "2 GB" }) // the others as they are by default
 * ```
 */
import type * as ByteSize from "effect/ByteSize"
import * as HttpError from "../../HttpError.ts"
import type { Failure, Options } from "../../Multipart.ts"
import * as ByteLimit from "../byteLimit.ts"

/** Sizes in bytes, and counts. */
export interface Limits {
  /** Of the whole body; undefined for that of the route or the server. */
  readonly body: ByteSize.ByteSize | undefined
  readonly field: number
  readonly file: number
  readonly fields: number
  readonly headers: number
  readonly headerCount: number
  readonly parts: number
  readonly depth: number
}

const kibibyte = 1024
const mebibyte = 1024 * kibibyte

/** Throws a TypeError for what is no size or no count. */
export const parse = (options: Options): Limits => {
  const field = size(options.fieldLimit, mebibyte)
  return {
    body: options.limit === undefined ? undefined : ByteLimit.parse(options.limit),
    field,
    file: size(options.fileLimit, Number.POSITIVE_INFINITY),
    fields: Math.max(field, size(options.fieldsLimit, 10 * mebibyte)),
    headers: size(options.headersLimit, 16 * kibibyte),
    headerCount: count("maxHeaders", options.maxHeaders ?? 100),
    parts: count("maxParts", options.maxParts ?? 1000),
    depth: count("maxDepth", options.maxDepth ?? 3)
  }
}

const size = (input: ByteSize.Input | undefined, standard: number): number =>
  input === undefined ? standard : Number(ByteLimit.parse(input))

const count = (name: string, value: number): number => {
  if (Number.isInteger(value) && value > 0) return value
  throw new TypeError(`Multipart: ${name} is ${value}: write a whole number above 0`)
}

/** The failure of what is larger than a limit in bytes. */
export const larger = (what: string, limit: number): Failure =>
  new HttpError.ContentTooLarge({ text: `${what} larger than ${limit} bytes`, limit })

/** The failure of what is more than a limit in number. */
export const more = (text: string): Failure => new HttpError.ContentTooLarge({ text })

/** The failure of what is malformed. */
export const malformed = (text: string): Failure => new HttpError.BadRequest({ text })

/** A name of the client as an error says it. */
export const quoted = (name: string): string => JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}...` : name)
