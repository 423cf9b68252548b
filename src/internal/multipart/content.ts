/**
 * The ways to read what comes once: as text, bytes, JSON, a stream, or into a file.
 *
 * ```ts
 * const content = make({ what: 'The field "a"', charset: undefined, chunks })
 * const text = yield* content.text
 * ```
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as HttpError from "../../HttpError.ts"
import type { Content, Failure } from "../../Multipart.ts"
import * as Charset from "../charset.ts"
import { decoder } from "../decode.ts"
import { parseJson } from "../parseJson.ts"
import { saveTo } from "./saveTo.ts"

/** Where it comes from. */
export interface Source {
  /** Its name for errors, as the beginning of a sentence. */
  readonly what: string
  readonly charset: string | undefined
  readonly chunks: Stream.Stream<Uint8Array, Failure>
}

/** What was read whole stays, and is read again as often as it is wanted. */
export const make = ({ charset, chunks, what }: Source): Content => {
  let whole: Exit.Exit<Uint8Array<ArrayBuffer>, Failure> | undefined
  const bytes = Effect.suspend(
    () =>
      whole ??
      Effect.onExit(collect(chunks), (exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit) || !Exit.hasInterrupts(exit)) whole = exit
        })
      )
  )
  const stream = Stream.suspend(() => (whole === undefined ? chunks : Stream.fromEffect(whole)))
  const text = Effect.flatMap(bytes, (bytes): Exit.Exit<string, Failure> => {
    const decode = Charset.decoder(charset)
    if (decode === undefined) return unsupported(`${what} has a charset that is not supported`)
    const text = decode(bytes)
    return text === undefined ? unsupported(`${what} is not ${decode.encoding}`) : Exit.succeed(text)
  })
  return {
    bytes,
    text,
    stream,
    json: (schema) => {
      const decode = decoder(Schema.toCodecJson(schema), "body")
      return Effect.flatMap(Effect.flatMap(text, parseJson), (value) => decode(value))
    },
    saveTo: (path) => saveTo(stream, path)
  }
}

const unsupported = (text: string) => Exit.fail(new HttpError.UnsupportedMediaType({ text }))

// A million chunks of one byte are one array that grows
const collect = (chunks: Stream.Stream<Uint8Array, Failure>): Effect.Effect<Uint8Array<ArrayBuffer>, Failure> =>
  Effect.suspend(() => {
    let bytes = new Uint8Array(1024)
    let size = 0
    const add = (chunk: Uint8Array): void => {
      if (size + chunk.length > bytes.length) {
        const larger = new Uint8Array(Math.max(bytes.length * 2, size + chunk.length))
        larger.set(bytes.subarray(0, size))
        bytes = larger
      }
      bytes.set(chunk, size)
      size += chunk.length
    }
    const each = Stream.runForEachArray(chunks, (array) => Effect.sync(() => array.forEach(add)))
    return Effect.map(each, () => bytes.slice(0, size))
  })
