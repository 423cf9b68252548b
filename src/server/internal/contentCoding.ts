/**
 * Undoes the content codings of a request body.
 *
 * ```ts
 * const codings = parse("gzip, br") // ["gzip", "br"]
 * if (isKnown(codings)) decode(incoming, codings).on("data", ...)
 * ```
 *
 * gzip, x-gzip, deflate with and without its zlib frame, br and zstd, stacked up to four. Unlike with `stream.pipeline`, what cannot
 * be decoded does not destroy the connection: its client gets an answer.
 *
 * @spec RFC 9110 §8.4
 */
import type { Readable } from "node:stream"
import { Transform } from "node:stream"
import * as Zlib from "node:zlib"

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: () => Zlib.createGunzip(),
  "x-gzip": () => Zlib.createGunzip(),
  deflate: () => new Inflate(),
  br: () => Zlib.createBrotliDecompress(),
  zstd: () => Zlib.createZstdDecompress()
}

/** The codings that are understood, for `Accept-Encoding`. */
export const known: ReadonlyArray<string> = ["gzip", "deflate", "br", "zstd"]

// Each costs memory before its first byte, and a header has room for thousands.
const most = 4

/** The codings of a Content-Encoding field in the order in which they were applied, without identity. */
export const parse = (field: string | undefined): ReadonlyArray<string> =>
  field === undefined
    ? none
    : field
        .toLowerCase()
        .split(",")
        .map((coding) => coding.trim())
        .filter((coding) => coding !== "" && coding !== "identity")

const none: ReadonlyArray<string> = []

/** True when all of them are understood, and they are not too many. */
export const isKnown = (codings: ReadonlyArray<string>): boolean =>
  codings.length <= most && codings.every((coding) => Object.hasOwn(decoders, coding))

/** The decoded bytes of the source. To destroy them leaves the source as it is, paused. Throws for codings that are not known. */
export const decode = (source: Readable, codings: ReadonlyArray<string>): Readable => {
  if (!isKnown(codings)) throw new TypeError(`Unknown content coding: ${codings.join(", ")}`)
  // Decoding runs from the last coding applied to the first.
  return codings.toReversed().reduce<Readable>((from, coding) => {
    const to = (decoders[coding] as () => Transform)()
    from.on("error", (error) => to.destroy(error))
    from.on("close", () => {
      if (!from.readableEnded) to.destroy(new Error("The request ended before its body"))
    })
    to.on("error", () => {})
    to.on("close", () => {
      if (from === source) from.unpipe(to)
      else from.destroy()
    })
    return from.pipe(to)
  }, source)
}

/** True when the error says that bytes cannot be decoded. */
export const isMalformed = (error: unknown): error is Error =>
  /^(?:Z_|ERR__ERROR|ERR_BROTLI|ZSTD_)/.test(String((error as NodeJS.ErrnoException | undefined)?.code))

// "deflate" is zlib, but many clients send it without the frame (RFC 9110 §8.4.1.2). Only the frame begins with method 8.
class Inflate extends Transform {
  private inner: Zlib.Inflate | undefined

  private begin(first: number): Zlib.Inflate {
    const inner = (first & 15) === 8 ? Zlib.createInflate() : Zlib.createInflateRaw()
    inner.on("data", (chunk) => {
      if (!this.push(chunk)) inner.pause()
    })
    inner.on("error", (error) => this.destroy(error))
    this.inner = inner
    return inner
  }

  override _read(size: number): void {
    this.inner?.resume()
    super._read(size)
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const inner = this.inner ?? this.begin(chunk[0] as number)
    inner.write(chunk, done)
  }

  override _flush(done: () => void): void {
    if (this.inner === undefined) {
      done()
      return
    }
    this.inner.once("end", done)
    this.inner.end()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.inner?.destroy()
    done(error)
  }
}
