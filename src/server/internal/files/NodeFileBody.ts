/**
 * Writes what is in a file straight from its descriptor to the socket.
 *
 * ```ts
 * yield* send(request, response, source, state)
 * ```
 *
 * One buffer goes back and forth: it is filled again when the socket has taken it. A file that ends early is a failure.
 *
 * @source aiohttp.web.FileResponse (sendfile)
 */
import type * as Http from "node:http"
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as FileBody from "../../../internal/files/body.ts"
import * as NodeExchange from "../exchange/NodeExchange.ts"
import { isStream } from "../http2/Incoming.ts"
import type { NodeRequest } from "../NodeRequest.ts"
import * as ResponseHead from "../responseHead.ts"
import * as NodeFiles from "./NodeFiles.ts"

/** The descriptor that a body is in, where it is one of Node's. */
export const of = (body: object): Source | undefined => {
  const source = FileBody.of(body)
  return source?.file instanceof NodeFiles.NodeFile ? { file: source.file, segments: source.segments } : undefined
}

interface Source {
  readonly file: NodeFiles.NodeFile
  readonly segments: ReadonlyArray<FileBody.Segment>
}

/** Writes the head and the body; ends when all is handed to the socket, fails with what went wrong. */
export const send = (
  request: NodeRequest,
  response: HttpServerResponse,
  { file, segments }: Source,
  state: ResponseHead.State
): Effect.Effect<void, unknown> =>
  Effect.interruptible(
    Effect.callback((resume) => {
      const out = request.response
      ResponseHead.checkLength(response.headers, undefined)
      out.strictContentLength = true
      ResponseHead.write(request, response, response.headers, state, true)
      const sending = new Sending(out, file, segments, resume)
      sending.next()
      return Effect.sync(() => sending.stop())
    })
  )

// Buffers that no write holds. A new one for each would cost more than the rest of its chunk.
const free: Array<Buffer> = []
const mostFree = 16
const nothing = Buffer.alloc(0)

class Sending {
  private readonly out: Http.ServerResponse
  private readonly file: NodeFiles.NodeFile
  private readonly segments: ReadonlyArray<FileBody.Segment>
  private readonly resume: (exit: Exit.Exit<void, unknown>) => void
  private index = 0
  private position = 0
  private isDone = false
  private buffer: Buffer | undefined

  constructor(
    out: Http.ServerResponse,
    file: NodeFiles.NodeFile,
    segments: ReadonlyArray<FileBody.Segment>,
    resume: (exit: Exit.Exit<void, unknown>) => void
  ) {
    this.out = out
    this.file = file
    this.segments = segments
    this.resume = resume
  }

  readonly next = (): void => {
    // Who left is noticed by the engine, which interrupts this.
    if (this.isDone || this.out.destroyed) return
    const segment = this.segments[this.index]
    if (segment === undefined) {
      this.write(nothing)
    } else if (segment instanceof Uint8Array) {
      this.index++
      this.write(segment)
    } else if (segment.start === segment.end) {
      this.index++
      this.next()
    } else {
      this.read(segment.start + this.position, segment.end)
    }
  }

  private read(from: number, end: number): void {
    this.buffer ??= free.pop() ?? Buffer.allocUnsafeSlow(FileBody.chunkSize)
    const { buffer } = this
    const length = Math.min(FileBody.chunkSize, end - from)
    if (NodeFiles.isSlow()) {
      this.file.readAsync(buffer, from, length, (error, count) =>
        error === null ? this.filled(buffer, count, end - from) : this.end(Exit.fail(error))
      )
      return
    }
    try {
      const count = NodeFiles.timed(() => this.file.readSync(buffer, from, length))
      this.filled(buffer, count, end - from)
    } catch (error) {
      this.end(Exit.fail(error))
    }
  }

  private filled(buffer: Buffer, count: number, left: number): void {
    if (this.isDone) return
    if (count === 0) {
      this.end(Exit.fail(FileBody.shrunk(this.file)))
      return
    }
    this.position += count
    if (count === left) {
      this.index++
      this.position = 0
    }
    this.write(buffer.subarray(0, count))
  }

  private write(bytes: Uint8Array): void {
    // What is not a socket may keep what it was given.
    if (!(this.socket instanceof Net.Socket)) this.buffer = undefined
    NodeExchange.wrote(this.out, bytes.length)
    try {
      if (this.index === this.segments.length) this.out.end(bytes, () => this.end(Exit.void))
      // Others have their turn after each chunk: a fast reader would have them wait for the whole file.
      else this.out.write(bytes, () => setImmediate(this.next))
    } catch (error) {
      // A Content-Length that was changed on the way.
      this.end(Exit.fail(error))
    }
  }

  private end(exit: Exit.Exit<void, unknown>): void {
    if (this.isDone) return
    this.isDone = true
    // A stream of HTTP/2 that was reset may still be written from.
    if (this.buffer !== undefined && free.length < mostFree && !isStream(this.out.req)) free.push(this.buffer)
    this.resume(exit)
  }

  private get socket(): Http.ServerResponse["socket"] {
    const { req, socket } = this.out
    return isStream(req) ? req.socket : socket
  }

  /** The buffer may still be read into, or written from: it is nobody's. */
  stop(): void {
    this.isDone = true
  }
}
