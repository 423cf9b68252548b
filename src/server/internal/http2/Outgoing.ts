/**
 * The answer on a stream of HTTP/2, with what the engine asks of Node's `ServerResponse`.
 *
 * ```ts
 * const response = new Outgoing(stream, source)
 * response.writeHead(200, { "content-length": "2" })
 * response.end("ok")
 * ```
 *
 * To destroy it is to reset its stream; the session goes on. "finish" comes only when the whole answer has gone to the socket.
 *
 * @spec RFC 9113 §5.1, §8.2.2
 */
import { EventEmitter } from "node:events"
import * as Http from "node:http"
import * as Http2 from "node:http2"
import type { Incoming } from "./Incoming.ts"
import { Pieces } from "./Pieces.ts"

/** A head: fields by their names in lower case. */
type Head = Readonly<Record<string, string | ReadonlyArray<string>>>

const { NGHTTP2_NO_ERROR } = Http2.constants

const key = Symbol("effect-web/outgoing")

interface Carrier extends Http2.ServerHttp2Stream {
  [key]?: Outgoing
}

/** The answer. */
export class Outgoing extends EventEmitter {
  readonly req: Incoming
  /** There is no connection of its own. */
  readonly socket = null
  readonly chunkedEncoding = false
  shouldKeepAlive = true
  strictContentLength = false
  statusCode = 200
  headersSent = false
  writableEnded = false
  writableFinished = false
  /** True after "close". */
  closed = false
  private readonly stream: Http2.ServerHttp2Stream
  private readonly onHead: () => void
  private readonly pieces: Pieces
  private head: Head = {}
  /** The bytes of the body that were written. */
  bytesWritten = 0

  /** `onHead` is called before the head goes out. */
  constructor(stream: Http2.ServerHttp2Stream, source: Incoming, onHead: () => void) {
    super()
    this.stream = stream
    this.req = source
    this.onHead = onHead
    ;(stream as Carrier)[key] = this
    stream.on("finish", onFinish).on("close", onClose).on("error", ignore)
    this.pieces = new Pieces(stream, () => void this.emit("drain"))
  }

  /** True while pieces of it wait. */
  get isHeldUp(): boolean {
    return this.pieces.waiting > 0
  }

  get destroyed(): boolean {
    return this.stream.destroyed || this.stream.closed
  }

  /** The bytes that wait for the client. */
  get writableLength(): number {
    return this.stream.writableLength + this.pieces.waiting
  }

  /** The field as it was sent, several joined. */
  getHeader(name: string): string | undefined {
    const value = this.head[name]
    return typeof value === "object" ? value.join(", ") : value
  }

  /** Throws for what would break out of a field. */
  writeHead(status: number, ...rest: [Head] | [string, Head]): void {
    const head = rest[rest.length - 1] as Head
    const fields: Record<string, unknown> = { ":status": status }
    for (const name in head) {
      if (ofConnection.has(name)) continue
      const value = head[name] as string | ReadonlyArray<string>
      Http.validateHeaderName(name)
      if (typeof value === "object") for (const one of value) Http.validateHeaderValue(name, one)
      else Http.validateHeaderValue(name, value)
      fields[name] = value
    }
    if (this.destroyed) return
    this.onHead()
    this.stream.respond(fields as Http2.OutgoingHttpHeaders)
    this.statusCode = status
    this.head = head
    this.headersSent = true
  }

  /** The head is out already. */
  flushHeaders(): void {}

  /** What it says of the connection is not sent. */
  removeHeader(_name: string): void {}

  writeContinue(): void {
    if (!this.destroyed) this.stream.additionalHeaders({ ":status": 100 })
  }

  /** Throws when a stated length does not fit, where `strictContentLength` asks for it. */
  write(chunk: Uint8Array | string, callback?: () => void): boolean {
    this.count(chunk, false)
    return this.pieces.write(chunk, callback)
  }

  end(chunk?: Uint8Array | string, callback?: () => void): void {
    this.count(chunk ?? "", true)
    this.writableEnded = true
    this.req.open()
    if (callback !== undefined) this.once("finish", callback)
    this.pieces.end(chunk ?? "")
  }

  private count(chunk: Uint8Array | string, isLast: boolean): void {
    this.bytesWritten += Buffer.byteLength(chunk)
    if (!this.strictContentLength) return
    const stated = this.head["content-length"]
    if (stated === undefined || (isLast ? this.bytesWritten === Number(stated) : this.bytesWritten <= Number(stated)))
      return
    throw new RangeError(
      `Content-Length says "${stated}", the body has ${isLast ? "" : "at least "}${this.bytesWritten} bytes`
    )
  }

  /** Resets the stream: what was sent must not look whole, as it does when Node's stream is closed with a code. */
  destroy(): void {
    this.stream.destroy(new Error("The answer broke off"))
  }

  /** The answer is out, and the rest of the request is not wanted: no error (RFC 9113 §8.1). */
  closeRequest(): void {
    if (!this.destroyed) this.stream.close(NGHTTP2_NO_ERROR)
  }
}

// Node ends a stream that was reset, and says that it has finished; of others it says nothing when the client has ended its side before.
function onFinish(this: Carrier): void {
  const response = this[key]!
  if (response.writableFinished || !response.writableEnded || response.isHeldUp) return
  if (this.aborted || this.rstCode !== NGHTTP2_NO_ERROR) return
  response.writableFinished = true
  response.emit("finish")
}

function onClose(this: Carrier): void {
  const response = this[key]!
  onFinish.call(this)
  response.closed = true
  response.emit("close")
}

const ignore = (): void => {}

// The fields of a connection (RFC 9113 §8.2.2).
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade"
])
