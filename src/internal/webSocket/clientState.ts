/**
 * What of a client outlasts its connections: what has come, who waits to send, and how it is connected.
 *
 * ```ts
 * const state = yield* makeState<Received, Sent>(wire)
 * yield* session(wire, compiled, settings, state.serve) // and again for the next connection
 * ```
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Status } from "./client.ts"
import { closed, isClean, type WebSocketError } from "./failure.ts"
import type { CloseEvent, Socket } from "./socket.ts"
import type { Wire } from "./wire.ts"

/** What outlasts the connections. */
export type State<Received, Sent> = Effect.Success<ReturnType<typeof makeState<Received, Sent>>>

/** Begins with an open connection. */
export const makeState = Effect.fnUntraced(function* <Received, Sent>({ protocol }: Wire) {
  const messages = yield* Queue.unbounded<Received, WebSocketError | Cause.Done>()
  const status = yield* SubscriptionRef.make<Status>({ _tag: "Open", protocol, connections: 1 })
  const over = yield* Deferred.make<CloseEvent>()
  const connected = Latch.makeUnsafe()
  let current: Socket<Received, Sent> | undefined
  let connections = 0
  let malformed: WebSocketError | undefined
  let ended: WebSocketError | undefined

  const gone = (socket: Socket<Received, Sent>): void => {
    if (current !== socket) return
    current = undefined
    if (ended === undefined) connected.closeUnsafe()
  }
  const send = (message: Sent): Effect.Effect<void, WebSocketError> =>
    Effect.suspend(() => {
      if (ended !== undefined) return Effect.fail(ended)
      if (current === undefined) return Effect.andThen(connected.await, send(message))
      const socket = current
      // Not handed over: it is for the next connection.
      return Effect.catch(socket.send(message), () => {
        gone(socket)
        return send(message)
      })
    })
  const end = (event: CloseEvent, failure: WebSocketError | undefined): Effect.Effect<CloseEvent> =>
    Effect.gen(function* () {
      if (ended !== undefined) return yield* Deferred.await(over)
      ended = failure ?? closed(event.code, event.reason)
      connected.openUnsafe()
      const isFailure = failure !== undefined || !isClean(event.code)
      // Who follows the states only for as long as there are messages is told, too.
      yield* SubscriptionRef.set(status, { _tag: "Closed", event })
      yield* isFailure ? Queue.fail(messages, ended) : Queue.end(messages)
      yield* Deferred.succeed(over, event)
      return event
    }).pipe(Effect.uninterruptible)
  return {
    messages: Stream.fromQueue(messages),
    status,
    over,
    send,
    end,
    malformed: () => malformed,
    serve: (socket: Socket<Received, Sent>): Effect.Effect<void, WebSocketError> =>
      Effect.gen(function* () {
        current = socket
        connected.openUnsafe()
        connections++
        if (connections > 1)
          yield* SubscriptionRef.set(status, { _tag: "Open", protocol: socket.protocol, connections })
        yield* Stream.runForEach(socket.messages, (message) => Queue.offer(messages, message))
      }).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (error.reason === "malformed") malformed = error
          })
        ),
        Effect.ensuring(Effect.sync(() => gone(socket)))
      ),
    leave: (code: number, reason: string): Effect.Effect<CloseEvent> =>
      Effect.suspend(() => current?.close(code, reason) ?? Effect.succeed({ code, reason }))
  }
})
