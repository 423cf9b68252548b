/**
 * How long a record lives, as every store can say it.
 *
 * ```ts
 * milliseconds("1 second") // 1000
 * ```
 */
import * as Duration from "effect/Duration"

const century = 100 * 365.25 * 24 * 60 * 60 * 1000

/** Whole milliseconds, from 1 to 100 years. */
export const milliseconds = (input: Duration.Input): number =>
  Math.min(Math.max(Math.ceil(Duration.toMillis(Duration.fromInputUnsafe(input))), 1), century)
