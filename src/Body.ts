/**
 * Reads and decodes the body of a request, within a limit. A `Body` is an Effect to yield, and describes a route's body.
 *
 * ```ts
 * const create = Route.post("/users", { body: Body.json(NewUser, { limit: "64 kB" }) }, ({ body }) => save(body))
 * const login = Effect.gen(function* () {
 *   const { name, password } = yield* Body.form(Schema.Struct({ name: Schema.String, password: Schema.Redacted(Schema.String) }))
 * })
 * ```
 *
 * The limit counts decompressed bytes; without the option it is that of the route, or else of the server: 1 MiB. Exactly the
 * limit is accepted. The body is read once; a second read gets the same value.
 *
 * @source aiohttp.web.BaseRequest.json, post, text, read, content
 * @spec RFC 9110 §8.3, §8.6; RFC 8259
 */
import type * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { HttpServerRequest, MaxBodySize } from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as HttpError from "./HttpError.ts"
import * as MediaType from "./http/MediaType.ts"
import * as Charset from "./internal/bodies/charset.ts"
import { parseJson } from "./internal/bodies/parseJson.ts"
import { announcesMore, type Kind, readBody, tooLarge, unreadable } from "./internal/bodies/readBody.ts"
import * as ByteLimit from "./internal/byteLimit.ts"
import { decoder, recorder } from "./internal/requests/decode.ts"

/** The largest body that is accepted, decompressed; larger is ContentTooLarge (413). */
export interface Options {
  readonly limit?: ByteSize.Input | undefined
}

/** `contentType: "any"` takes the body for JSON whatever its Content-Type says, or without one. */
export interface JsonOptions extends Options {
  readonly contentType?: "json" | "any" | undefined
}

/** The decoded body, as an Effect; and its description. */
export interface Body<out A, out R = never>
  extends Effect.Effect<
    A,
    HttpError.BadRequest | HttpError.ContentTooLarge | HttpError.UnsupportedMediaType | HttpError.UnprocessableContent,
    R | HttpServerRequest
  > {
  readonly "~body": {
    readonly contentType: string
    readonly schema: Schema.Constraint | undefined
    /** In bytes; undefined for that of the route or the server. */
    readonly limit: bigint | undefined
  }
}

/**
 * Decodes the JSON body with a schema. The charset of Content-Type counts, UTF-8 without one; a byte order mark is accepted. In a
 * body above 16 KiB only the first issue is looked for.
 *
 * @errors ContentTooLarge (413) above `limit`, UnsupportedMediaType (415) neither `application/json` nor `+json`, or undecodable,
 * BadRequest (400) not JSON, UnprocessableContent (422) not the schema
 * @source aiohttp.web.BaseRequest.json
 * @spec RFC 8259; RFC 9110 §8.3
 */
export const json = <A, R>(schema: Schema.ConstraintDecoder<A, R>, options?: JsonOptions): Body<A, R> => {
  const decode = decoder<A, R>(Schema.toCodecJson(schema), "body")
  const fits = options?.contentType === "any" ? undefined : MediaType.isJson
  return make({ contentType: "application/json", fits, isText: true }, schema, options, (bytes, charset) => {
    const text = charset(bytes)
    if (text === undefined) return undecodable(charset)
    return Effect.flatMapEager(parseJson(text), (value) =>
      decode(value, bytes.byteLength > 16 * 1024 ? "first" : "all")
    )
  })
}

/**
 * Decodes a form, `application/x-www-form-urlencoded`, with a schema of its fields. Numbers and booleans are read from their
 * texts. A field that occurs once is a string, or always an array where the schema wants one; blank values are kept.
 *
 * @errors ContentTooLarge (413) above `limit`, UnsupportedMediaType (415) another media type, or undecodable,
 * UnprocessableContent (422) not the schema
 * @source aiohttp.web.BaseRequest.post
 * @spec WHATWG URL §5.1
 */
export const form = <A, R>(schema: Schema.ConstraintDecoder<A, R>, options?: Options): Body<A, R> => {
  const codec = Schema.toCodecStringTree(schema)
  const [decode, record] = [decoder(codec, "body"), recorder(codec)]
  const contentType = "application/x-www-form-urlencoded"
  const fits = (essence: string) => essence === contentType
  return make({ contentType, fits, isText: true }, schema, options, (bytes, charset) => {
    const fields = Charset.form(bytes, charset)
    return fields === undefined ? undecodable(charset) : decode(record(fields))
  })
}

/**
 * The body as text, of any media type, by the charset of Content-Type, UTF-8 without one.
 *
 * @errors ContentTooLarge (413) above `limit`, UnsupportedMediaType (415) unknown charset, or undecodable
 * @source aiohttp.web.BaseRequest.text
 */
export const text = (options?: Options): Body<string> =>
  make({ contentType: "text/plain", isText: true }, undefined, options, (bytes, charset) => {
    const decoded = charset(bytes)
    return decoded === undefined ? undecodable(charset) : Exit.succeed(decoded)
  })

/**
 * The body as bytes, of any media type.
 *
 * @errors ContentTooLarge (413) above `limit`
 * @source aiohttp.web.BaseRequest.read
 */
export const bytes = (options?: Options): Body<Uint8Array> =>
  make({ contentType: "application/octet-stream", isText: false }, undefined, options, (bytes) =>
    Exit.succeed(new Uint8Array(bytes))
  )

/**
 * The body as it comes, counted against the limit; it can be read once.
 *
 * @errors ContentTooLarge (413) above `limit`, BadRequest (400) broken off or malformed
 * @source aiohttp.web.BaseRequest.content
 */
export const stream = (
  options?: Options
): Stream.Stream<Uint8Array, HttpError.BadRequest | HttpError.ContentTooLarge, HttpServerRequest> => {
  const own = parseLimit(options)
  return Stream.unwrap(
    Effect.withFiber((fiber) => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      const limit = own ?? fiber.getRef(MaxBodySize)
      if (announcesMore(request, limit)) return Exit.fail(tooLarge(limit))
      // Effect's adapter of a web request fails where there is no body
      if (request.source instanceof globalThis.Request && request.source.body === null)
        return Exit.succeed(Stream.empty)
      const chunks = own === undefined ? request.stream : Stream.provideService(request.stream, MaxBodySize, own)
      let size = 0
      const counted = Stream.mapArrayEffect(chunks, (array) => {
        for (const chunk of array) size += chunk.byteLength
        return limit !== undefined && size > limit ? Exit.fail(tooLarge(limit)) : Exit.succeed(array)
      })
      return Exit.succeed(
        Stream.catch(counted, (error) =>
          HttpError.isHttpError(error) ? Stream.fail(error) : Stream.fromEffect(unreadable(error, limit))
        )
      )
    })
  )
}

const make = <A, R>(
  kind: Kind,
  schema: Schema.Constraint | undefined,
  options: Options | undefined,
  decode: Parameters<typeof readBody<A, R>>[2]
): Body<A, R> => {
  const limit = parseLimit(options)
  return Object.assign(readBody(kind, limit, decode), { "~body": { contentType: kind.contentType, schema, limit } })
}

const parseLimit = (options: Options | undefined): ByteSize.ByteSize | undefined =>
  options?.limit === undefined ? undefined : ByteLimit.parse(options.limit)

const undecodable = (charset: Charset.Decoder) =>
  Exit.fail(new HttpError.UnsupportedMediaType({ text: `The body is not ${charset.encoding}` }))
