/**
 * Streamed bodies whose elements are values of a schema: JSON by lines, and text.
 *
 * ```ts
 * Route.get("/rows", Response.ndjson(Row, rows)) // {"id":1}\n{"id":2}\n
 * Route.get("/rows", { success: Response.ndjson(Row) }, () => Effect.succeed(rows))
 * Response.textStream(Schema.FiniteFromString, Stream.range(1, 3)) // 123
 * ```
 *
 * They are sent as `Response.stream` sends: the head waits for the first element, so what fails before it is answered as any
 * failure; after it the connection is cut. A value that does not encode is a defect.
 *
 * @spec https://github.com/ndjson/ndjson-spec; RFC 8259
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Described } from "../responses/describedResponse.ts"
import { prepared } from "./responseBody.ts"

/** A schema whose values have the encoded form E, made without services. */
type Codec<A, E> = Schema.ConstraintCodec<A, E, unknown, never>

/** With a stream the response; without it the `success` of a described route, whose handler returns the stream. */
export interface SchemaStream<in E> {
  <A>(schema: Codec<A, E>, options?: Base.Options.WithContentType): Described<Stream.Stream<A, unknown>>
  <A, F>(
    schema: Codec<A, E>,
    stream: Stream.Stream<NoInfer<A>, F>,
    options?: Base.Options.WithContentType
  ): HttpServerResponse
}

/**
 * A stream of values as JSON, one to a line, each line ended by LF: `application/x-ndjson`, the usual type, for none is registered;
 * who wants `application/jsonl` gives it as `contentType`. A value that does not encode is a defect.
 *
 * @spec https://github.com/ndjson/ndjson-spec
 */
export const ndjson: SchemaStream<unknown> = make("application/x-ndjson", (schema) => {
  const encode = Schema.encodeEffect(Schema.toCodecJson(schema))
  return (value) => Effect.mapEager(encode(value), (json) => `${JSON.stringify(json)}\n`)
})

/**
 * A stream of values whose encoded form is text, one behind the other with nothing between them, as `text/plain; charset=utf-8`.
 * A value that does not encode is a defect.
 */
export const textStream: SchemaStream<string> = make(
  "text/plain; charset=utf-8",
  (schema) =>
    // The type of the schema says that it encodes to text.
    Schema.encodeEffect(schema) as (value: unknown) => Effect.Effect<string, Schema.SchemaError>
)

type Values = Stream.Stream<unknown, unknown>
type Encode = (value: unknown) => Effect.Effect<string, Schema.SchemaError>

function make<E>(usual: string, encoder: (schema: Codec<unknown, E>) => Encode): SchemaStream<E> {
  return ((schema: Codec<unknown, E>, ...rest: [(Values | Base.Options)?, Base.Options?]) => {
    const [stream, given] = Stream.isStream(rest[0]) ? [rest[0], rest[1]] : [undefined, rest[0]]
    const options = prepared(given ?? {}, usual)
    const encode = encoder(schema)
    const send = (stream: Values) => Base.stream(Stream.encodeText(encoded(stream, encode)), options)
    if (stream !== undefined) return send(stream)
    const { contentType = Headers.fromInput(options.headers)["content-type"], status = 200 } = options
    return { _tag: "Described", schema, status, contentType, encode: (stream: Values) => Effect.succeed(send(stream)) }
    // The overloads are those of the interface.
  }) as SchemaStream<E>
}

// In characters.
const most = 64 * 1024

// One text for what comes at once, so that it is written at once; several where it is much, each encoded when the one before was taken.
const encoded = (stream: Values, encode: Encode): Stream.Stream<string, unknown> =>
  Stream.transformPull(stream, (pull) =>
    Effect.sync(() => {
      let values: ReadonlyArray<unknown> = []
      let at = 0
      const text = Effect.suspend(() => {
        let text = ""
        const all = Effect.whileLoop({
          while: () => at < values.length && text.length < most,
          body: () => encode(values[at++]),
          step: (next) => {
            text += next
          }
        })
        return Effect.map(Effect.orDie(all), () => Arr.of(text))
      })
      return Effect.suspend(() => {
        if (at < values.length) return text
        return Effect.flatMap(pull, (next) => {
          values = next
          at = 0
          return text
        })
      })
    })
  )
