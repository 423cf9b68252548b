/**
 * Lets those that save one session take turns: of many at a time all but one would read and write for nothing, again and again.
 *
 * ```ts
 * yield* Effect.uninterruptibleMask((restore) => turns.take(id, restore, (hasWaited) => save(hasWaited)))
 * ```
 *
 * Only manners: nothing depends on it but how often a store is asked. Who has waited for a second, or is interrupted, goes on without a
 * turn: the one in front may need what this one holds, as the only connection of a database.
 */
import * as Effect from "effect/Effect"

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

const patience = "1 second"

/** Who waits for a turn, by the ids of sessions. */
export class Turns {
  private readonly lines = new Map<string, Set<() => void>>()

  /** How many sessions somebody has a turn of. */
  get size(): number {
    return this.lines.size
  }

  /** Runs it when those that came before have ended; says whether there were any. */
  take<A, E, R>(
    id: string,
    restore: Restore,
    effect: (hasWaited: boolean) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      const line = this.lines.get(id)
      if (line !== undefined) {
        const waited = Effect.exit(restore(Effect.timeoutOption(turn(line), patience)))
        return Effect.ensuring(
          Effect.flatMap(waited, () => effect(true)),
          this.next(id, line)
        )
      }
      const own = new Set<() => void>()
      this.lines.set(id, own)
      return Effect.ensuring(effect(false), this.next(id, own))
    })
  }

  private next(id: string, line: Set<() => void>): Effect.Effect<void> {
    return Effect.sync(() => {
      const [first] = line
      if (first === undefined) {
        if (this.lines.get(id) === line) this.lines.delete(id)
        return
      }
      line.delete(first)
      first()
    })
  }
}

const turn = (line: Set<() => void>): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const go = () => resume(Effect.void)
    line.add(go)
    return Effect.sync(() => {
      line.delete(go)
    })
  })
