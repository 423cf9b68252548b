/**
 * The life of a WebSocket: runs its handler with a socket, watches over the peer, and closes as the handler ended.
 *
 * ```ts
 * yield* session(new Line(wire, settings), compiled, settings, (socket) => Stream.runForEach(socket.messages, socket.send))
 * ```
 *
 * While the connection lives nothing runs but the handler. Timers run by Effect's Clock, so that TestClock moves them.
 *
 * @source aiohttp.web.WebSocketResponse
 * @spec RFC 6455 §5.5, §7
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { OnDrain } from "../lifecycle/draining.ts"
import type { Compiled } from "./codec.ts"
import type { Closing } from "./failure.ts"
import * as Heartbeat from "./heartbeat.ts"
import type { Line } from "./line.ts"
import type * as Outbox from "./outbox.ts"
import { type CloseEvent, makeSocket, type Socket } from "./socket.ts"

/** How the connection is looked after. */
export interface Settings extends Outbox.Options {
  readonly heartbeat: Duration.Duration | undefined
  readonly receiveTimeout: Duration.Duration | undefined
  readonly closeTimeout: Duration.Duration
}

const stops = "The server stops"

/** Runs the handler until it ends or nobody is there for it, and closes the connection. To be run at once; never fails. */
export const session = <Receive, Send, E extends Closing, R>(
  line: Line,
  compiled: Compiled<Receive, Send>,
  settings: Settings,
  handler: (socket: Socket<Receive, Send>) => Effect.Effect<unknown, E, R>
): Effect.Effect<CloseEvent, never, Exclude<R, Scope.Scope>> => {
  const socket = makeSocket({ line, compiled, receiveTimeout: settings.receiveTimeout })
  const running = Effect.scoped(Effect.suspend(() => handler(socket)))
  // Whenever it is interrupted, what looks after the connection ends.
  return Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const care = lookAfter(line, settings, yield* Effect.context<never>())
      // In a fiber of its own, so that its children end with it.
      const handling = yield* Effect.forkChild(running, { startImmediately: true })
      care.begin(handling)
      const stopped = Effect.andThen(
        Fiber.interrupt(handling),
        Effect.sync(() => line.wire.close(1001, stops))
      )
      const exit = yield* restore(Fiber.await(handling)).pipe(
        Effect.onInterrupt(() => stopped),
        Effect.ensuring(Effect.sync(care.end))
      )
      return yield* restore(Effect.andThen(finish(exit, line), line.ended))
    })
  )
}

/** What is done about the connection while the handler runs, each in a fiber of its own when its time has come. */
const lookAfter = (line: Line, { closeTimeout, heartbeat }: Settings, context: Context.Context<never>) => {
  const run = Effect.runForkWith(context)
  let handling: Fiber.Fiber<unknown, unknown> | undefined
  let waiting: Fiber.Fiber<unknown> | undefined
  let isLeaving = false
  // The server stops, the peer is too slow, or it has said its last word and should hang up.
  const farewell = (code: number, reason: string): void => {
    if (!isLeaving) run(line.shutting(code, reason))
    isLeaving = true
  }
  const left = (): void => {
    farewell(1000, "")
    if (handling === undefined) return
    const interrupt = Effect.sync(() => handling?.interruptUnsafe())
    waiting = run(Effect.andThen(outlasted(line, closeTimeout), interrupt))
  }
  line.onUnwanted = farewell
  line.onGone = left
  const forget = Context.get(context, OnDrain)(() => farewell(1001, stops))
  const stop = heartbeat === undefined ? undefined : Heartbeat.watch(line, heartbeat, Context.get(context, Clock.Clock))
  return {
    begin: (fiber: Fiber.Fiber<unknown, unknown>): void => {
      handling = fiber
      if (line.last !== undefined) left()
    },
    end: (): void => {
      forget()
      stop?.()
      line.onUnwanted = undefined
      line.onGone = undefined
      waiting?.interruptUnsafe()
    }
  }
}

// A handler that reads is given what had come and the end, one that waits for the end is given that, and then there is time to finish;
// any other is of no use any more.
const outlasted = (line: Line, patience: Duration.Duration): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { inbox } = line
    if (!inbox.isRead && !line.isAwaited) return Effect.void
    const given = Effect.callback<void>((resume) => {
      if (inbox.isEnded) resume(Effect.void)
      else inbox.onEnded = () => resume(Effect.void)
    })
    const told = inbox.isRead ? given : line.ended
    return Effect.ignore(Effect.andThen(Effect.timeout(told, patience), Effect.sleep(patience)))
  })

const finish = (exit: Exit.Exit<unknown, Closing>, line: Line): Effect.Effect<unknown> => {
  if (Exit.isSuccess(exit)) return line.shutting(1000, "")
  const failed = exit.cause.reasons.find(Cause.isFailReason)
  const died = exit.cause.reasons.some(Cause.isDieReason)
  if (died) {
    // Failures beside a defect do not count.
    line.died = exit.cause as Cause.Cause<never>
    const logged = Effect.logError("The handler of a WebSocket died", exit.cause)
    return Effect.andThen(Effect.andThen(logged, ErrorReporter.report(exit.cause)), line.shutting(1011, ""))
  }
  if (failed === undefined) return line.shutting(1001, "")
  const { closeCode, closeReason = "" } = failed.error
  return line.shutting(closeCode, closeReason)
}
