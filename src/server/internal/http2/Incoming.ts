/**
 * A request on a stream of HTTP/2, with what the engine asks of Node's `IncomingMessage`.
 *
 * ```ts
 * const source = new Incoming(stream, socket, headers, rawHeaders, isEnded, 16_384)
 * source.url // "/users/42"
 * ```
 *
 * Node's own compatibility classes say "finish" for an answer that was cut, and make a stream more for a request without a body.
 *
 * @spec RFC 9113 §8.1, §8.2, §8.3
 */
import type * as Http2 from "node:http2"
import type * as Net from "node:net"
import { Readable } from "node:stream"

/** True for a request on a stream. What its head says of its version does not tell: "GET / HTTP/2.0" may come on any connection. */
export const isStream = (source: object): boolean => source instanceof Incoming

/** The request; its body is read when somebody asks for it. */
export class Incoming extends Readable {
  readonly method: string
  /** The `:path`; of CONNECT, which has none, the `:authority`. */
  readonly url: string
  readonly httpVersion = "2.0"
  readonly httpVersionMajor = 2
  readonly httpVersionMinor = 0
  /** Without the pseudo-header fields; `host` is the `:authority`. */
  readonly headers: Http2.IncomingHttpHeaders
  /** The lines as they came, the pseudo-header fields too. */
  readonly rawHeaders: ReadonlyArray<string>
  /** That of the session: other requests have the same. */
  readonly socket: Net.Socket
  /** As of Node's own, for who asks whether there is a body. */
  readonly stream: Http2.ServerHttp2Stream
  /** Whether the head has more bytes than it may: Node announces a limit, and keeps none. */
  readonly isTooLarge: boolean
  /** Whether the head leaves it open that there is a body. */
  readonly hasBody: boolean
  /** True when all of it has come. */
  complete: boolean
  /** The bytes of the body that have come. */
  bodyRead = 0
  private isOpened = false

  constructor(
    stream: Http2.ServerHttp2Stream,
    socket: Net.Socket,
    fields: Http2.IncomingHttpHeaders,
    rawHeaders: ReadonlyArray<string>,
    isEnded: boolean,
    maxHeaderSize: number
  ) {
    super(isEnded ? withoutBody : undefined)
    const { ":method": method, ":path": path, ":authority": authority, ":scheme": _, ...headers } = fields
    this.stream = stream
    this.socket = socket
    this.method = method as string
    this.url = path ?? authority ?? ""
    this.headers = headers
    if (authority !== undefined && headers.host === undefined) this.headers.host = authority
    this.rawHeaders = rawHeaders
    this.isTooLarge = sizeOf(rawHeaders) > maxHeaderSize
    this.hasBody = !isEnded
    this.complete = isEnded
    if (isEnded) return
    // An empty body ends by itself, before anybody reads it.
    stream.once("end", () => this.finish())
    stream.once("close", () => this.leave())
  }

  /** The name that the target is of, as it came; not the Host beside it. */
  get authority(): string | undefined {
    const at = this.rawHeaders.indexOf(":authority")
    return at % 2 === 0 ? this.rawHeaders[at + 1] : undefined
  }

  override _read(): void {
    if (!this.hasBody) this.push(null)
    else if (this.isOpened) this.stream.resume()
    else this.open()
  }

  /** Takes what comes of the body. Where nobody does, Node resets the stream behind the answer. */
  open(): void {
    const { stream } = this
    if (this.isOpened || !this.hasBody) return
    this.isOpened = true
    stream.on("data", (chunk: Buffer) => {
      this.bodyRead += chunk.length
      // What nobody wants any more is thrown away.
      if (!this.destroyed && !this.push(chunk)) stream.pause()
    })
  }

  private finish(): void {
    const { aborted, rstCode } = this.stream
    // A stream that was reset ends too.
    if (rstCode !== 0 || aborted) return
    this.complete = true
    if (!this.destroyed) this.push(null)
  }

  private leave(): void {
    if (this.complete) return
    this.destroy(Object.assign(new Error("aborted"), { code: "ECONNRESET" }))
  }

  // That a client leaves is no error where nobody listens, or where who listened is gone before the error is told.
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (error !== null) this.on("error", ignore)
    callback(error)
  }
}

// As of a head of HTTP/1.1, where each field has a colon, a space and a line break.
const sizeOf = (rawHeaders: ReadonlyArray<string>): number => {
  let size = rawHeaders.length * 2
  for (const text of rawHeaders) size += text.length
  return size
}

const ignore = (): void => {}

const withoutBody = { emitClose: false, autoDestroy: false } as const
