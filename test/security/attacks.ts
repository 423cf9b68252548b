/**
 * A table of attacks: each is tried, and its name says what stops it.
 *
 * ```ts
 * attacks("session cookies", [{ attack: "a cookie with one bit flipped", stoppedBy: "its tag: a new session", run: ... }])
 * ```
 */
import { describe, it } from "@effect/vitest"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** One attack. */
export interface Attack {
  /** What the attacker does. */
  readonly attack: string
  /** What stops it, and what the attacker gets. */
  readonly stoppedBy: string
  /** Does it, and asserts that it fails. */
  readonly run: Effect.Effect<unknown, unknown, Scope.Scope>
}

/** Runs a table, a test a row. */
export const attacks = (area: string, rows: ReadonlyArray<Attack>): void => {
  describe(area, () => {
    for (const { attack, run, stoppedBy } of rows) it.effect(`${attack}: ${stoppedBy}`, () => run)
  })
}
