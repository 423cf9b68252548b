/**
 * The life of a WebSocket: runs its handler with a socket, watches over the peer, and closes as the handler ended.
 *
 * ```ts
 * yield* session(wire, compiled, settings, (socket) => Stream.runForEach(socket.messages, socket.send))
 * ```
 *
 * Timers run by Effect's Clock, so that TestClock moves them.
 *
 * @source aiohttp.web.WebSocketResponse
 * @spec RFC 6455 §5.5, §7
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Draining } from "../draining.ts"
import type { Compiled } from "./codec.ts"
import { type Closing, closed } from "./failure.ts"
import * as Inbox from "./inbox.ts"
import * as Outbox from "./outbox.ts"
import { type CloseEvent, makeSocket, type Socket } from "./socket.ts"
import type { Wire } from "./wire.ts"

/** How the connection is looked after. */
export interface Settings extends Outbox.Options {
  readonly heartbeat: Duration.Input | false
  readonly receiveTimeout: Duration.Input | undefined
  readonly closeTimeout: Duration.Input
}

/** Runs the handler until it ends or nobody is there for it, and closes the connection. Never fails. */
export const session = <Receive, Send, E extends Closing, R>(
  wire: Wire,
  compiled: Compiled<Receive, Send>,
  settings: Settings,
  handler: (socket: Socket<Receive, Send>) => Effect.Effect<unknown, E, R>
): Effect.Effect<CloseEvent, never, Exclude<R, Scope.Scope>> =>
  Effect.gen(function* () {
    const inbox = Inbox.make(wire)
    const outbox = Outbox.make(wire, settings)
    const end = Deferred.makeUnsafe<CloseEvent>()
    wire.listen({
      message: inbox.put,
      close: (code, reason) => {
        inbox.end(code, reason)
        outbox.end(closed(code, reason))
        Deferred.doneUnsafe(end, Exit.succeed({ code, reason }))
      }
    })
    const ended = Deferred.await(end)
    const shutting = closing(wire, ended, settings.closeTimeout)
    const socket = makeSocket({
      wire,
      compiled,
      inbox,
      outbox,
      ended,
      shutting,
      receiveTimeout: settings.receiveTimeout
    })
    const gone = Effect.andThen(ended, left(inbox, settings.closeTimeout))
    const watched = Effect.gen(function* () {
      yield* Effect.forkScoped(farewell(shutting))
      if (settings.heartbeat !== false) yield* Effect.forkScoped(heartbeat(wire, settings.heartbeat))
      return yield* Effect.raceFirst(Effect.exit(Effect.scoped(handler(socket))), Effect.as(gone, Exit.void))
    })
    const exit = yield* Effect.onInterrupt(Effect.scoped(watched), () =>
      Effect.sync(() => wire.close(1001, "The server stops"))
    )
    yield* finish(exit, shutting)
    return yield* ended
  })

/** Closes, and does not wait for the peer for ever. */
const closing =
  (wire: Wire, ended: Effect.Effect<CloseEvent>, patience: Duration.Input): Shutting =>
  (code, reason) =>
    Effect.suspend(() => {
      wire.close(code, clipped(reason))
      const late = Effect.andThen(
        Effect.sync(() => wire.terminate()),
        ended
      )
      return Effect.timeoutOrElse(ended, { duration: patience, orElse: () => late })
    })

type Shutting = (code: number, reason: string) => Effect.Effect<CloseEvent>

// A handler that reads is given what had come and the end, and then time to finish; any other is of no use any more.
const left = (inbox: Inbox.Inbox, patience: Duration.Input): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (!inbox.isRead()) return Effect.void
    const given = Effect.callback<void>((resume) => inbox.onEnded(() => resume(Effect.void)))
    return Effect.ignore(Effect.andThen(Effect.timeout(given, patience), Effect.sleep(patience)))
  })

const farewell = (shutting: Shutting): Effect.Effect<unknown> =>
  Effect.flatMap(
    Effect.flatMap(Draining, (draining) => draining),
    () => shutting(1001, "The server stops")
  )

// A ping after a silence, the end when half as long again nothing came: any byte is a sign of life.
const heartbeat = (wire: Wire, interval: Duration.Input): Effect.Effect<void> => {
  const { ping } = wire
  if (ping === undefined) return Effect.void
  const round = Effect.gen(function* () {
    const before = wire.received()
    yield* Effect.sleep(interval)
    if (wire.received() !== before) return
    ping()
    yield* Effect.sleep(Duration.times(Duration.fromInputUnsafe(interval), 0.5))
    if (wire.received() === before) wire.terminate()
  })
  return Effect.forever(round)
}

const finish = (exit: Exit.Exit<unknown, Closing>, shutting: Shutting): Effect.Effect<unknown> => {
  if (Exit.isSuccess(exit)) return shutting(1000, "")
  const failed = exit.cause.reasons.find(Cause.isFailReason)
  const died = exit.cause.reasons.some(Cause.isDieReason)
  if (died) {
    return Effect.andThen(Effect.logError("The handler of a WebSocket died", exit.cause), shutting(1011, ""))
  }
  if (failed === undefined) return shutting(1001, "")
  const { closeCode, closeReason = "" } = failed.error
  return shutting(closeCode, closeReason)
}

// A close frame has room for 123 bytes of reason (§5.5), and text may not break inside a character.
const clipped = (reason: string): string => {
  const bytes = new TextEncoder().encode(reason)
  return bytes.length <= 123 ? reason : new TextDecoder().decode(bytes.subarray(0, 120)).replace(/\uFFFD$/, "")
}
