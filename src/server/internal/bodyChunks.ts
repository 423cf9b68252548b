/**
 * The chunks of a body on Node, as `Body.stream` gives them for four times the time: a read is a call, not a stream of streams.
 *
 * ```ts
 * const base = Context.make(BodyChunks, open)
 * ```
 *
 * It is read when it is pulled: while nobody does, at most 64 KiB wait, and the client too.
 */
import * as NodeStream from "node:stream"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { HttpServerRequest, MaxBodySize } from "effect/http/HttpServerRequest"
import * as Scope from "effect/Scope"
import * as HttpError from "../../HttpError.ts"
import { type Chunks, type Open, portable } from "../../internal/bodies/bodyChunks.ts"
import { type Failure, tooLarge } from "../../internal/bodies/readBody.ts"
import * as ContentCoding from "./contentCoding.ts"
import { NodeRequest } from "./NodeRequest.ts"
import { announced } from "./RequestBody.ts"

/** Opens the body when it is first pulled; what stands in its place, put there by a middleware, is read as everywhere. */
export const open: Open = (own) =>
  Effect.withFiber((fiber) => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest)
    if (!(request instanceof NodeRequest)) return portable(own)
    const limit = own ?? fiber.getRef(MaxBodySize)
    const scope = Context.getUnsafe(fiber.context, Scope.Scope)
    let reading: Reading | undefined
    const begin = Effect.suspend((): Chunks["pull"] => {
      if (!announced(request.source)) return Cause.done()
      try {
        reading = new Reading(request, limit)
        return Effect.andThen(Scope.addFinalizer(scope, reading.close), reading.pull)
      } catch (error) {
        // What it throws besides is that the body was taken before
        return HttpError.isHttpError(error) ? Exit.fail(error as Failure) : Exit.die(error)
      }
    })
    const pull = Effect.suspend(() => reading?.pull ?? begin)
    return Exit.succeed({ pull, release: (chunk: Uint8Array) => reading?.release(chunk) })
  })

class Reading {
  readonly pull: Chunks["pull"]
  /** Leaves the rest to who takes it next. */
  readonly close: Effect.Effect<void>
  private readonly readable: NodeStream.Readable
  private readonly isShared: boolean
  private waiting: Array<Uint8Array> = []
  private ended: Exit.Exit<never, Failure | Cause.Done> | undefined
  private wake: (() => void) | undefined

  constructor(request: NodeRequest, limit: bigint | undefined) {
    const readable = request.body.open()
    this.readable = readable
    this.isShared = readable === request.source
    const most = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
    let size = 0
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      this.waiting.push(chunk)
      readable.pause()
      this.wake?.()
    }
    // Unlike `read`, which joins what has come, it gives the chunks themselves
    readable.pause().on("data", onData)
    const unlisten = NodeStream.finished(readable, { writable: false }, (error) => this.end(error))
    const leave = (): void => {
      readable.off("data", onData)
      unlisten()
      this.end(new Error("The answer was sent before the body was read"))
    }
    // Before the rest is thrown away
    request.response.prependListener("finish", leave)
    this.close = Effect.sync(() => {
      leave()
      request.response.off("finish", leave)
      // To destroy the request would be to destroy its connection
      if (!this.isShared) readable.destroy()
    })
    this.pull = Effect.suspend(() => {
      const chunks = this.waiting
      if (Arr.isArrayNonEmpty(chunks)) {
        this.waiting = []
        return size > most ? Exit.fail(tooLarge(limit)) : Exit.succeed(chunks)
      }
      if (this.ended !== undefined) return this.ended
      readable.resume()
      return Effect.andThen(this.wait, this.pull)
    })
  }

  // Node's parser has copied what it read into a whole buffer, and this is its one reader
  release({ buffer, length }: Uint8Array): void {
    if (!this.isShared || length < 16 * 1024 || length !== buffer.byteLength) return
    if (this.readable.listenerCount("data") === 1 && buffer instanceof ArrayBuffer) buffer.transfer(0)
  }

  private end(error: Error | null | undefined): void {
    this.ended ??= Exit.fail(error ? failure(error) : Cause.Done())
    this.wake?.()
  }

  private readonly wait = Effect.callback<void>((resume) => {
    this.wake = () => resume(Exit.void)
    // The fiber may have paused between looking and waiting
    if (this.ended !== undefined || this.waiting.length > 0) resume(Exit.void)
  })
}

const failure = (cause: Error): Failure => {
  if (HttpError.isHttpError(cause)) return cause as unknown as Failure
  const isCoding = ContentCoding.isMalformed(cause)
  const text = isCoding ? `The body cannot be decoded: ${cause.message}` : "The body cannot be read to its end"
  return new HttpError.BadRequest({ text, cause })
}
