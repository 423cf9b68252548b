/**
 * Reads the parts of a multipart body as they arrive.
 *
 * ```ts
 * const reader = yield* make(chunks, { essence: "multipart/form-data", parameters: { boundary: "aaa" } }, limits)
 * const part = yield* reader.next
 * ```
 *
 * To ask for the next part is to pass over what is left of the one before: no order of calls waits for what nobody reads.
 *
 * @spec RFC 2046 §5.1; RFC 7578
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as HttpError from "../../HttpError.ts"
import type { MediaType } from "../../http/MediaType.ts"
import type { Failure, Part, Reader } from "../../Multipart.ts"
import type { Chunks } from "../bodies/bodyChunks.ts"
import { Feed } from "./feed.ts"
import { type Limits, larger, malformed, more } from "./limits.ts"
import * as PartBody from "./partBody.ts"
import * as PartHead from "./partHead.ts"
import { Scanner } from "./scanner.ts"

/** Where a body is within another, and how many parts there were in all of them. */
interface Nesting {
  readonly depth: number
  readonly counted: { parts: number }
}

type Next = Effect.Effect<Part | undefined, Failure>

/** Makes the reader of a body of the media type. */
export const make = (
  chunks: Chunks,
  type: MediaType,
  limits: Limits,
  nesting: Nesting = { depth: 1, counted: { parts: 0 } }
): Effect.Effect<Reader, Failure> => {
  const { boundary } = type.parameters
  // Unlike RFC 2046 §5.1.1 any visible character is taken: there are clients that send them
  if (boundary === undefined || !/^[ -~]{0,69}[!-~]$/.test(boundary)) {
    return Exit.fail(malformed(`${type.essence} needs a boundary of 1 to 70 characters in its Content-Type`))
  }
  if (nesting.depth > limits.depth) return Exit.fail(malformed(`Multipart is nested more than ${limits.depth} deep`))
  const feed = new Feed(new Scanner(boundary, limits.headers, chunks.release), chunks)
  return Exit.succeed(reader(parts(feed, type.essence === "multipart/form-data", limits, nesting)))
}

const parts = (feed: Feed, isForm: boolean, limits: Limits, nesting: Nesting): Next => {
  let index = 0
  let charset: string | undefined
  const nested = (chunks: Chunks, type: MediaType) =>
    make(chunks, type, limits, { ...nesting, depth: nesting.depth + 1 })
  const begin = (head: PartHead.PartHead): Next => {
    const limit = head.filename === undefined ? limits.field : limits.file
    const part = PartBody.make(feed, { index, head, limit, charset }, nested)
    feed.current = part
    // The charset of the fields, where it comes before them (RFC 7578 §4.6)
    if (!isForm || index > 1 || part.name !== "_charset_" || part.filename !== undefined) return Exit.succeed(part)
    return Effect.flatMap(part.text, (text) => {
      charset = text.trim()
      return next
    })
  }
  const next: Next = Effect.suspend(() => {
    if (feed.broken !== undefined) return feed.broken
    feed.current = undefined
    const bytes = feed.scanner.head()
    if (bytes === "end") return Exit.succeed(undefined)
    if (bytes === "more") return Effect.flatMap(feed.more, () => next)
    index++
    if (bytes === "large") return feed.fail(Exit.fail(larger(`The headers of part ${index} are`, limits.headers)))
    if (++nesting.counted.parts > limits.parts) {
      return feed.fail(Exit.fail(more(`There are more than ${limits.parts} parts`)))
    }
    const head = PartHead.parse(bytes, { index, isForm }, limits.headerCount)
    return Result.isFailure(head) ? feed.fail(Exit.fail(head.failure)) : begin(head.success)
  })
  return next
}

const reader = (next: Next): Reader => ({
  next,
  field: (name) =>
    Effect.flatMap(next, (part) =>
      part?.name === name && part.filename === undefined ? part.text : unexpected("field", name, part)
    ),
  file: (name) =>
    Effect.flatMap(next, (part) =>
      part?.name === name && isFile(part) ? Exit.succeed(part) : unexpected("file", name, part)
    ),
  stream: Stream.fromPull(
    Exit.succeed(Effect.flatMap(next, (part) => (part === undefined ? Cause.done() : Exit.succeed([part] as const))))
  )
})

// "" is what a browser sends where no file was chosen
const isFile = (part: Part): part is Part & { readonly filename: string } =>
  part.filename !== undefined && part.filename !== ""

const unexpected = (kind: "field" | "file", name: string, part: Part | undefined) => {
  const got = part === undefined ? "the end of the body" : part.filename === "" ? "none" : PartBody.described(part)
  const message = `Expected this ${kind} next, got ${got}`
  const issues = [new HttpError.Issue({ in: "body", path: [name], message })]
  return Exit.fail(new HttpError.UnprocessableContent({ text: `Invalid body: ${name}: ${message}`, issues }))
}
