/**
 * Gives a stream what is written in pieces of a frame, the next when the one before has left.
 *
 * ```ts
 * const pieces = new Pieces(stream, () => response.emit("drain"))
 * pieces.write(bytes)
 * pieces.end()
 * ```
 *
 * What Node has been given it keeps in the memory of the session, of which there is a limit: one large answer that its client does not
 * take would refuse all others. And of a write nobody sees how far it is.
 *
 * @spec RFC 9113 §4.2, §6.9
 */
import type * as Http2 from "node:http2"

/** The largest frame that every peer takes. */
const most = 16_384

interface Piece {
  readonly bytes: Uint8Array
  readonly callback: (() => void) | undefined
}

/** What waits for a stream. */
export class Pieces {
  /** So many bytes are not given to the stream yet. */
  waiting = 0
  private readonly stream: Http2.ServerHttp2Stream
  private readonly onDrain: () => void
  private readonly queue: Array<Piece> = []
  private isBusy = false
  private isEnding = false

  /** `onDrain` is called when more may be written. */
  constructor(stream: Http2.ServerHttp2Stream, onDrain: () => void) {
    this.stream = stream
    this.onDrain = onDrain
    stream.on("drain", () => {
      if (!this.isBusy) onDrain()
    })
  }

  /** False when more should wait for `onDrain`. */
  write(chunk: Uint8Array | string, callback?: () => void): boolean {
    if (!this.isBusy && chunk.length <= most) return this.stream.write(chunk, callback)
    this.cut(chunk, callback)
    return false
  }

  /** Ends the stream, behind all that waits. */
  end(chunk: Uint8Array | string): void {
    if (!this.isBusy && chunk.length <= most) {
      if (chunk.length === 0) this.stream.end()
      else this.stream.end(chunk)
      return
    }
    this.isEnding = true
    if (chunk.length > 0) this.cut(chunk, undefined)
  }

  private cut(chunk: Uint8Array | string, callback: (() => void) | undefined): void {
    const all = typeof chunk === "string" ? Buffer.from(chunk) : chunk
    for (let at = 0; at < all.length; at += most) {
      const isLast = at + most >= all.length
      this.queue.push({ bytes: all.subarray(at, at + most), callback: isLast ? callback : undefined })
    }
    this.waiting += all.length
    if (this.isBusy) return
    this.isBusy = true
    this.next()
  }

  private next(): void {
    const piece = this.queue.shift()
    if (piece === undefined) {
      this.isBusy = false
      if (this.isEnding) this.stream.end()
      else this.onDrain()
      return
    }
    const { bytes, callback } = piece
    this.waiting -= bytes.length
    if (this.isEnding && this.queue.length === 0) {
      this.stream.end(bytes, callback)
      return
    }
    this.stream.write(bytes, (error) => {
      // Of what is reset, the rest is let go.
      if (error != null) this.queue.length = 0
      else {
        callback?.()
        this.next()
      }
    })
  }
}
