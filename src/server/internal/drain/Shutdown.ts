/**
 * The graceful stop of a server: of all its engines together.
 *
 * ```ts
 * yield* Effect.addFinalizer(() => Shutdown.stop({ engines: [engine], prepared, isServing: () => true }, {}))
 * ```
 *
 * Answers close their connections; after `drainDelay` listeners close, idle connections close, event streams and sockets take their
 * leave, what is in flight finishes and background work with it, the rest is interrupted and awaited, then sockets are destroyed. No connection outlives it.
 *
 * @source aiohttp.web graceful shutdown
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Tasks } from "../../../internal/tasks.ts"
import type { Engine } from "../Engine.ts"
import type { Prepared } from "../Prepare.ts"
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
  const patience = isServing() ? (options.shutdownTimeout ?? Duration.seconds(30)) : Duration.zero
  const timeout = Duration.fromInputUnsafe(patience)
  const account = new DrainAccount(yield* Clock.currentTimeMillis)
  for (const engine of engines) engine.begin(account)
  const delay = Duration.fromInputUnsafe(options.drainDelay ?? Duration.zero)
  if (isServing()) {
    const told = Effect.timeoutOption(onDrain, Duration.max(timeout, delay))
    yield* Duration.isPositive(delay) ? Effect.all([Effect.sleep(delay), told], { concurrency: 2 }) : told
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
  if (Option.isNone(finished)) yield* cutOff(engines, tasks, account, options.interruptGrace ?? Duration.seconds(5))
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

const each = (engines: ReadonlyArray<Engine>, f: (engine: Engine) => Effect.Effect<void>): Effect.Effect<void> =>
  Effect.forEach(engines, f, { concurrency: "unbounded", discard: true })

const empty = ({ connections }: Engine): Effect.Effect<void> =>
  Effect.callback((resume) => connections.onEmpty(() => resume(Effect.void)))

// The outcomes of the last connections come in the turn in which they close.
const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

// By the real clock: under a test's clock a handler that refuses to end would hold the test for ever.
const within = <A>(effect: Effect.Effect<A>, duration: Duration.Input): Effect.Effect<Option.Option<A>> =>
  Effect.provideService(Effect.timeoutOption(effect, duration), Clock.Clock, Clock.Clock.defaultValue())
