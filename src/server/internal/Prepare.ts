/**
 * What a server does with its app and its options before it runs.
 *
 * ```ts
 * const { compiled } = yield* prepare(app, options)
 * const engine = yield* Engine.make(compiled, engineOptions(options))
 * ```
 */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import type * as Scope from "effect/Scope"
import type * as App from "../../App.ts"
import * as ErrorResponse from "../../ErrorResponse.ts"
import * as Log from "../../internal/accessLog/log.ts"
import { ServerMemory } from "../../internal/lifecycle/serverMemory.ts"
import { CurrentTasks, type Tasks, tasksOf } from "../../internal/lifecycle/tasks.ts"
import { type Compiled, compile } from "../../internal/routing/compile.ts"
import { hooksOf } from "../../internal/routing/hooks.ts"
import type { Options } from "../Server.ts"
import type * as Engine from "./Engine.ts"
import * as Hooks from "./Hooks.ts"
import * as Limits from "./limits/Limits.ts"
import { platform } from "./services.ts"

/** The engine's options of a server. */
export const engineOptions = (options: Options): Engine.Options => {
  const { accessLog, headersTimeout, keepAliveTimeout, maxHeaderSize, requestTimeout } = options
  return {
    limits: Limits.make(options),
    ...(accessLog === undefined || accessLog === false ? undefined : { accessLog: Log.of(accessLog) }),
    ...(headersTimeout === undefined ? undefined : { headersTimeout }),
    ...(keepAliveTimeout === undefined ? undefined : { keepAliveTimeout }),
    ...(maxHeaderSize === undefined ? undefined : { maxHeaderSize }),
    ...(requestTimeout === undefined ? undefined : { requestTimeout })
  }
}

/** An app that may be served, its background work, and what it does when the server begins to stop. */
export interface Prepared {
  readonly compiled: Compiled
  readonly tasks: Tasks
  readonly onDrain: Effect.Effect<void>
}

/** The app, compiled for a server: its mounted layers are built, it has started, and developers have their page where it is asked for. */
export const prepare = Effect.fnUntraced(function* (
  app: App.Any,
  options: Options
): Effect.fn.Return<Prepared, ServeError, Scope.Scope> {
  const development = options.development ?? process.env.NODE_ENV === "development"
  const renderer = development ? ErrorResponse.development({ readSource }) : ErrorResponse.render
  const compiled = yield* Hooks.orServeError(
    // A wrong declaration says its cure.
    Effect.try({ try: () => compile(app, renderer), catch: (error) => error }),
    ""
  )
  const tasks = tasksOf(compiled)
  const hooks = hooksOf(app)
  const inServer = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(Effect.provideService(effect, CurrentTasks, tasks), ServerMemory, compiled)
  const mounted = Hooks.orServeError(compiled.prepare, "what is mounted failed: ")
  const started = Effect.provide(Effect.andThen(mounted, Hooks.start(hooks)), platform)
  // Where the start fails, nobody else ends what was begun, and it ends before what it uses.
  yield* Effect.onError(inServer(started), () => tasks.release)
  yield* Effect.addFinalizer(() => tasks.release)
  return { compiled, tasks, onDrain: inServer(Hooks.drain(hooks)) }
})

const readSource = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}
