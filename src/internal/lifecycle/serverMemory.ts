/**
 * What the memory of a server hangs on: state that a value of the app keeps for each server that runs it, apart from others.
 *
 * ```ts
 * const counters = yield* perServer(new WeakMap(), () => new Map())
 * ```
 *
 * So the tests of one app do not see each other's, and what was kept goes with the server.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

const everywhere = {}

/** An object that is the server's, and the same for all of its sites. Under other engines there is one for all. */
export const ServerMemory = Context.Reference<object>("effect-web/ServerMemory", { defaultValue: () => everywhere })

/** What the server has; made when it is first asked for, and then `first` runs. */
export const perServer = <A>(
  memories: WeakMap<object, A>,
  make: () => A,
  first: Effect.Effect<void> = Effect.void
): Effect.Effect<A> =>
  Effect.flatMap(ServerMemory, (server) => {
    const found = memories.get(server)
    if (found !== undefined) return Effect.succeed(found)
    const made = make()
    memories.set(server, made)
    return Effect.as(first, made)
  })
