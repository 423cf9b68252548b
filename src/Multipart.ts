/**
 * Reads multipart bodies: part by part as they arrive, or whole, as a form that a schema decodes.
 *
 * ```ts
 * const upload = Effect.gen(function* () {
 *   const parts = yield* Multipart.reader
 *   const name = yield* parts.field("name")
 *   const mp3 = yield* parts.file("mp3")
 *   const size = yield* mp3.saveTo(target)
 *   return Response.text(`${mp3.filename} sized of ${size} successfully stored`)
 * })
 * ```
 *
 * A part is there until the next one is asked for. What is left of it then is passed over, so that skipping is always safe. The client
 * is not read while the handler does not read. What is malformed, cut off or above a limit is a failure that has a response.
 *
 * @source aiohttp.MultipartReader, BodyPartReader; aiohttp.web.BaseRequest.multipart, post, FileField
 * @spec RFC 7578; RFC 2046 §5.1
 */
import type * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Body from "./Body.ts"
import type * as HttpError from "./HttpError.ts"
import * as Form from "./internal/multipart/form.ts"
import * as Limits from "./internal/multipart/limits.ts"
import { entries, open } from "./internal/multipart/request.ts"
import { decoder, knows, recorder } from "./internal/requests/decode.ts"

/** What reading fails with: malformed, above a limit, of another type, not what was expected. */
export type Failure =
  | HttpError.BadRequest
  | HttpError.ContentTooLarge
  | HttpError.UnsupportedMediaType
  | HttpError.UnprocessableContent

/** What is accepted; exactly a limit is, more is ContentTooLarge (413) unless said. A part with a file name is a file, else a field. */
export interface Options {
  /** Of the whole body with its boundaries and headers, decompressed; that of the route, or else of the server: 1 MiB. */
  readonly limit?: ByteSize.Input | undefined
  /** Of a field; 1 MiB. */
  readonly fieldLimit?: ByteSize.Input | undefined
  /** Of a file; as much as the body may have. */
  readonly fileLimit?: ByteSize.Input | undefined
  /** Of all fields of a `form` together, which are kept in memory; 10 MiB, or what one may have if that is more. */
  readonly fieldsLimit?: ByteSize.Input | undefined
  /** Of the headers of a part; 16 KiB. */
  readonly headersLimit?: ByteSize.Input | undefined
  /** The most header fields of a part; 100. */
  readonly maxHeaders?: number | undefined
  /** The most parts, with those of nested bodies; 1000. */
  readonly maxParts?: number | undefined
  /** How deep a body may be nested; 3, of which the body itself is 1. Deeper is BadRequest (400). */
  readonly maxDepth?: number | undefined
}

/** The content of a part. `bytes`, `text` and `json` read it whole, and again from memory; else it comes once. */
export interface Content {
  /** By the charset of its Content-Type, or the `_charset_` field of the form, or UTF-8; else UnsupportedMediaType (415). */
  readonly text: Effect.Effect<string, Failure>
  readonly bytes: Effect.Effect<Uint8Array<ArrayBuffer>, Failure>
  /** Whatever its Content-Type says. BadRequest (400) not JSON, UnprocessableContent (422) not the schema. */
  readonly json: <A, R>(schema: Schema.ConstraintDecoder<A, R>) => Effect.Effect<A, Failure, R>
  readonly stream: Stream.Stream<Uint8Array, Failure>
  /**
   * Writes it to the path, in place of any file there, and gives its size in bytes. It goes to a temporary file beside it first, which
   * is synced and renamed: broken off, it leaves nothing. The path is the program's: of a client's `filename` only one segment is made.
   * What the file system refuses is a defect.
   */
  readonly saveTo: (path: string) => Effect.Effect<number, Failure>
}

/** A part as it arrives. Its transfer encoding is undone: base64, quoted-printable; another is UnsupportedMediaType (415). */
export interface Part extends Content {
  /** As sent, by names in lower case, with a null prototype. */
  readonly headers: Readonly<Record<string, string>>
  /** Never missing in form-data; "" where a part of another kind has none. */
  readonly name: string
  /**
   * Undefined for a field. It is fit to be a segment of a path: the last one of what was sent, without control characters and those that
   * turn the direction of writing, at most 200 bytes, never "." or "..". "" where no file was chosen.
   */
  readonly filename: string | undefined
  /** In lower case, without parameters; where none was sent "text/plain" for a field and "application/octet-stream" for a file. */
  readonly contentType: string
  /** The parts of a part that is multipart itself; of another it is UnsupportedMediaType (415). */
  readonly parts: Effect.Effect<Reader, Failure>
}

/** The parts of a body, in their order. All ways to ask go on from where the last one was. */
export interface Reader {
  /** The next part, or undefined at the end. */
  readonly next: Effect.Effect<Part | undefined, Failure>
  /** The text of the next part, which has to be the field of this name; another is UnprocessableContent (422). */
  readonly field: (name: string) => Effect.Effect<string, Failure>
  /** The next part, which has to be the file of this name; another, or none chosen, is UnprocessableContent (422). */
  readonly file: (name: string) => Effect.Effect<Part & { readonly filename: string }, Failure>
  /** Each part while it is current: read it before the stream goes on. */
  readonly stream: Stream.Stream<Part, Failure>
}

/** A file of a form. It is deleted when the scope of the request closes: save it to keep it. */
export interface File extends Content {
  readonly name: string
  /** As that of a part. */
  readonly filename: string
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  /** In bytes. */
  readonly size: number
  readonly path: string
}

const noText = SchemaGetter.forbidden<never, unknown>(() => "A file of a form has no text")

/** The schema of a file of a form; in documents `{ type: "string", format: "binary" }`. */
export const File: Schema.declare<File> = Schema.declare(Form.isFile, {
  expected: "a file",
  toCodecStringTree: () => undefined,
  toCodecJson: () =>
    Schema.link<File>()(Schema.String.annotate({ format: "binary" }), { decode: noText, encode: noText })
})

/**
 * The parts of the request, with other limits.
 *
 * @errors UnsupportedMediaType (415) no `multipart/*`, BadRequest (400) no valid boundary, ContentTooLarge (413) Content-Length above
 * the limit; and each of its readers malformed (400) or above a limit (413)
 */
export const readerWith = (options: Options): Effect.Effect<Reader, Failure, HttpServerRequest | Scope.Scope> =>
  open("multipart/*", Limits.parse(options))

/** The parts of the request, as they arrive, within the usual limits. */
export const reader: Effect.Effect<Reader, Failure, HttpServerRequest | Scope.Scope> = readerWith({})

/**
 * Decodes a form, `multipart/form-data`, with a schema of its fields and files. Numbers and booleans are read from their texts. What
 * occurs once is a value, or always an array where the schema wants one; blank values are kept. Files that were not chosen, or that the
 * schema does not name, are left out; the others are in a temporary directory until the scope of the request closes. A second read
 * gets the same parts.
 *
 * @errors as `readerWith`, UnprocessableContent (422) not the schema
 * @source aiohttp.web.BaseRequest.post
 * @spec RFC 7578
 */
export const form = <A, R>(
  schema: Schema.ConstraintDecoder<A, R>,
  options: Options = {}
): Body.Body<A, R | Scope.Scope> => {
  const codec = Schema.toCodecStringTree(schema)
  const [decode, record, known] = [decoder(codec, "body"), recorder(codec), knows(codec)]
  const [contentType, limits] = ["multipart/form-data", Limits.parse(options)] as const
  return Object.assign(
    Effect.flatMap(entries(contentType, limits, known), (entries) => decode(record(entries))),
    { "~body": { contentType, schema, limit: limits.body } }
  )
}
