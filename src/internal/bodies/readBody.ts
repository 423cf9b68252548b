/**
 * How a body is read: its media type and its length are checked before, its size after, and what fails has an answer.
 *
 * ```ts
 * const bytes = readBody({ contentType: "application/octet-stream", isText: false }, undefined, (bytes) => Exit.succeed(bytes))
 * ```
 */

import type { ByteSize } from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerError } from "effect/http/HttpServerError"
import { HttpServerRequest, MaxBodySize } from "effect/http/HttpServerRequest"
import * as HttpError from "../../HttpError.ts"
import * as MediaType from "../../http/MediaType.ts"
import * as Charset from "./charset.ts"

/** What a body fails with. */
export type Failure =
  | HttpError.BadRequest
  | HttpError.ContentTooLarge
  | HttpError.UnsupportedMediaType
  | HttpError.UnprocessableContent

/** What a body has to be: `fits` checks the media type, any without it; `isText` wants a charset that is known. */
export interface Kind {
  readonly contentType: string
  readonly fits?: ((essence: string) => boolean) | undefined
  readonly isText: boolean
}

/** Reads the body whole, within `own` or else the limit of the fiber, and decodes it. */
export const readBody = <A, R>(
  kind: Kind,
  own: ByteSize | undefined,
  decode: (bytes: ArrayBuffer, charset: Charset.Decoder) => Effect.Effect<A, Failure, R>
): Effect.Effect<A, Failure, R | HttpServerRequest> =>
  Effect.withFiber((fiber): Effect.Effect<A, Failure, R> => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest)
    const charset = check(kind, request.headers["content-type"])
    if (HttpError.isHttpError(charset)) return Exit.fail(charset)
    const limit = own ?? fiber.getRef(MaxBodySize)
    if (announcesMore(request, limit)) return Exit.fail(tooLarge(limit))
    const { arrayBuffer } = request
    return Effect.matchEffect(own === undefined ? arrayBuffer : Effect.provideService(arrayBuffer, MaxBodySize, own), {
      onFailure: (error) => unreadable(error, limit),
      // Someone may have read it before, with a higher limit
      onSuccess: (bytes) =>
        limit !== undefined && bytes.byteLength > limit ? Exit.fail(tooLarge(limit)) : decode(bytes, charset)
    })
  })

/** True when Content-Length is above the limit. */
export const announcesMore = (request: HttpServerRequest, limit: bigint | undefined): boolean => {
  const length = request.headers["content-length"]
  return limit !== undefined && length !== undefined && Number(length) > limit
}

/** The error of a body above the limit. */
export const tooLarge = (limit: bigint | undefined): HttpError.ContentTooLarge =>
  limit === undefined
    ? new HttpError.ContentTooLarge({})
    : new HttpError.ContentTooLarge({ text: `The body is larger than ${limit} bytes`, limit: Number(limit) })

/** The failure of an adapter as ours: an HTTP error that it carries, too large, or broken. Its own faults are defects. */
export const unreadable = (
  error: HttpServerError,
  limit: bigint | undefined
): Effect.Effect<never, HttpError.BadRequest | HttpError.ContentTooLarge> => {
  const { reason } = error
  if (reason._tag !== "RequestParseError") return Exit.die(error)
  if (reason.reason === "BodyTooLarge") return Exit.fail(tooLarge(limit))
  // The engine carries errors of any status (a timeout, an unknown coding): they answer for themselves.
  if (HttpError.isHttpError(reason.cause)) return Exit.fail(reason.cause as HttpError.BadRequest)
  return Exit.fail(new HttpError.BadRequest({ text: "The body cannot be read to its end", cause: error }))
}

const check = (kind: Kind, header: string | undefined): Charset.Decoder | HttpError.UnsupportedMediaType => {
  if (header === kind.contentType) return Charset.utf8
  const type = header === undefined ? undefined : MediaType.parse(header)
  if (kind.fits !== undefined && (type === undefined || !kind.fits(type.essence))) {
    const text = `Expected ${kind.contentType}, got ${type?.essence ?? "no valid Content-Type"}`
    return new HttpError.UnsupportedMediaType({ text, accepts: [kind.contentType] })
  }
  if (!kind.isText) return Charset.utf8
  const text = "The charset of Content-Type is not supported"
  return Charset.decoder(type?.parameters.charset) ?? new HttpError.UnsupportedMediaType({ text })
}
