/**
 * Splits a multipart body into the headers and the bytes of its parts, as chunks come, wherever these are cut.
 *
 * ```ts
 * const scanner = new Scanner("aaa", 16 * 1024)
 * scanner.give([chunk])
 * scanner.head() // the bytes of the headers of the next part, or "more", "end", "large"
 * scanner.take(pieces) // its content that is there, then "more" or "end"
 * ```
 *
 * It runs nothing and waits for nothing: on "more" it is to be given more. Pieces are views of the chunks, not copies. Where a chunk
 * ends in what may become a delimiter or in the middle of headers, this rest is put before the next chunk.
 *
 * Unlike Effect's own parser, which takes a longer line for a boundary when it begins with one, knows no white space behind it and no
 * body within a body, and does not stop at the end of a part.
 *
 * @spec RFC 2046 §5.1.1
 */
import { Delimiter } from "./delimiter.ts"

const CR = 0x0d
const LF = 0x0a
const empty = new Uint8Array(0)
const none: ReadonlyArray<Uint8Array> = []

/** The scanner of one multipart body. What comes before its first part is passed over, what comes after its last not looked at. */
export class Scanner {
  private readonly delimiter: Delimiter
  private readonly headLimit: number
  private readonly release: (chunk: Uint8Array) => void
  private state: "content" | "head" | "closed" = "content"
  // The first delimiter needs no line before it
  private chunk: Uint8Array = Uint8Array.of(CR, LF)
  /** The first byte that was not given out. */
  private at = 2
  /** Where the search goes on: before `at` when the delimiter may begin with the end of the headers. */
  private from = 0
  private chunks = none
  private next = 0

  /** The most bytes of the headers of a part, with their line ends; and what is done with content that nobody takes. */
  constructor(boundary: string, headLimit: number, release: (chunk: Uint8Array) => void = () => {}) {
    this.release = release
    this.delimiter = new Delimiter(boundary)
    this.headLimit = headLimit
  }

  /** Gives the chunks that follow, when it wants more. */
  give(chunks: ReadonlyArray<Uint8Array>): void {
    this.chunks = chunks
    this.next = 0
  }

  /** The headers of the next part, without their last line end; what is left of the current part is passed over. */
  head(): Uint8Array | "more" | "end" | "large" {
    while (this.state === "content") {
      const passed: Array<Uint8Array> = []
      const state = this.take(passed)
      passed.forEach(this.release)
      if (state === "more") return "more"
    }
    if (this.state === "closed") return "end"
    for (;;) {
      // From the end of the line of the delimiter: that of a part without headers is followed by another
      const end = blankLine(this.chunk, this.from)
      if ((end === -1 ? this.chunk.length - 3 : end) - this.at > this.headLimit) return "large"
      if (end !== -1) {
        const head = this.chunk.subarray(this.at + 2, Math.max(end, this.at + 2))
        this.state = "content"
        this.from = end + 2
        this.at = end + 4
        return head
      }
      this.from = Math.max(this.at, this.chunk.length - 3)
      if (!this.advance(this.at)) return "more"
    }
  }

  /** Adds to `pieces` what is there of the content of the current part. */
  take(pieces: Array<Uint8Array>): "more" | "end" {
    while (this.state === "content") {
      const found = this.delimiter.find(this.chunk, this.from)
      const after = found === -1 ? "cut" : this.delimiter.following(this.chunk, found + this.delimiter.length)
      if (after === "none") {
        this.from = found + this.delimiter.length
        continue
      }
      const end = found === -1 ? this.delimiter.partial(this.chunk, this.from) : found
      if (end > this.at) pieces.push(this.chunk.subarray(this.at, end))
      this.at = Math.max(this.at, end)
      this.from = end
      if (after === "closing") this.close()
      else if (after !== "cut") {
        this.state = "head"
        this.at = this.from = after
      } else if (!this.advance(end)) return "more"
    }
    return "end"
  }

  // Keeps the bytes from an index on, and puts the next chunk behind them; false when there is none
  private advance(keep: number): boolean {
    const next = this.chunks[this.next++]
    // A chunk that is used up may be freed: not even a view of it is kept
    const rest = keep === this.chunk.length ? empty : this.chunk.subarray(keep)
    this.at -= keep
    this.from -= keep
    this.chunk = next === undefined ? rest : rest.length === 0 ? next : join(rest, next)
    return next !== undefined
  }

  private close(): void {
    this.state = "closed"
    this.chunk = empty
    this.chunks = none
  }
}

const join = (first: Uint8Array, second: Uint8Array): Uint8Array => {
  const joined = new Uint8Array(first.length + second.length)
  joined.set(first)
  joined.set(second, first.length)
  return joined
}

// The index of CR LF CR LF at or after `from`, or -1
const blankLine = (chunk: Uint8Array, from: number): number => {
  for (let at = chunk.indexOf(CR, from); at !== -1; at = chunk.indexOf(CR, at + 1)) {
    if (chunk[at + 1] === LF && chunk[at + 2] === CR && chunk[at + 3] === LF) return at
  }
  return -1
}
