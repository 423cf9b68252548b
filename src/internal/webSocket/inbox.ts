/**
 * What has come and was not yet read. With so many messages, or bytes, nothing more is read from the connection.
 *
 * ```ts
 * const data = yield* inbox.take // the next message
 * ```
 *
 * What came before the end is given before it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { closed, isClean, type WebSocketError } from "./failure.ts"
import type { Data, Wire } from "./wire.ts"

type Taken = Exit.Exit<Data, WebSocketError | Cause.Done>
type Reader = (taken: Taken) => void

/** Reading stops with so many messages or bytes, and goes on when they are taken. */
const most = { messages: 64, bytes: 256 * 1024 }

/** What receives. */
export class Inbox {
  /** The messages that have come. */
  received = 0
  /** Whether nothing is read from the connection: silence means nothing then. */
  isPaused = false
  /** Whether anybody has ever asked for a message. */
  isRead = false
  /** Called when the end has been given to a reader. */
  onEnded: (() => void) | undefined
  /** Whether it has. */
  isEnded = false
  private readonly wire: Wire
  private messages: Array<Data> = []
  private bytes = 0
  private isShut = false
  private over: Exit.Exit<never, WebSocketError | Cause.Done> | undefined
  /** One that waits, as most connections have it, and the others. */
  private reader: Reader | undefined
  private readers: Array<Reader> | undefined

  constructor(wire: Wire) {
    this.wire = wire
  }

  /** The next message; ends with Done after a clean close. A reader that is interrupted takes none away. */
  readonly take: Effect.Effect<Data, WebSocketError | Cause.Done> = Effect.suspend(() => {
    this.isRead = true
    return this.attempt() ?? this.more
  })

  // A fiber that waits goes on, or is interrupted, at once: what is given to it is not lost.
  private readonly more = Effect.callback<Data, WebSocketError | Cause.Done>((resume) => {
    if (this.reader === undefined) {
      this.reader = resume
      return this.forgetting
    }
    this.readers ??= []
    this.readers.push(resume)
    return Effect.sync(() => {
      this.readers = this.readers?.filter((other) => other !== resume)
    })
  })

  private readonly forgetting = Effect.sync(() => {
    this.reader = undefined
  })

  put(data: Data): void {
    this.received++
    if (this.isShut) return
    const reader = this.next()
    if (reader !== undefined) {
      reader(Exit.succeed(data))
      return
    }
    this.messages.push(data)
    this.bytes += data.length
    if (!this.isPaused && (this.messages.length >= most.messages || this.bytes >= most.bytes)) {
      this.isPaused = true
      this.wire.pause()
    }
  }

  /** Drops what comes from now on, so that the peer's close frame is found behind it. */
  shut(): void {
    this.isShut = true
    this.resumeReading()
  }

  /** Tells that nothing more comes, and why. */
  end(code: number, reason: string): void {
    this.over ??= Exit.fail(isClean(code) ? Cause.Done() : closed(code, reason))
    for (let reader = this.next(); reader !== undefined; reader = this.next()) reader(this.give(this.over))
  }

  private next(): Reader | undefined {
    const { reader } = this
    if (reader === undefined) return this.readers?.shift()
    this.reader = undefined
    return reader
  }

  private attempt(): Taken | undefined {
    const data = this.messages.shift()
    if (data === undefined) return this.over === undefined ? undefined : this.give(this.over)
    this.bytes -= data.length
    if (this.messages.length === 0) this.resumeReading()
    return Exit.succeed(data)
  }

  private give<A>(over: A): A {
    if (!this.isEnded) {
      this.isEnded = true
      this.onEnded?.()
    }
    return over
  }

  private resumeReading(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.wire.resume()
  }
}
