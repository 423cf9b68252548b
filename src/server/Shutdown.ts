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

/** Stops the engine. Ends when no connection is left. */
export const stop = Effect.fnUntraced(function* (engine: Engine, options: Options) {
  const { connections, server, state } = engine
  const empty = Effect.callback<void>((resume) => connections.onEmpty(() => resume(Effect.void)))
  state.draining = true
  server.close()
  connections.closeIdle()
  const finished = yield* Effect.timeoutOption(empty, options.shutdownTimeout ?? Duration.seconds(30))
  if (Option.isSome(finished)) return
  yield* Effect.timeoutOption(engine.interruptAll, options.interruptGrace ?? Duration.seconds(5))
  connections.closeIdle()
  yield* Effect.timeoutOption(empty, flush)
  connections.destroyAll()
  yield* empty
})
