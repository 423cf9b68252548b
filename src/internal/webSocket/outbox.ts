/**
 * What is sent, and what becomes of it when the peer takes it more slowly than it is made.
 *
 * ```ts
 * const outbox = new Outbox(wire, { limit: 1_048_576, slow: "suspend" }, disconnect)
 * yield* outbox.send("hello")
 * ```
 *
 * Up to `limit` bytes wait in the buffer of the connection, where each message counts 128 more than it has. Then a policy decides, so
 * that a peer which stops reading never costs more memory than that and one message a sender.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { closed, type WebSocketError } from "./failure.ts"
import type { Data, Prepared, Wire } from "./wire.ts"

/** What happens to a message that finds the buffer full. */
export type Slow =
  /** The sender waits. */
  | "suspend"
  /** The oldest of the messages that wait is dropped; as many bytes as the buffer's limit wait. */
  | "dropOldest"
  /** The connection is closed with 1008; the sender fails. */
  | "disconnect"
  /** A message takes the place of one with the same key that waits; others wait beside it. */
  | { readonly conflate: (message: unknown) => string | number | undefined }

/** How much waits, and what happens then. */
export interface Options {
  readonly limit: number
  readonly slow: Slow
}

interface Waiting {
  readonly frame: Data | Prepared
  readonly bytes: number
  readonly key: string | number | undefined
}

/** What a message that waits costs besides its bytes: a slow peer must not make a hundred megabytes of a million small ones. */
const overhead = 128

/** The bytes of a message, as far as the buffer is concerned. */
const size = (frame: Data | Prepared): number =>
  overhead + (typeof frame === "string" ? frame.length : frame instanceof Uint8Array ? frame.byteLength : frame.bytes)

type Sender = (exit: Exit.Exit<void, WebSocketError>) => void

/** What sends. */
export class Outbox {
  /** The messages that were handed to the connection. */
  sent = 0
  /** The messages that were dropped or replaced. */
  dropped = 0
  private readonly wire: Wire
  private readonly options: Options
  private readonly disconnect: (code: number, reason: string) => void
  private failure: WebSocketError | undefined
  private queued = 0
  private queue: Array<Waiting> = none
  private senders: Array<Sender> = none
  /** The messages that have not left. */
  private leaving = 0

  constructor(wire: Wire, options: Options, disconnect: (code: number, reason: string) => void) {
    this.wire = wire
    this.options = options
    this.disconnect = disconnect
  }

  /** Fails when the connection has ended, or ends while it waits. */
  send(frame: Data | Prepared, message: unknown): Effect.Effect<void, WebSocketError> {
    return Effect.suspend(() => this.now(frame) ?? this.later(frame, () => message) ?? this.suspended(frame))
  }

  /**
   * Sends what need not wait: undefined, and dropped, where it would have to; true where the buffer is full now. The message is asked
   * for only where its key is needed.
   */
  offer(frame: Data | Prepared, message: () => unknown): boolean | undefined {
    if ((this.now(frame) ?? this.later(frame, message)) === undefined) {
      this.dropped++
      return undefined
    }
    return this.failure === undefined && this.queue.length === 0 && this.isFull()
  }

  /** Hands over what waits in the queue, and takes nothing more: the connection is about to be closed. */
  shut(cause: WebSocketError): void {
    if (this.failure === undefined) for (const { frame } of this.queue) this.hand(frame)
    this.end(cause)
  }

  /** Tells that the connection has ended. */
  end(cause: WebSocketError): void {
    this.failure ??= cause
    this.queue = none
    this.queued = 0
    this.release(Exit.fail(this.failure))
  }

  // Undefined where the buffer is full.
  private now(frame: Data | Prepared): Exit.Exit<void, WebSocketError> | undefined {
    if (this.failure !== undefined) return Exit.fail(this.failure)
    if (this.queue.length > 0 || this.isFull()) return undefined
    this.hand(frame)
    return Exit.void
  }

  // Undefined where the sender has to wait.
  private later(frame: Data | Prepared, message: () => unknown): Exit.Exit<void, WebSocketError> | undefined {
    const { slow } = this.options
    if (slow === "suspend") return undefined
    if (slow === "disconnect") {
      const reason = "Messages are taken too slowly"
      const failed = closed(1008, reason)
      this.end(failed)
      this.disconnect(1008, reason)
      return Exit.fail(failed)
    }
    this.keep(frame, slow === "dropOldest" ? undefined : slow.conflate(message()))
    return Exit.void
  }

  private isFull(): boolean {
    return this.wire.buffered() + this.leaving * overhead >= this.options.limit
  }

  private hand(frame: Data | Prepared): void {
    this.leaving++
    this.sent++
    if (this.wire.send(frame, this.left)) this.leaving--
  }

  // Called whenever a message has left; for one that never will the end is about to be told.
  private readonly left = (error?: unknown): void => {
    this.leaving--
    if (!error) this.flush()
  }

  private flush(): void {
    while (this.queue.length > 0 && this.failure === undefined && !this.isFull()) {
      const { bytes, frame } = this.queue.shift() as Waiting
      this.queued -= bytes
      this.hand(frame)
    }
    if (this.queue.length === 0 && !this.isFull()) this.release(Exit.void)
  }

  private release(exit: Exit.Exit<void, WebSocketError>): void {
    const all = this.senders
    this.senders = none
    for (const resume of all) resume(exit)
  }

  private suspended(frame: Data | Prepared): Effect.Effect<void, WebSocketError> {
    const room = Effect.callback<void, WebSocketError>((resume) => {
      if (this.senders === none) this.senders = []
      this.senders.push(resume)
      return Effect.sync(() => {
        this.senders = this.senders.filter((other) => other !== resume)
      })
    })
    return Effect.flatMap(room, () => this.send(frame, undefined))
  }

  private keep(frame: Data | Prepared, key: Waiting["key"]): void {
    const waiting = { frame, bytes: size(frame), key }
    const at = key === undefined ? -1 : this.queue.findIndex((other) => other.key === key)
    if (at >= 0) {
      this.queued += waiting.bytes - (this.queue[at] as Waiting).bytes
      this.queue[at] = waiting
      this.dropped++
      return
    }
    if (this.queue === none) this.queue = []
    this.queue.push(waiting)
    this.queued += waiting.bytes
    while (this.queued > this.options.limit && this.queue.length > 1) {
      this.queued -= (this.queue.shift() as Waiting).bytes
      this.dropped++
    }
  }
}

// Shared by all that have nothing waiting, and never written to.
const none: Array<never> = []
