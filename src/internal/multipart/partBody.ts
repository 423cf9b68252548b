/**
 * A part: what its headers say, and its content, which is there until the next part is asked for.
 *
 * ```ts
 * const part = make(feed, { index: 1, head, limit: 1024, charset: undefined }, nested)
 * ```
 *
 * @spec RFC 2045 §6; RFC 7578 §4.6, §4.7, §4.8
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpError from "../../HttpError.ts"
import type { MediaType } from "../../http/MediaType.ts"
import * as TransferEncoding from "../../http/TransferEncoding.ts"
import type { Failure, Part, Reader } from "../../Multipart.ts"
import * as BodyChunks from "../bodies/bodyChunks.ts"
import * as Content from "./content.ts"
import type { Feed } from "./feed.ts"
import { larger, malformed, quoted } from "./limits.ts"
import type { PartHead } from "./partHead.ts"

/** What a part is made of. */
export interface Source {
  readonly index: number
  readonly head: PartHead
  /** The most bytes of its content, decoded. */
  readonly limit: number
  /** For a text that does not say its own. */
  readonly charset: string | undefined
}

/** Makes the part; `nested` reads the parts of its content. */
export const make = (
  feed: Feed,
  { charset, head, index, limit }: Source,
  nested: (chunks: BodyChunks.Chunks, type: MediaType) => Effect.Effect<Reader, Failure>
): Part => {
  const { filename, headers, name, type } = head
  const what = name === "" ? `Part ${index}` : described(head).replace("the", "The")
  const known = { headers, name, filename, contentType: type.essence }
  let isBegun = false
  const open = (limit: number): Effect.Effect<BodyChunks.Chunks, Failure> =>
    Effect.suspend(() => {
      if (isBegun) return Effect.die(new Error(`Multipart: ${what} was read before: it comes once`))
      isBegun = true
      return decoded(feed, known, headers["content-transfer-encoding"], limit, what)
    })
  const parts = Effect.suspend(() => {
    if (type.essence.startsWith("multipart/")) return Effect.flatMap(open(Infinity), (chunks) => nested(chunks, type))
    const text = `${what} is no multipart but ${type.essence}`
    return Exit.fail(new HttpError.UnsupportedMediaType({ text }))
  })
  const source = { what, charset: type.parameters.charset ?? charset, open: open(limit) }
  return Content.make(Object.assign(known, { parts }), source)
}

/** How errors name a part. */
export const described = ({ filename, name }: Pick<Part, "name" | "filename">): string =>
  `the ${filename === undefined ? "field" : "file"} ${quoted(name)}`

// The content of the part, its transfer encoding undone and its size counted
const decoded = (
  feed: Feed,
  part: object,
  encoding = "binary",
  limit: number,
  what: string
): Exit.Exit<BodyChunks.Chunks, Failure> => {
  const decoder = TransferEncoding.decoder(encoding)
  if (decoder === undefined) {
    const text = `${what} has the Content-Transfer-Encoding ${quoted(encoding)}, which is not known`
    return Exit.fail(new HttpError.UnsupportedMediaType({ text }))
  }
  let size = 0
  const undecodable = Effect.suspend(() => Exit.fail(malformed(`${what} is not ${encoding}`)))
  const pull: BodyChunks.Chunks["pull"] = Effect.suspend(() => {
    if (feed.current !== part) {
      return Effect.die(new Error(`Multipart: ${what} was passed over: read it before the next part`))
    }
    const pieces: Array<Uint8Array> = []
    const state = feed.scanner.take(pieces)
    for (const [index, piece] of pieces.entries()) {
      const bytes = decoder.write(piece)
      if (bytes === undefined) return undecodable
      pieces[index] = bytes
      size += bytes.length
    }
    if (size > limit) return Exit.fail(larger(`${what} is`, limit))
    if (Arr.isArrayNonEmpty(pieces)) return Exit.succeed(pieces)
    if (state === "more") return Effect.flatMap(feed.more, () => pull)
    return decoder.isWhole() ? Cause.done() : undecodable
  })
  return Exit.succeed(decoder === TransferEncoding.identity ? { ...feed.chunks, pull } : BodyChunks.make(pull))
}
