/**
 * The hooks of an app and of the apps below it, in the order in which they run.
 *
 * ```ts
 * for (const hook of hooksOf(app)) if (hook.on === "start") yield* hook.run
 * ```
 */
import type * as Effect from "effect/Effect"
import type * as App from "../../App.ts"
import type * as Route from "../../Route.ts"

/** What runs when the server starts, begins to stop, or has stopped. */
export interface Hook {
  readonly on: "start" | "drain" | "stop"
  readonly run: Effect.Effect<unknown, unknown, unknown>
}

/** Those of an app before those of the apps in it, in the order of declaration; each once, however often its app is mounted. */
export const hooksOf = (app: App.Any): ReadonlyArray<Hook> => [...new Set(walk(app))]

const walk = ({ hooks, routes }: App.Any): ReadonlyArray<Hook> => [
  ...hooks,
  // Entry hides the tags from the types of tables.
  ...Object.values(routes as unknown as Readonly<Record<string, Route.AnyEntry>>).flatMap((entry) =>
    entry._tag === "Mount" || entry._tag === "Host" ? walk(entry.app) : []
  )
]
