/**
 * The graceful stop of an engine.
 *
 * ```ts
 * yield* Effect.addFinalizer(() => Shutdown.stop(engine, {}))
 * ```
 *
 * Listeners close, idle connections close, what is in flight finishes and says `Connection: close`, the rest is interrupted and
 * awaited, then sockets are destroyed. No connection outlives it.
 *
 * @source aiohttp.web graceful shutdown
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Engine } from "./Engine.ts"

/** How patient the stop is. */
export interface Options {
  /** How long requests in flight may take when the server stops; 30 seconds. */
  readonly shutdownTimeout?: Duration.Input
  /** How long what was interrupted may take to clean up; 5 seconds. */
  readonly interruptGrace?: Duration.Input
}

/** How long the answers to interrupted requests may take to leave. */
const flush = Duration.millis(500)

/** Stops the engine. Ends when no connection is left, and no handler but those that refuse to end. */
export const stop = Effect.fnUntraced(function* (engine: Engine, options: Options) {
  const { connections, server } = engine
  const empty = Effect.callback<void>((resume) => connections.onEmpty(() => resume(Effect.void)))
  const grace = options.interruptGrace ?? Duration.seconds(5)
  engine.drain()
  server.close()
  connections.closeIdle()
  // A handler whose client has left has no connection any more.
  const finishing = Effect.andThen(empty, engine.settled)
  const finished = yield* Effect.timeoutOption(finishing, options.shutdownTimeout ?? Duration.seconds(30))
  if (Option.isSome(finished)) return
  const interrupted = yield* within(engine.interruptAll, grace)
  connections.closeIdle()
  yield* within(empty, flush)
  connections.destroyAll()
  yield* empty
  // What came in meanwhile.
  if (Option.isSome(interrupted)) yield* within(engine.interruptAll, grace)
})

// By the real clock: under a test's clock a handler that refuses to end would hold the test for ever.
const within = <A>(effect: Effect.Effect<A>, duration: Duration.Input): Effect.Effect<Option.Option<A>> =>
  Effect.provideService(Effect.timeoutOption(effect, duration), Clock.Clock, Clock.Clock.defaultValue())
