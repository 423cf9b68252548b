/**
 * The body of a request on Node: read once, within the limit, with its content codings undone.
 *
 * ```ts
 * const body = new RequestBody(incoming, outgoing)
 * ```
 *
 * The limit counts decoded bytes. 100 Continue is sent when the body is first read, and not at all for an empty one or one that is
 * too large.
 *
 * @spec RFC 9110 §8.4, §10.1.1
 */

import type * as Http from "node:http"
import { Readable } from "node:stream"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerError } from "effect/http/HttpServerError"
import { MaxBodySize } from "effect/http/HttpServerRequest"
import * as Stream from "effect/Stream"
import * as HttpError from "../../HttpError.ts"
import * as ContentCoding from "./contentCoding.ts"
import * as Patrol from "./limits/Patrol.ts"

/** Makes the error of a request. */
type Fail = (reason: "Parse" | "BodyTooLarge", cause: unknown) => HttpServerError

const awaitsContinue = new WeakSet<Http.IncomingMessage>()

interface Internals {
  /** The response that is going out. */
  readonly _httpMessage?: Http.ServerResponse | null
  /** Node closes the connection after a final answer to a client that was never told to go on. */
  _expect_continue?: boolean
}

/** Marks a request whose client waits for 100 Continue before it sends its body. */
export const expectContinue = (source: Http.IncomingMessage, response: Http.ServerResponse): void => {
  if (announced(source)) awaitsContinue.add(source)
  else (response as Internals)._expect_continue = false
}

// In a pipeline it waits for its turn: Node would write it between the head and the content of the final answer.
const sayContinue = (source: Http.IncomingMessage, response: Http.ServerResponse): void => {
  if (response.headersSent || response.destroyed) return
  const active = (source.socket as Internals)._httpMessage
  if (active && active !== response) active.once("finish", () => sayContinue(source, response))
  else response.writeContinue()
}

/** True while the client still waits for 100 Continue. */
export const pendingContinue = (source: Http.IncomingMessage): boolean => awaitsContinue.has(source)

/** True when the head announces a body; on HTTP/2 it may, saying nothing of its length. */
export const announced = (source: Http.IncomingMessage & { readonly hasBody?: boolean }): boolean => {
  if (source.hasBody !== undefined) return source.hasBody
  const length = source.headers["content-length"]
  return (length !== undefined && length !== "0") || source.headers["transfer-encoding"] !== undefined
}

/** So many chunks of a body are joined to one piece. */
const joined = 1024

/** The body, shared by all readers of a request. */
export class RequestBody {
  private readonly source: Http.IncomingMessage
  private readonly response: Http.ServerResponse
  private readonly codings: ReadonlyArray<string>
  private opened = false
  private result: Exit.Exit<Buffer, HttpServerError> | undefined
  private waiting: Array<(exit: Exit.Exit<Buffer, HttpServerError>) => void> | undefined

  constructor(source: Http.IncomingMessage, response: Http.ServerResponse) {
    this.source = source
    this.response = response
    this.codings = ContentCoding.parse(source.headers["content-encoding"])
  }

  /** True when there are content codings, all of them known. */
  get decodes(): boolean {
    return this.codings.length > 0 && ContentCoding.isKnown(this.codings)
  }

  /**
   * The decoded bytes, unlimited, for readers that limit them themselves. They come once, or from what was read whole before.
   * Throws when they were taken before, and UnsupportedMediaType for an unknown coding.
   */
  open(): Readable {
    if (this.result !== undefined) return Readable.from(Exit.isSuccess(this.result) ? [this.result.value] : [])
    if (this.opened) throw taken()
    const unsupported = this.unsupported()
    if (unsupported !== undefined) throw unsupported
    const source = this.begin()
    return this.codings.length === 0 ? source : ContentCoding.decode(source, this.codings)
  }

  private begin(): Http.IncomingMessage {
    this.opened = true
    if (!this.source.complete) Patrol.reading(this.source, this.response)
    if (awaitsContinue.delete(this.source)) {
      ;(this.response as Internals)._expect_continue = false
      sayContinue(this.source, this.response)
    }
    return this.source
  }

  /** What was read whole before, decoded. */
  get whole(): Buffer | undefined {
    return this.result !== undefined && Exit.isSuccess(this.result) ? this.result.value : undefined
  }

  /** The bytes as they come, unlimited, their codings not undone. Throws when they were taken before. */
  raw(): Http.IncomingMessage {
    if (this.opened) throw taken()
    return this.begin()
  }

  private unsupported(): HttpError.UnsupportedMediaType | undefined {
    if (this.codings.length === 0 || this.decodes) return undefined
    const text = `The content coding "${this.codings.join(", ")}" is not supported`
    return new HttpError.UnsupportedMediaType({ text, acceptsEncodings: ContentCoding.known })
  }

  /** What forbids reading at all: an unknown coding (415), or a Content-Length above the limit (413). */
  private refusal(limit: bigint | undefined, fail: Fail): HttpServerError | undefined {
    const unsupported = this.unsupported()
    if (unsupported !== undefined) return fail("Parse", unsupported)
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
    if (this.opened && this.waiting === undefined) return Effect.die(taken())
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
    const pieces: Array<Buffer> = []
    let chunks: Array<Buffer> = []
    let size = 0
    const done = (exit: Exit.Exit<Buffer, HttpServerError>) => {
      if (this.result !== undefined) return
      this.result = exit
      const waiting = this.waiting ?? []
      for (const resume of waiting) resume(exit)
    }
    const readable = this.open()
    readable.on("data", (chunk: Buffer) => {
      // After the answer the rest is read away.
      if (this.result !== undefined) return
      size += chunk.length
      if (size <= limit) {
        // 1 MiB in chunks of one byte took 220 MB of buffers.
        if (chunks.push(chunk) === joined) {
          pieces.push(Buffer.concat(chunks))
          chunks = []
        }
        return
      }
      if (readable === this.source) readable.pause()
      else readable.destroy()
      done(Exit.fail(tooLarge(limit, fail)))
    })
    readable.on("end", () => {
      pieces.push(...chunks)
      done(Exit.succeed(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)))
    })
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
        if (!announced(this.source)) return Effect.succeed(Stream.empty)
        const readable = this.open()
        const chunks = NodeStream.fromReadable<Uint8Array, HttpServerError>({
          evaluate: () => readable,
          onError: (cause) => fail("Parse", malformed(cause)),
          // To destroy the request would be to destroy its connection.
          closeOnDone: readable !== this.source
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

const taken = () => new Error("The body has been taken as a stream before: it comes once")

const tooLarge = (limit: bigint | number, fail: Fail) =>
  fail("BodyTooLarge", new Error(`The body is above the limit of ${limit} bytes`))

// What cannot be decoded is the client's fault; the message says what was wrong.
const malformed = (cause: unknown): unknown =>
  ContentCoding.isMalformed(cause)
    ? new HttpError.BadRequest({ text: `The body cannot be decoded: ${cause.message}` })
    : cause
