/**
 * Tells who waits for the end of a session: at once where it ends in this process, soon where another has ended it.
 *
 * ```ts
 * yield* ended(live)
 * ```
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Nothing } from "./keeper.ts"
import type { Live } from "./live.ts"

/** Who waits for the ends of sessions, by their ids. */
export class Endings {
  private readonly waiting = new Map<string, Set<() => void>>()

  /** How many sessions are waited for. */
  get size(): number {
    return this.waiting.size
  }

  tell(id: string): void {
    const all = this.waiting.get(id) ?? []
    this.waiting.delete(id)
    for (const tell of all) tell()
  }

  wait(id: string): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      const tell = () => resume(Effect.void)
      const all = this.waiting.get(id) ?? new Set()
      this.waiting.set(id, all.add(tell))
      return Effect.sync(() => {
        all.delete(tell)
        if (all.size === 0 && this.waiting.get(id) === all) this.waiting.delete(id)
      })
    })
  }
}

/** How often the store is asked whether a session is still there. */
const interval = "30 seconds"

/** Waits until the session is no more what it was in this request. */
export const ended = (live: Live): Effect.Effect<void> =>
  Effect.flatMap(live.current, () => {
    const { keeper, endings } = live.plan
    const found = live.base?.found?.id
    const id = live.id ?? found
    if (id === undefined) return live.ended ? Effect.void : Effect.never
    if (keeper.inCookie) return endings.wait(id)
    // What begins with this request is there when it has ended.
    const look = Effect.suspend(() => (live.over || id === found ? isThere(live, id) : Effect.succeed(true)))
    const looking = Effect.repeat(look, { while: (isThere) => isThere, schedule: Schedule.spaced(interval) })
    return Effect.raceFirst(endings.wait(id), Effect.asVoid(looking))
  })

// As long as the store does not say otherwise.
const isThere = (live: Live, id: string): Effect.Effect<boolean> => {
  return Effect.match(live.provided(live.plan.keeper.find(id)), {
    onSuccess: (found) => found !== "moved" && !(found instanceof Nothing),
    onFailure: () => true
  })
}
