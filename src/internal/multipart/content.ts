/**
 * The ways to read what comes once: as text, bytes, JSON, a stream, or into a file.
 *
 * ```ts
 * const content = make({ name: "a" }, { what: 'The field "a"', charset: undefined, open })
 * const text = yield* content.text
 * ```
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as HttpError from "../../HttpError.ts"
import type { Content, Failure } from "../../Multipart.ts"
import { type Chunks, forEach, once } from "../bodies/bodyChunks.ts"
import * as Charset from "../bodies/charset.ts"
import { parseJson } from "../bodies/parseJson.ts"
import { decoder } from "../requests/decode.ts"
import { saveTo } from "./saveTo.ts"

/** Where it comes from. */
export interface Source {
  /** Its name for errors, as the beginning of a sentence. */
  readonly what: string
  readonly charset: string | undefined
  readonly open: Effect.Effect<Chunks, Failure, Scope.Scope>
}

const opens = new WeakMap<object, Source["open"]>()

/** Opens a content without the cost of its stream. */
export const openOf = (content: Content): Source["open"] => opens.get(content) as Source["open"]

/** Adds a content to what is known of it. What was read whole stays, and is read again as often as it is wanted. */
export const make = <T extends object>(target: T, { charset, open, what }: Source): T & Content => {
  let whole: Exit.Exit<Uint8Array<ArrayBuffer>, Failure> | undefined
  const bytes = Effect.suspend(
    () =>
      whole ??
      Effect.onExit(Effect.scoped(Effect.flatMap(open, collect)), (exit) =>
        Effect.sync(() => {
          if (!Exit.hasInterrupts(exit)) whole = exit
        })
      )
  )
  const opened = Effect.suspend(() => (whole === undefined ? open : Effect.map(whole, once)))
  const text = Effect.flatMap(bytes, (bytes): Exit.Exit<string, Failure> => {
    const decode = Charset.decoder(charset)
    if (decode === undefined) return unsupported(`${what} has a charset that is not supported`)
    const text = decode(bytes)
    return text === undefined ? unsupported(`${what} is not ${decode.encoding}`) : Exit.succeed(text)
  })
  opens.set(target, opened)
  return Object.assign(target, {
    bytes,
    text,
    stream: Stream.unwrap(Effect.map(opened, (chunks) => Stream.fromPull(Exit.succeed(chunks.pull)))),
    json: <A, R>(schema: Schema.ConstraintDecoder<A, R>) => {
      const decode = decoder<A, R>(Schema.toCodecJson(schema), "body")
      return Effect.flatMap(Effect.flatMap(text, parseJson), (value) => decode(value))
    },
    saveTo: (path: string) => saveTo(opened, path)
  })
}

const unsupported = (text: string) => Exit.fail(new HttpError.UnsupportedMediaType({ text }))

// A million chunks of one byte are one array that grows
const collect = (chunks: Chunks): Effect.Effect<Uint8Array<ArrayBuffer>, Failure> =>
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
    const all = forEach(chunks, (array) => Effect.sync(() => array.forEach(add)))
    return Effect.map(all, () => bytes.slice(0, size))
  })
