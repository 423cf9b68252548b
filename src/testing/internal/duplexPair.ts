/**
 * A connection in memory: what is written to one end is read at the other.
 *
 * ```ts
 * const [near, far] = duplexPair()
 * ```
 *
 * Unlike `duplexPair` of `node:stream`, bytes never arrive while their writer is still running: an answer to them could get into a
 * parser that is at work. And the far end counts its bytes, as a socket does.
 */
import { Duplex } from "node:stream"

/** Makes both ends: `near` for the client, `far` for the server. The client can read what came before the server left. */
export const duplexPair = (): readonly [near: Duplex, far: Duplex] => {
  const near = new End({ allowHalfOpen: false })
  const far = new End()
  near.other = far
  far.other = near
  near.on("close", () => far.destroy())
  far.on("close", () => near.finish())
  near.on("error", () => {})
  return [near, far]
}

// As much as a socket reads at once.
const piece = 64 * 1024

class End extends Duplex {
  declare other: End
  bytesRead = 0
  bytesWritten = 0
  private ended = false
  // Tells the writer that its bytes have been read.
  private taken: (() => void) | undefined

  private receive(chunk: Buffer, taken: () => void): void {
    if (this.destroyed) {
      taken()
      return
    }
    this.bytesRead += chunk.length
    this.taken = taken
    this.push(chunk)
  }

  // What agents ask of every socket.
  setKeepAlive(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setTimeout(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  finish(): void {
    if (!this.destroyed && !this.ended) {
      this.push(null)
      // As a socket's: the end is seen when there is nothing before it, by whoever reads or not.
      this.read(0)
    }
    this.ended = true
  }

  /** As a socket's: the other end sees an error. */
  resetAndDestroy(): void {
    this.other.destroy(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }))
    this.destroy()
  }

  override _read(): void {
    const { taken } = this
    this.taken = undefined
    taken?.()
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: () => void): void {
    const first = chunk.subarray(0, piece)
    this.bytesWritten += first.length
    process.nextTick(() => {
      const rest = chunk.subarray(piece)
      this.other.receive(first, rest.length === 0 ? done : () => this._write(rest, encoding, done))
    })
  }

  override _final(done: () => void): void {
    process.nextTick(() => {
      this.other.finish()
      done()
    })
  }
}
