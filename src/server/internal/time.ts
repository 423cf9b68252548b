/**
 * A time that was given as an option.
 *
 * ```ts
 * time("drainDelay", "5 seconds")
 * time("drainDelay", "five") // TypeError: drainDelay: "five" is no time; write "5 seconds", or milliseconds
 * ```
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** Reads it. Throws a TypeError that names the option for what is no time. */
export const time = (name: string, input: Duration.Input): Duration.Duration =>
  Option.getOrThrowWith(
    Option.filter(Duration.fromInput(input), (duration) => Duration.toMillis(duration) >= 0),
    () => new TypeError(`${name}: ${JSON.stringify(input)} is no time; write "5 seconds", or milliseconds`)
  )
