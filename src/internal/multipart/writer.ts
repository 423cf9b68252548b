/**
 * A response of several parts.
 *
 * ```ts
 * Response.multipart([
 *   { body: JSON.stringify(meta), headers: { "content-type": "application/json" } },
 *   { body: picture, headers: { "content-type": "image/png" } } // bytes, text, or a stream
 * ], { subtype: "related" })
 * ```
 *
 * @source aiohttp.MultipartWriter
 * @spec RFC 2046 §5.1; RFC 9110 §14.6
 */
import * as Encoding from "effect/encoding/Hex"
import * as HttpHeaders from "effect/http/Headers"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as MediaType from "../../http/MediaType.ts"
import * as Syntax from "../../http/Syntax.ts"
import { prepared } from "../bodies/responseBody.ts"
import { sized } from "../bodies/sizedStream.ts"
import { checkHeader } from "../responses/responseHead.ts"

/** A part: its body, and its headers; text is `text/plain; charset=utf-8` unless they say otherwise, all else bytes. */
export interface Part {
  readonly body: string | Uint8Array | Stream.Stream<Uint8Array | string, unknown>
  readonly headers?: HttpHeaders.Input
  /** The length of a stream in bytes, where it is known. */
  readonly contentLength?: number
}

/** The options of a response, and of what kind its parts are. */
export interface MultipartOptions extends Omit<Base.Options.WithContentType, "contentType"> {
  /** "mixed" unless given; as "related" or "alternative". */
  readonly subtype?: string
  /** The line between the parts; a random one unless given. It must not be in a part. */
  readonly boundary?: string
}

/**
 * A response of parts, as `multipart/mixed` unless said. It has a Content-Length when the lengths of all parts are known.
 *
 * Throws a TypeError without parts, for a header that cannot be written, and for a boundary that is malformed or occurs in the text or
 * the bytes of a part.
 *
 * @source aiohttp.MultipartWriter
 * @spec RFC 2046 §5.1
 */
export const multipart = (parts: ReadonlyArray<Part>, options: MultipartOptions = {}): HttpServerResponse => {
  const { subtype = "mixed", boundary = randomBoundary(), ...rest } = options
  if (parts.length === 0) throw new TypeError("Response.multipart: there is no part; give one at least (RFC 2046 §5.1)")
  if (!Syntax.isToken(subtype))
    throw new TypeError(`${JSON.stringify(subtype)} is no subtype: write a word, as "mixed"`)
  checkBoundary(boundary)
  const bodies = parts.map(({ body }) => (typeof body === "string" ? encoder.encode(body) : body))
  for (const body of options.boundary === undefined ? [] : bodies) checkAbsent(boundary, body)
  const frames = frame(parts.map(headersOf), boundary)
  const pieces = frames.flatMap((text, at) => (at < bodies.length ? [text, bodies[at]!] : [text]))
  const contentType = typeOf(subtype, boundary)
  if (pieces.every((piece) => piece instanceof Uint8Array)) {
    return Base.uint8Array(concat(pieces), prepared({ ...rest, contentType }))
  }
  const lengths = [
    ...frames.map(({ length }) => length),
    ...parts.map((part, at) => part.contentLength ?? sizeOf(bodies[at]!))
  ]
  const contentLength = lengths.reduce<number | undefined>(
    (sum, length) => (sum === undefined || length === undefined ? undefined : sum + length),
    0
  )
  const body = Stream.flatMap(Stream.fromIterable(pieces), (piece) =>
    piece instanceof Uint8Array ? Stream.make(piece) : Stream.map(piece, toBytes)
  )
  const made = prepared({ ...rest, contentType })
  return contentLength === undefined
    ? Base.stream(body, made)
    : Base.stream(sized(body, contentLength), { ...made, contentLength })
}

/** What stands before each part and behind the last: one more than there are parts. Header names and values are checked. */
export const frame = (
  parts: ReadonlyArray<Readonly<Record<string, string>>>,
  boundary: string
): ReadonlyArray<Uint8Array> => {
  const heads = parts.map((headers, at) => {
    const lines = Object.entries(headers).map(([name, value]) => {
      checkHeader(name, value)
      return `${name}: ${value}\r\n`
    })
    return encoder.encode(`${at === 0 ? "" : "\r\n"}--${boundary}\r\n${lines.join("")}\r\n`)
  })
  return [...heads, encoder.encode(`\r\n--${boundary}--\r\n`)]
}

/** The Content-Type of a multipart body. */
export const typeOf = (subtype: string, boundary: string): string =>
  MediaType.format({ essence: `multipart/${subtype}`, parameters: { boundary } })

/** A boundary that nobody can guess: else what is in a part could end it. */
export const randomBoundary = (): string => Encoding.encode(crypto.getRandomValues(new Uint8Array(18)))

const encoder = new TextEncoder()

const toBytes = (chunk: Uint8Array | string): Uint8Array => (typeof chunk === "string" ? encoder.encode(chunk) : chunk)

const sizeOf = (body: Uint8Array | Stream.Stream<unknown, unknown>): number | undefined =>
  body instanceof Uint8Array ? body.length : undefined

const headersOf = ({ body, headers }: Part): Readonly<Record<string, string>> => {
  const usual = typeof body === "string" ? "text/plain; charset=utf-8" : "application/octet-stream"
  return { "content-type": usual, ...HttpHeaders.fromInput(headers) }
}

// §5.1.1; a space is allowed there, but not at the end
const checkBoundary = (boundary: string): void => {
  if (/^[\w'()+,\-./:=? ]{0,69}[\w'()+,\-./:=?]$/.test(boundary)) return
  throw new TypeError(`${JSON.stringify(boundary)} is no boundary: use 1 to 70 letters, digits and "-"`)
}

const checkAbsent = (boundary: string, body: unknown): void => {
  if (!(body instanceof Uint8Array) || !latin1.decode(body).includes(`--${boundary}`)) return
  throw new TypeError(`The boundary ${JSON.stringify(boundary)} is in a part: choose another, or leave it out`)
}

const latin1 = new TextDecoder("latin1")

/** All bytes as one. */
export const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
