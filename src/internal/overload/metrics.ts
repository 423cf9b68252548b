/**
 * Metrics of the admission: `overload.limit`, `overload.in_flight` and `overload.waiting` as of the last change of the limit, and
 * `overload.shed` by `priority` and `reason`.
 *
 * ```ts
 * measure(context, { limit: 20, inFlight: 12, waiting: 0 })
 * ```
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type { Priority } from "../policies/priority.ts"
import type { Reason } from "./shed.ts"

const limit = Metric.gauge("overload.limit", { description: "How many requests at a time are admitted" })
const inFlight = Metric.gauge("overload.in_flight", { description: "Requests that are handled" })
const waiting = Metric.gauge("overload.waiting", { description: "Requests that wait to be handled" })
const shed = Metric.counter("overload.shed", { description: "Requests that were refused", incremental: true })

/** What is at work. */
export interface State {
  readonly limit: number
  readonly inFlight: number
  readonly waiting: number
}

/** Sets the gauges. */
export const measure = (context: Context.Context<never>, state: State): void => {
  limit.updateUnsafe(state.limit, context)
  inFlight.updateUnsafe(state.inFlight, context)
  waiting.updateUnsafe(state.waiting, context)
}

const counters = new Map<string, Metric.Counter<number>>()

/** Counts one that was refused. */
export const count = (context: Context.Context<never>, priority: Priority, reason: Reason): void => {
  const key = `${priority} ${reason}`
  let counter = counters.get(key)
  if (counter === undefined) {
    counter = Metric.withAttributes(shed, { priority, reason })
    counters.set(key, counter)
  }
  counter.updateUnsafe(1, context)
}
