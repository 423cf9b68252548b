/**
 * What a server does with its app and its options before it runs.
 *
 * ```ts
 * const engine = yield* Engine.make(yield* prepare(app, options), engineOptions(options))
 * ```
 */
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as App from "../../App.ts"
import * as ErrorResponse from "../../ErrorResponse.ts"
import * as Log from "../../internal/accessLog/log.ts"
import { type Compiled, compile } from "../../internal/compile.ts"
import type { Options } from "../Server.ts"
import * as Engine from "./Engine.ts"

/** The engine's options of a server. */
export const engineOptions = (options: Options): Engine.Options => {
  const { accessLog, headersTimeout, keepAliveTimeout, maxHeaderSize, requestTimeout } = options
  return {
    ...(accessLog === undefined || accessLog === false ? undefined : { accessLog: Log.of(accessLog) }),
    ...(headersTimeout === undefined ? undefined : { headersTimeout }),
    ...(keepAliveTimeout === undefined ? undefined : { keepAliveTimeout }),
    ...(maxHeaderSize === undefined ? undefined : { maxHeaderSize }),
    ...(requestTimeout === undefined ? undefined : { requestTimeout })
  }
}

/** The app, compiled for a server: its mounted layers are built, and developers have their page where it is asked for. */
export const prepare = Effect.fnUntraced(function* (
  app: App.Any,
  options: Options
): Effect.fn.Return<Compiled, never, Scope.Scope> {
  const development = options.development ?? process.env.NODE_ENV === "development"
  const compiled = compile(app, development ? ErrorResponse.development({ readSource }) : ErrorResponse.render)
  yield* Effect.provide(compiled.prepare, Engine.platform)
  return compiled
})

const readSource = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}
