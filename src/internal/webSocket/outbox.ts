/**
 * What is sent, and what becomes of it when the peer takes it more slowly than it is made.
 *
 * ```ts
 * const outbox = make(wire, { limit: 1_048_576, slow: "suspend" }, disconnect)
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

/** What sends. */
export interface Outbox {
  /** Fails when the connection has ended, or ends while it waits. */
  readonly send: (frame: Data | Prepared, message: unknown) => Effect.Effect<void, WebSocketError>
  /**
   * Sends what need not wait: undefined, and not sent, where it would have to; true where the buffer is full now. The message is asked
   * for only where its key is needed.
   */
  readonly offer: (frame: Data | Prepared, message: () => unknown) => boolean | undefined
  /** The messages that were dropped or replaced. */
  readonly dropped: () => number
  /** Hands over what waits in the queue, and takes nothing more: the connection is about to be closed. */
  readonly shut: (failure: WebSocketError) => void
  /** Tells that the connection has ended. */
  readonly end: (failure: WebSocketError) => void
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

/** Makes the outbox of a connection. */
export const make = (
  wire: Wire,
  { limit, slow }: Options,
  disconnect: (code: number, reason: string) => void
): Outbox => {
  let failure: WebSocketError | undefined
  let dropped = 0
  let queued = 0
  let queue: Array<Waiting> = []
  let senders: Array<(exit: Exit.Exit<void, WebSocketError>) => void> = []
  let leaving = 0
  const isFull = () => wire.buffered() + leaving * overhead >= limit

  const hand = (frame: Data | Prepared): void => {
    leaving++
    if (wire.send(frame, left)) leaving--
  }

  // Called whenever a message has left; for one that never will the end is about to be told.
  const left = (error?: unknown): void => {
    leaving--
    if (!error) flush()
  }

  const flush = (): void => {
    while (queue.length > 0 && failure === undefined && !isFull()) {
      const { bytes, frame } = queue.shift() as Waiting
      queued -= bytes
      hand(frame)
    }
    if (queue.length > 0 || isFull()) return
    const all = senders
    senders = []
    for (const resume of all) resume(Exit.void)
  }

  const suspended = (frame: Data | Prepared): Effect.Effect<void, WebSocketError> =>
    Effect.flatMap(
      Effect.callback<void, WebSocketError>((resume) => {
        senders.push(resume)
        return Effect.sync(() => {
          senders = senders.filter((other) => other !== resume)
        })
      }),
      () => write(frame, undefined)
    )

  const keep = (frame: Data | Prepared, key: Waiting["key"]): void => {
    const bytes = size(frame)
    const at = key === undefined ? -1 : queue.findIndex((waiting) => waiting.key === key)
    if (at >= 0) {
      queued += bytes - (queue[at] as Waiting).bytes
      queue[at] = { frame, bytes, key }
      dropped++
      return
    }
    queue.push({ frame, bytes, key })
    queued += bytes
    while (queued > limit && queue.length > 1) {
      queued -= (queue.shift() as Waiting).bytes
      dropped++
    }
  }

  // Undefined where the sender has to wait.
  const attempt = (frame: Data | Prepared, message: () => unknown): Exit.Exit<void, WebSocketError> | undefined => {
    if (failure !== undefined) return Exit.fail(failure)
    if (queue.length === 0 && !isFull()) {
      hand(frame)
      return Exit.void
    }
    if (slow === "suspend") return undefined
    if (slow === "disconnect") {
      const reason = "Messages are taken too slowly"
      const failed = closed(1008, reason)
      end(failed)
      disconnect(1008, reason)
      return Exit.fail(failed)
    }
    keep(frame, slow === "dropOldest" ? undefined : slow.conflate(message()))
    return Exit.void
  }

  const write = (frame: Data | Prepared, message: unknown): Effect.Effect<void, WebSocketError> =>
    Effect.suspend(() => attempt(frame, () => message) ?? suspended(frame))

  const end = (cause: WebSocketError): void => {
    failure ??= cause
    queue = []
    queued = 0
    const all = senders
    senders = []
    for (const resume of all) resume(Exit.fail(failure))
  }

  const offer: Outbox["offer"] = (frame, message) =>
    attempt(frame, message) === undefined ? undefined : failure === undefined && queue.length === 0 && isFull()

  const shut = (cause: WebSocketError): void => {
    if (failure === undefined) for (const { frame } of queue) wire.send(frame, () => {})
    end(cause)
  }

  return { send: write, offer, dropped: () => dropped, shut, end }
}
