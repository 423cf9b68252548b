/**
 * What may be said of workers.
 *
 * ```ts
 * Server.run(app, { workers: "auto" })
 * Server.run(app, { workers: { count: 4, maxMemory: "512 MiB", maxRequests: 100_000 } })
 * ```
 *
 * @source gunicorn: workers, max_requests, timeout; PM2: max_memory_restart, max_restarts
 */
import * as Os from "node:os"
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import type * as Layer from "effect/Layer"
import * as ByteLimit from "../../../internal/byteLimit.ts"
import { time } from "../time.ts"

/** Processes that serve the same app, under a supervisor. */
export interface Options {
  /** How many; "auto", one for each core that this process may use, unless given. */
  readonly count?: number | "auto"
  /** A worker that has had so many requests, or up to a tenth more, gives way to a new one; never unless given. */
  readonly maxRequests?: number
  /** A worker whose resident memory is more gives way to a new one; looked at every 5 seconds, never unless given. */
  readonly maxMemory?: ByteSize.Input
  /** A worker of this age, or up to a tenth more, gives way to a new one; never unless given. */
  readonly maxAge?: Duration.Input
  /** How long a new worker may take until it listens; 30 seconds, then it is killed. */
  readonly startTimeout?: Duration.Input
  /** A worker whose event loop is blocked for so long is killed and replaced; 60 seconds, `false` for never. Not while it is debugged. */
  readonly hangTimeout?: Duration.Input | false
  /** After so many starts in a row that failed, while no worker runs, the program ends with 1; 10. */
  readonly maxRestarts?: number
  /** The loggers of the supervisor, which never builds the app's layers; Effect's unless given. */
  readonly logger?: Layer.Layer<never>
}

/** The same, with all that was left out. */
export interface Settings {
  readonly count: number
  readonly startTimeout: Duration.Duration
  readonly hangTimeout: Duration.Duration | undefined
  readonly maxRestarts: number
  readonly logger: Layer.Layer<never> | undefined
  readonly limits: Limits
}

/** What a worker may have had. */
export interface Limits {
  readonly maxRequests: number | undefined
  /** In bytes. */
  readonly maxMemory: number | undefined
  readonly maxAge: Duration.Duration | undefined
}

/** Completes the options. Throws a TypeError for a count that is none. */
export const parse = (workers: number | "auto" | Options): Settings => {
  const options = typeof workers === "object" ? workers : { count: workers }
  const { count = "auto", hangTimeout = "60 seconds", maxAge, maxMemory, maxRequests, maxRestarts = 10 } = options
  if (count !== "auto") whole("count", count)
  if (maxRequests !== undefined) whole("maxRequests", maxRequests)
  whole("maxRestarts", maxRestarts)
  return {
    count: count === "auto" ? Os.availableParallelism() : count,
    startTimeout: time("workers: startTimeout", options.startTimeout ?? "30 seconds"),
    hangTimeout: hangTimeout === false ? undefined : time("workers: hangTimeout", hangTimeout),
    maxRestarts,
    logger: options.logger,
    limits: {
      maxRequests,
      maxMemory: maxMemory === undefined ? undefined : Number(ByteLimit.parse(maxMemory)),
      maxAge: maxAge === undefined ? undefined : time("workers: maxAge", maxAge)
    }
  }
}

const whole = (name: string, value: number): void => {
  if (Number.isInteger(value) && value > 0) return
  throw new TypeError(`workers: ${name} is ${value}; give a whole number from 1 on, or leave it out`)
}
