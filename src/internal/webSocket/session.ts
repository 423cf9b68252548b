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
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { Draining } from "../draining.ts"
import type { Compiled } from "./codec.ts"
import type { Closing } from "./failure.ts"
import * as Heartbeat from "./heartbeat.ts"
import * as Line from "./line.ts"
import type * as Outbox from "./outbox.ts"
import { type CloseEvent, makeSocket, type Socket } from "./socket.ts"
import type { Wire } from "./wire.ts"

/** How the connection is looked after. */
export interface Settings extends Outbox.Options {
  readonly heartbeat: Duration.Duration | undefined
  readonly receiveTimeout: Duration.Duration | undefined
  readonly closeTimeout: Duration.Duration
}

/** Runs the handler until it ends or nobody is there for it, and closes the connection. To be run at once; never fails. */
export const session = <Receive, Send, E extends Closing, R>(
  wire: Wire,
  compiled: Compiled<Receive, Send>,
  settings: Settings,
  handler: (socket: Socket<Receive, Send>) => Effect.Effect<unknown, E, R>
): Effect.Effect<CloseEvent, never, Exclude<R, Scope.Scope>> => {
  // Before any effect runs: what comes to nobody is lost.
  const line = Line.open(wire, settings)
  const { closeTimeout, heartbeat, receiveTimeout } = settings
  const socket = makeSocket({ wire, line, compiled, receiveTimeout })
  return Effect.gen(function* () {
    let exit: Exit.Exit<unknown, E> = Exit.void
    const running = Effect.onExit(Effect.scoped(Effect.suspend(() => handler(socket))), (ended) => {
      exit = ended
      return Effect.void
    })
    const left = Effect.andThen(line.gone, outlasted(line, closeTimeout))
    const watched = Effect.gen(function* () {
      yield* Effect.forkScoped(farewell(line), now)
      if (heartbeat !== undefined) yield* Effect.forkScoped(Heartbeat.run(wire, line, heartbeat), now)
      yield* Effect.raceFirst(Effect.exit(running), left)
    })
    yield* Effect.onInterrupt(Effect.scoped(watched), () => Effect.sync(() => wire.close(1001, stops)))
    yield* finish(exit, line)
    return yield* line.ended
  })
}

const now = { startImmediately: true }
const stops = "The server stops"

// A handler that reads is given what had come and the end, one that waits for the end is given that, and then there is time to finish;
// any other is of no use any more.
const outlasted = ({ ended, inbox, isAwaited }: Line.Line, patience: Duration.Duration): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (!inbox.isRead() && !isAwaited()) return Effect.void
    const given = Effect.callback<void>((resume) => inbox.onEnded(() => resume(Effect.void)))
    const told = inbox.isRead() ? given : ended
    return Effect.ignore(Effect.andThen(Effect.timeout(told, patience), Effect.sleep(patience)))
  })

// The server stops, the peer is too slow, or it has said its last word and should hang up.
const farewell = ({ gone, shutting, unwanted }: Line.Line): Effect.Effect<unknown> =>
  Effect.gen(function* () {
    const stopping = Effect.as(yield* Draining, { code: 1001, reason: stops })
    const left = Effect.as(gone, { code: 1000, reason: "" })
    const { code, reason } = yield* Effect.raceAllFirst([stopping, unwanted, left])
    yield* shutting(code, reason)
  })

const finish = (exit: Exit.Exit<unknown, Closing>, { shutting }: Line.Line): Effect.Effect<unknown> => {
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
