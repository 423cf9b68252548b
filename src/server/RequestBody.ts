/**
 * The body of a request on Node: read once, within the limit, with its content codings undone.
 *
 * ```ts
 * const body = new RequestBody(incoming, outgoing)
 * ```
 *
 * gzip, x-gzip, deflate, br and zstd, stacked too; the limit counts decoded bytes. 100 Continue is sent when the body is first
 * read, and not at all for an empty one or one that is too large.
 *
 * @spec RFC 9110 §8.4, §10.1.1
 */

import type * as Http from "node:http"
import type { Readable } from "node:stream"
import { pipeline } from "node:stream"
import * as Zlib from "node:zlib"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerError } from "effect/http/HttpServerError"
import { MaxBodySize } from "effect/http/HttpServerRequest"
import * as Stream from "effect/Stream"
import * as HttpError from "../HttpError.ts"

/** Makes the error of a request. */
type Fail = (reason: "Parse" | "BodyTooLarge", cause: unknown) => HttpServerError

const decoders: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = {
  gzip: () => Zlib.createGunzip(),
  "x-gzip": () => Zlib.createGunzip(),
  // "deflate" is zlib; many clients send it raw (RFC 9110 §8.4.1.2).
  deflate: () => Zlib.createInflate(),
  br: () => Zlib.createBrotliDecompress(),
  zstd: () => Zlib.createZstdDecompress()
}

const awaitsContinue = new WeakSet<Http.IncomingMessage>()

/** Marks a request whose client waits for 100 Continue. */
export const expectContinue = (source: Http.IncomingMessage): void => {
  awaitsContinue.add(source)
}

/** True while the client still waits for 100 Continue. */
export const pendingContinue = (source: Http.IncomingMessage): boolean => awaitsContinue.has(source)

/** True when the head announces a body. */
export const announced = (source: Http.IncomingMessage): boolean => {
  const length = source.headers["content-length"]
  return (length !== undefined && length !== "0") || source.headers["transfer-encoding"] !== undefined
}

const codingsOf = (source: Http.IncomingMessage): ReadonlyArray<string> =>
  (source.headers["content-encoding"] ?? "")
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity")

/** The body, shared by all readers of a request. */
export class RequestBody {
  private readonly source: Http.IncomingMessage
  private readonly response: Http.ServerResponse
  private readonly codings: ReadonlyArray<string>
  private opened: Readable | undefined
  private result: Exit.Exit<Buffer, HttpServerError> | undefined
  private waiting: Array<(exit: Exit.Exit<Buffer, HttpServerError>) => void> | undefined

  constructor(source: Http.IncomingMessage, response: Http.ServerResponse) {
    this.source = source
    this.response = response
    this.codings = source.headers["content-encoding"] === undefined ? [] : codingsOf(source)
  }

  /** True when there are content codings, all of them known. */
  get decodes(): boolean {
    return this.codings.length > 0 && this.codings.every((coding) => Object.hasOwn(decoders, coding))
  }

  /** The decoded bytes, unlimited, for readers that limit them themselves. */
  open(): Readable {
    if (this.opened !== undefined) return this.opened
    if (awaitsContinue.delete(this.source) && announced(this.source) && !this.response.headersSent) {
      this.response.writeContinue()
    }
    // Decoding runs from the last coding applied to the first.
    const stages = this.codings.toReversed().map((coding) => (decoders[coding] as () => NodeJS.ReadWriteStream)())
    this.opened =
      stages.length === 0 ? this.source : (pipeline([this.source, ...stages], () => {}) as unknown as Readable)
    return this.opened
  }

  /** What forbids reading at all: an unknown coding (415), or a Content-Length above the limit (413). */
  private refusal(limit: bigint | undefined, fail: Fail): HttpServerError | undefined {
    if (this.codings.length > 0 && !this.decodes) {
      const text = `The content coding "${this.codings.join(", ")}" is not supported`
      const error = new HttpError.UnsupportedMediaType({ text, acceptsEncodings: ["gzip", "deflate", "br", "zstd"] })
      return fail("Parse", error)
    }
    const length = this.source.headers["content-length"]
    return limit !== undefined && length !== undefined && Number(length) > Number(limit)
      ? fail("BodyTooLarge", new Error(`Content-Length ${length} is above the limit of ${limit} bytes`))
      : undefined
  }

  /** The whole body within the limit of the fiber. Everyone who asks gets the same bytes. */
  bytes(fail: Fail): Effect.Effect<Buffer, HttpServerError> {
    return Effect.withFiber((fiber) => {
      const limit = fiber.getRef(MaxBodySize)
      if (this.result === undefined) return this.collect(limit, fail)
      return limit !== undefined && Exit.isSuccess(this.result) && this.result.value.length > limit
        ? Effect.fail(tooLarge(limit, fail))
        : this.result
    })
  }

  private collect(limit: bigint | undefined, fail: Fail): Effect.Effect<Buffer, HttpServerError> {
    const refused = this.refusal(limit, fail)
    if (refused !== undefined) return Effect.fail(refused)
    if (!announced(this.source)) return Exit.succeed(Buffer.alloc(0))
    return Effect.callback((resume) => {
      if (this.waiting !== undefined) {
        this.waiting.push(resume)
        return
      }
      this.waiting = [resume]
      this.read(limit === undefined ? Number.POSITIVE_INFINITY : Number(limit), fail)
    })
  }

  private read(limit: number, fail: Fail): void {
    const chunks: Array<Buffer> = []
    let size = 0
    const done = (exit: Exit.Exit<Buffer, HttpServerError>) => {
      if (this.result !== undefined) return
      this.result = exit
      const waiting = this.waiting ?? []
      for (const resume of waiting) resume(exit)
    }
    const readable = this.open()
    readable.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) {
        chunks.push(chunk)
        return
      }
      if (readable === this.source) readable.pause()
      else this.source.unpipe()
      done(Exit.fail(tooLarge(limit, fail)))
    })
    readable.on("end", () => done(Exit.succeed(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))))
    readable.on("error", (cause) => done(Exit.fail(fail("Parse", malformed(cause)))))
    readable.on("close", () => {
      if (this.result === undefined) done(Exit.fail(fail("Parse", new Error("The request ended before its body"))))
    })
  }

  /** The body as it comes, counted against the limit of the fiber. */
  stream(fail: Fail): Stream.Stream<Uint8Array, HttpServerError> {
    return Stream.unwrap(
      Effect.withFiber((fiber) => {
        const limit = fiber.getRef(MaxBodySize)
        const refused = this.refusal(limit, fail)
        if (refused !== undefined) return Effect.fail(refused)
        const chunks = NodeStream.fromReadable<Uint8Array, HttpServerError>({
          evaluate: () => this.open(),
          onError: (cause) => fail("Parse", malformed(cause)),
          closeOnDone: false
        })
        let size = 0
        return Effect.succeed(
          limit === undefined
            ? chunks
            : Stream.mapEffect(chunks, (chunk) => {
                size += chunk.length
                return size > limit ? Effect.fail(tooLarge(limit, fail)) : Effect.succeed(chunk)
              })
        )
      })
    )
  }
}

const tooLarge = (limit: bigint | number, fail: Fail) =>
  fail("BodyTooLarge", new Error(`The body is above the limit of ${limit} bytes`))

// What zlib cannot decode is the client's fault; its message says what was wrong.
const malformed = (cause: unknown): unknown =>
  /^(?:Z_|ERR__ERROR|ERR_BROTLI|ZSTD_)/.test(String((cause as NodeJS.ErrnoException).code))
    ? new HttpError.BadRequest({ text: `The body cannot be decoded: ${(cause as Error).message}` })
    : cause
