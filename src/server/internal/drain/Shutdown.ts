/**
 * The graceful stop of a server: of all its engines together.
 *
 * ```ts
 * yield* Effect.addFinalizer(() => Shutdown.stop({ engines: [engine], prepared, isServing: () => true }, {}))
 * ```
 *
 * Answers close their connections; after `drainDelay` listeners close, idle connections close, event streams and sockets take their
 * leave, what is in flight finishes and background work with it, the rest is interrupted and awaited, then sockets are destroyed. No connection outlives it.
 * A worker whose successor listens already closes its listeners first, and nobody is told that the server stops.
 *
 * @source aiohttp.web graceful shutdown
 */
import * as Net from "node:net"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Tasks } from "../../../internal/lifecycle/tasks.ts"
import type { Engine } from "../Engine.ts"
import type { Prepared } from "../Prepare.ts"
import { time } from "../time.ts"
import { CurrentWorker } from "../workers/Seat.ts"
import { DrainAccount } from "./DrainAccount.ts"
import * as DrainReport from "./DrainReport.ts"

/** How patient the stop is. */
export interface Options {
  /**
   * How long the listeners stay open when the server begins to stop, while every answer closes its connection and readiness says no;
   * 0. As long as a load balancer takes to notice.
   */
  readonly drainDelay?: Duration.Input
  /** How long requests in flight may take when the server stops; 30 seconds. */
  readonly shutdownTimeout?: Duration.Input
  /** How long what was interrupted may take to clean up; 5 seconds. */
  readonly interruptGrace?: Duration.Input
}

/** How long the answers to interrupted requests may take to leave. */
const flush = Duration.millis(500)

/**
 * How long a connection is waited for, at least, where another process goes on: a client that has just sent its next request gets its
 * answer, which closes the connection.
 */
const parting = Duration.seconds(1)

/** The longest that a stop takes, but for what the app releases. Throws a TypeError for options that are no times. */
export const longest = (options: Options): Duration.Duration => {
  const { drainDelay, interruptGrace, shutdownTimeout } = withDefaults(options)
  const grace = Duration.times(interruptGrace, 2)
  const steps = [Duration.max(Duration.max(drainDelay, parting), shutdownTimeout), shutdownTimeout, grace, flush]
  return steps.reduce(Duration.sum)
}

const withDefaults = ({ drainDelay = 0, interruptGrace = "5 seconds", shutdownTimeout = "30 seconds" }: Options) => ({
  drainDelay: time("drainDelay", drainDelay),
  interruptGrace: time("interruptGrace", interruptGrace),
  shutdownTimeout: time("shutdownTimeout", shutdownTimeout)
})

/** What is stopped. */
export interface Running {
  readonly engines: ReadonlyArray<Engine>
  readonly prepared: Pick<Prepared, "tasks" | "onDrain">
  /** False while the server has not come so far. */
  readonly isServing: () => boolean
}

/** Stops a server. Ends when no connection is left, and no handler but those that refuse to end. */
export const stop = Effect.fnUntraced(function* (
  { engines, isServing, prepared: { onDrain, tasks } }: Running,
  options: Options
) {
  // A start that fails waits for nothing: whoever it is said to may try again.
  const { drainDelay, interruptGrace, shutdownTimeout } = withDefaults(options)
  const timeout = isServing() ? shutdownTimeout : Duration.zero
  const hasSuccessor = (yield* CurrentWorker)?.hasSuccessor() ?? false
  const account = new DrainAccount(yield* Clock.currentTimeMillis)
  for (const engine of engines) engine.begin(account)
  if (isServing()) {
    yield* DrainReport.begins(account.underWay, Duration.toMillis(timeout))
    const delay = hasSuccessor ? Duration.max(drainDelay, parting) : drainDelay
    const told = Effect.timeoutOption(onDrain, Duration.max(timeout, delay))
    const waited = hasSuccessor ? Effect.timeoutOption(parted(engines), delay) : Effect.sleep(delay)
    yield* Duration.isPositive(delay) ? Effect.all([waited, told], { concurrency: 2 }) : told
  }
  tasks.drain()
  for (const engine of engines) {
    engine.drain()
    engine.server.close()
    engine.connections.closeIdle()
  }
  // A handler whose client has left has no connection any more.
  const finishing = each(engines, (engine) => Effect.andThen(empty(engine), engine.settled)).pipe(
    Effect.andThen(turn),
    Effect.andThen(tasks.settled)
  )
  const finished = yield* Effect.timeoutOption(finishing, timeout)
  if (Option.isNone(finished)) yield* cutOff(engines, tasks, account, interruptGrace)
  if (!isServing()) return
  yield* turn
  const now = yield* Clock.currentTimeMillis
  const stuck = [...engines.flatMap((engine) => engine.running()), ...tasks.running(now)]
  yield* DrainReport.log(account.report(now, stuck, tasks.counts))
})

// Interrupts what is left, and destroys what is left then.
const cutOff = Effect.fnUntraced(function* (
  engines: ReadonlyArray<Engine>,
  tasks: Tasks,
  account: DrainAccount,
  grace: Duration.Input
) {
  account.isCutting = true
  const handlers = each(engines, ({ interruptAll }) => interruptAll)
  const interruptAll = Effect.andThen(handlers, tasks.interruptAll)
  const interrupted = yield* within(interruptAll, grace)
  for (const { connections } of engines) connections.closeIdle()
  const left = yield* within(each(engines, empty), flush)
  yield* turn
  account.isDestroying = Option.isNone(left)
  for (const { connections } of engines) account.connections += connections.destroyAll()
  yield* each(engines, empty)
  // What came in meanwhile.
  if (Option.isSome(interrupted)) yield* within(interruptAll, grace)
})

// Whoever comes from now on is another process's, and who would stay may come again at once. A server of HTTP that is closed would cut
// off the connections that it takes for idle.
const parted = (engines: ReadonlyArray<Engine>): Effect.Effect<void> =>
  Effect.suspend(() => {
    for (const { drain, server } of engines) {
      Net.Server.prototype.close.call(server)
      drain()
    }
    return each(engines, empty)
  })

const each = (engines: ReadonlyArray<Engine>, f: (engine: Engine) => Effect.Effect<void>): Effect.Effect<void> =>
  Effect.forEach(engines, f, { concurrency: "unbounded", discard: true })

const empty = ({ connections }: Engine): Effect.Effect<void> =>
  Effect.callback((resume) => connections.onEmpty(() => resume(Effect.void)))

// The outcomes of the last connections come in the turn in which they close.
const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

// By the real clock: under a test's clock a handler that refuses to end would hold the test for ever.
const within = <A>(effect: Effect.Effect<A>, duration: Duration.Input): Effect.Effect<Option.Option<A>> =>
  Effect.provideService(Effect.timeoutOption(effect, duration), Clock.Clock, Clock.Clock.defaultValue())
