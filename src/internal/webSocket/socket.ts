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
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Compiled } from "./codec.ts"
import { CloseCode, closed, WebSocketError } from "./failure.ts"
import type { Inbox } from "./inbox.ts"
import type { Outbox } from "./outbox.ts"
import type { Data, Prepared, Wire } from "./wire.ts"

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
  /** For rooms: sends a frame that is encoded already where it need not wait, and gives false where it would have to. */
  readonly "~offer": (frame: Data | Prepared, message: () => unknown) => boolean
  readonly "~encode": (message: Send) => Effect.Effect<Data>
  /** What was encoded, for frames that come from another process. */
  readonly "~decodeSent": (data: Data) => Effect.Effect<Send, WebSocketError>
}

/** What a socket is made of. */
export interface Parts<in out Receive, in out Send> {
  readonly wire: Wire
  readonly compiled: Compiled<Receive, Send>
  readonly inbox: Inbox
  readonly outbox: Outbox
  readonly ended: Effect.Effect<CloseEvent>
  readonly shutting: (code: number, reason: string) => Effect.Effect<CloseEvent>
  readonly receiveTimeout: Duration.Input | undefined
}

/** Makes the socket of a connection. */
export const makeSocket = <Receive, Send>(parts: Parts<Receive, Send>): Socket<Receive, Send> => {
  const { compiled, ended, inbox, outbox, receiveTimeout, shutting, wire } = parts
  const inTime = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | WebSocketError> =>
    receiveTimeout === undefined
      ? effect
      : Effect.timeoutOrElse(effect, { duration: receiveTimeout, orElse: () => Effect.fail(silent()) })
  const next = inTime(inbox.one)
  return {
    messages: Stream.fromPull(Effect.sync(() => puller(inTime(inbox.take), compiled.decode))),
    receive: Effect.flatMap(
      Effect.catchIf(next, Cause.isDone, () =>
        Effect.flatMap(ended, ({ code, reason }) => Effect.fail(closed(code, reason)))
      ),
      compiled.decode
    ),
    send: (message) => {
      const encoded = compiled.encode(message)
      // An Exit is mapped without a step of the fiber.
      return Effect.flatMapEager(encoded, (data) => outbox.send(data, message))
    },
    close: (code = CloseCode.normal, reason = "") => shutting(code, reason),
    closed: ended,
    protocol: wire.protocol,
    buffered: Effect.sync(() => wire.buffered()),
    dropped: Effect.sync(() => outbox.dropped()),
    "~offer": outbox.offer,
    "~encode": compiled.encode,
    "~decodeSent": compiled.decodeSent
  }
}

const silent = () =>
  new WebSocketError({ reason: "timeout", code: CloseCode.timeout, text: "Nothing was received in time" })

type Pulled<A> = Effect.Effect<readonly [A, ...Array<A>], WebSocketError | Cause.Done>

// Decodes a batch; what came before a malformed message is given before its failure.
const puller = <A>(
  take: Effect.Effect<readonly [Data, ...Array<Data>], WebSocketError | Cause.Done>,
  decode: (data: Data) => Effect.Effect<A, WebSocketError>
): Pulled<A> => {
  let failure: Exit.Exit<never, WebSocketError> | undefined
  const from = (batch: ReadonlyArray<Data>, decoded: Array<A>): Pulled<A> => {
    for (let index = decoded.length; index < batch.length; index++) {
      const value = decode(batch[index] as Data)
      if (!Exit.isExit(value)) {
        return Effect.flatMap(Effect.exit(value), (exit) =>
          accept(exit, decoded) ? from(batch, decoded) : given(decoded)
        )
      }
      // The guard forgets the types of the effect that it narrows.
      if (!accept(value as Exit.Exit<A, WebSocketError>, decoded)) return given(decoded)
    }
    return given(decoded)
  }
  const accept = (exit: Exit.Exit<A, WebSocketError>, decoded: Array<A>): boolean => {
    if (Exit.isSuccess(exit)) decoded.push(exit.value)
    else failure = Exit.failCause(exit.cause)
    return failure === undefined
  }
  const given = (decoded: Array<A>): Pulled<A> =>
    decoded.length > 0
      ? Exit.succeed(decoded as unknown as readonly [A, ...Array<A>])
      : (failure as Exit.Exit<never, WebSocketError>)
  return Effect.suspend(() => failure ?? Effect.flatMapEager(take, (batch) => from(batch, [])))
}
