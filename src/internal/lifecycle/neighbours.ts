/**
 * Says once in each worker process that something in memory is not what the other workers have.
 *
 * ```ts
 * yield* notShared("Rooms are in memory", "give Room.layerRedis to the server")
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** What this process has said of its neighbours; undefined where it has none. */
export const Neighbours = Context.Reference<{ readonly said: Set<string> } | undefined>("effect-web/Neighbours", {
  defaultValue: () => undefined
})

/** Warns, once, where there are several workers. */
export const notShared = (what: string, cure: string): Effect.Effect<void> =>
  Effect.flatMap(Neighbours, (neighbours) => {
    if (neighbours === undefined || neighbours.said.has(what)) return Effect.void
    neighbours.said.add(what)
    return Effect.logWarning(`${what}: each worker has its own; ${cure}`)
  })
