/**
 * Versions that never come again, whoever makes them: 106 bits by chance.
 *
 * ```ts
 * const version = yield* next // "1u0aai5xhsf-2gosa7pa2gw"
 * ```
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const part = Effect.map(Random.nextInt, (n) => Math.abs(n).toString(36))

/** A new version. */
export const next: Effect.Effect<string> = Effect.zipWith(part, part, (a, b) => `${a}-${b}`)
