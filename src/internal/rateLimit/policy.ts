/**
 * What a limit allows, checked when it is declared.
 *
 * ```ts
 * make({ limit: 100, window: "1 minute" }) // name "100-in-60s", seconds 60
 * ```
 */
import * as Duration from "effect/Duration"

/** What a limit allows. */
export interface Policy {
  readonly name: string
  readonly limit: number
  readonly window: Duration.Duration
  /** The window in whole seconds, for header fields. */
  readonly seconds: number
  readonly algorithm: "fixed-window" | "token-bucket"
}

/** Throws a TypeError for what cannot be: the message names the cure. */
export const make = (options: {
  readonly limit: number
  readonly window: Duration.Input
  readonly name?: string
  readonly algorithm?: "fixed-window" | "token-bucket"
  readonly limiter?: unknown
  readonly cost?: unknown
}): Policy => {
  const { algorithm = "fixed-window", cost, limit, limiter } = options
  const window = Duration.fromInputUnsafe(options.window)
  const seconds = Math.ceil(Duration.toSeconds(window))
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new TypeError(`RateLimit.make: a limit of ${limit}; give a count from 1`)
  if (!Number.isSafeInteger(seconds) || seconds < 1) {
    throw new TypeError('RateLimit.make: the window has no end or no length; give one as "1 minute"')
  }
  if (Duration.toSeconds(window) < 1) {
    throw new TypeError(
      `RateLimit.make: the window of ${Duration.format(window)} is below a second; give one as "1 minute"`
    )
  }
  if (typeof cost === "number" && !(cost >= 0 && cost <= limit)) {
    throw new TypeError(
      `RateLimit.make: a cost of ${cost} is never within the limit of ${limit}; give one from 0 to it`
    )
  }
  if (limiter !== undefined && options.name === undefined) {
    throw new TypeError(
      'RateLimit.make: limits that share a limiter are told apart by name; give one, as name: "search"'
    )
  }
  const name = options.name ?? `${limit}-in-${seconds}s`
  if (!/^[\w.-]+$/.test(name)) {
    throw new TypeError(`RateLimit.make: ${JSON.stringify(name)} is no name; write letters, digits, "-", "_" and "."`)
  }
  return { name, limit, window, seconds, algorithm }
}

/**
 * The key of a client. In braces: Effect's token bucket in Redis uses a second key, this one and ":refill", which a cluster has to find
 * in the same place, and which is no other client's key then.
 */
export const key = ({ algorithm, name }: Policy, who: string): string =>
  `{${name}:${algorithm === "fixed-window" ? "f" : "t"}:${who.replace(/[{}%]/g, encodeURIComponent)}}`
