/**
 * A WebSocket in the hands of its handler.
 *
 * ```ts
 * const chat = WebSocket.make({ receive: Message, send: Message }, (socket) => Stream.runForEach(socket.messages, socket.send))
 * ```
 */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Compiled } from "./codec.ts"
import { CloseCode, closed, WebSocketError } from "./failure.ts"
import type { Line } from "./line.ts"
import type { Data, Prepared } from "./wire.ts"

/** How a connection ended: the peer's code, 1005 for none, 1006 when it broke. */
export interface CloseEvent {
  readonly code: number
  readonly reason: string
}

/** An open WebSocket in the hands of its handler. */
export interface Socket<in out Receive, in out Send> {
  /** What the peer sends; ends when it closes with 1000, 1001 or no code, and fails otherwise, also for a malformed message. */
  readonly messages: Stream.Stream<Receive, WebSocketError>
  /** The next message. After a malformed one the next can be received. Fails with "closed" at the end, a clean one too. */
  readonly receive: Effect.Effect<Receive, WebSocketError>
  /** Sends a message; waits while the buffer is full, unless the endpoint's `slow` says otherwise. */
  readonly send: (message: Send) => Effect.Effect<void, WebSocketError>
  /** Begins to close, and waits until the peer has closed too. */
  readonly close: (code?: number, reason?: string) => Effect.Effect<CloseEvent>
  /** Waits for the end of the connection. */
  readonly closed: Effect.Effect<CloseEvent>
  /** The subprotocol that was agreed on; "" for none. */
  readonly protocol: string
  /** The bytes that wait to be sent, and the messages that were dropped for a slow peer. */
  readonly buffered: Effect.Effect<number>
  readonly dropped: Effect.Effect<number>
  /** For rooms: sends an encoded frame where it need not wait; undefined where it is dropped, true where the buffer is full then. */
  readonly "~offer": (frame: Data | Prepared, message: () => unknown) => boolean | undefined
  readonly "~encode": (message: Send) => Effect.Effect<Data>
  /** What was encoded, for frames that come from another process. */
  readonly "~decodeSent": (data: Data) => Effect.Effect<Send, WebSocketError>
}

/** What a socket is made of. */
export interface Parts<in out Receive, in out Send> {
  readonly line: Line
  readonly compiled: Compiled<Receive, Send>
  readonly receiveTimeout: Duration.Input | undefined
}

/** Makes the socket of a connection. */
export const makeSocket = <Receive, Send>(parts: Parts<Receive, Send>): Socket<Receive, Send> => {
  const { compiled, line, receiveTimeout } = parts
  const { inbox, outbox, wire } = line
  const take =
    receiveTimeout === undefined
      ? inbox.take
      : Effect.timeoutOrElse(inbox.take, { duration: receiveTimeout, orElse: () => Effect.fail(silent()) })
  return {
    // One at a time: whoever stops in the middle of a batch would lose the rest of it.
    messages: Stream.fromPull(
      Effect.succeed(Effect.flatMap(take, (data) => Effect.mapEager(compiled.decode(data), (message) => [message])))
    ),
    receive: Effect.flatMap(
      Effect.catchIf(take, Cause.isDone, () =>
        Effect.suspend(() => Effect.fail(closed(line.last?.code ?? 1005, line.last?.reason ?? "")))
      ),
      compiled.decode
    ),
    send: (message) => {
      const encoded = compiled.encode(message)
      // An Exit is mapped without a step of the fiber.
      return Effect.flatMapEager(encoded, (data) => outbox.send(data, message))
    },
    close: (code = CloseCode.normal, reason = "") => line.awaiting(line.shutting(code, reason)),
    closed: line.awaiting(line.ended),
    protocol: wire.protocol,
    buffered: Effect.sync(() => wire.buffered()),
    dropped: Effect.sync(() => outbox.dropped),
    "~offer": (frame, message) => outbox.offer(frame, message),
    "~encode": compiled.encode,
    "~decodeSent": compiled.decodeSent
  }
}

const silent = () =>
  new WebSocketError({ reason: "timeout", code: CloseCode.timeout, text: "Nothing was received in time" })
