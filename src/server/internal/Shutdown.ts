/**
 * The graceful stop of a server: of all its engines together.
 *
 * ```ts
 * yield* Effect.addFinalizer(() => Shutdown.stop([engine], {}, () => true))
 * ```
 *
 * Answers close their connections; after `drainDelay` listeners close, idle connections close, event streams and sockets take their
 * leave, what is in flight finishes, the rest is interrupted and awaited, then sockets are destroyed. No connection outlives it.
 *
 * @source aiohttp.web graceful shutdown
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DrainAccount } from "./DrainAccount.ts"
import * as DrainReport from "./DrainReport.ts"
import type { Engine } from "./Engine.ts"

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

/** Stops the engines; `isServing` unless the server did not come so far. Ends when no connection is left, and no handler but those that refuse to end. */
export const stop = Effect.fnUntraced(function* (
  engines: ReadonlyArray<Engine>,
  options: Options,
  isServing: () => boolean
) {
  const account = new DrainAccount(yield* Clock.currentTimeMillis)
  for (const engine of engines) engine.begin(account)
  const delay = Duration.fromInputUnsafe(options.drainDelay ?? Duration.zero)
  if (isServing() && Duration.isPositive(delay)) yield* Effect.sleep(delay)
  for (const engine of engines) {
    engine.drain()
    engine.server.close()
    engine.connections.closeIdle()
  }
  // A handler whose client has left has no connection any more.
  const finishing = each(engines, (engine) => Effect.andThen(empty(engine), engine.settled))
  const finished = yield* Effect.timeoutOption(finishing, options.shutdownTimeout ?? Duration.seconds(30))
  if (Option.isNone(finished)) yield* cutOff(engines, account, options.interruptGrace ?? Duration.seconds(5))
  if (!isServing()) return
  yield* turn
  const stuck = engines.flatMap((engine) => engine.running())
  yield* DrainReport.log(account.report(yield* Clock.currentTimeMillis, stuck))
})

// Interrupts what is left, and destroys what is left then.
const cutOff = Effect.fnUntraced(function* (
  engines: ReadonlyArray<Engine>,
  account: DrainAccount,
  grace: Duration.Input
) {
  const interruptAll = each(engines, ({ interruptAll }) => interruptAll)
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
