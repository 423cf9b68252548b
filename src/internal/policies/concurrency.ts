/**
 * `Route.concurrency`: a bulkhead.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { ServiceUnavailable } from "../../HttpError.ts"
import * as Middleware from "../../Middleware.ts"
import { perServer } from "../lifecycle/serverMemory.ts"
import { mark, Report } from "../overload/shed.ts"
import * as Policy from "./policy.ts"
import { positive } from "./timeout.ts"

/** How many at a time, and what becomes of the others. */
export interface Concurrency {
  /** How many requests run at a time, from 1. One runs until the last byte of its answer has left. */
  readonly limit: number
  /** How many may wait for their turn, in the order in which they came; as many as `limit`. 0 for none. */
  readonly queue?: number
  /** How long one may wait; 10 seconds. */
  readonly wait?: Duration.Input
}

/**
 * Limits how many requests run at a time in this server. More wait in a queue; who waits is forgotten when its client leaves. One value
 * is one limit: routes that are given the same value share it, and so do all routes of an app by `App.policy`.
 *
 * @errors ServiceUnavailable (503) with `Retry-After` when the queue is full, or the wait is over
 */
export const concurrency = (options: Concurrency): Policy.Policy<ServiceUnavailable> => {
  const { limit, queue = limit } = options
  const wait = positive(options.wait ?? Duration.seconds(10), "Route.concurrency, wait")
  if (!Number.isInteger(limit) || limit < 1) {
    throw new TypeError(`Route.concurrency: the limit ${limit} is none; write a whole number from 1`)
  }
  if (!Number.isInteger(queue) || queue < 0) {
    throw new TypeError(`Route.concurrency: the queue ${queue} is none; write a whole number from 0`)
  }
  const rules = { limit, queue, wait }
  const bulkheads = new WeakMap<object, Bulkhead>()
  const enter = Effect.flatMap(
    perServer(bulkheads, () => new Bulkhead(limit)),
    (bulkhead) => entered(bulkhead, rules)
  )
  return Policy.make("concurrency", rules, Middleware.before(enter), [ServiceUnavailable])
}

interface Waiter {
  /** It has a place. */
  isIn: boolean
  wake: () => void
}

/** The places of a server; a place that comes free goes to the first who waits. */
class Bulkhead {
  private free: number
  private readonly waiters = new Set<Waiter>()
  private readonly report = new Report()
  private readonly limit: number

  constructor(limit: number) {
    this.free = limit
    this.limit = limit
  }

  get waiting(): number {
    return this.waiters.size
  }

  /** Takes a place if there is one. */
  take(): boolean {
    if (this.free === 0) return false
    this.free--
    return true
  }

  enqueue(): Waiter {
    const waiter = { isIn: false, wake: () => {} }
    this.waiters.add(waiter)
    return waiter
  }

  /** Who waits no longer; the place it may have got goes on. */
  leave(waiter: Waiter): void {
    this.waiters.delete(waiter)
    if (waiter.isIn) this.release()
  }

  refused(text: string, retryAfter: Duration.Duration): Effect.Effect<never, ServiceUnavailable> {
    return Effect.withFiber(({ context }) =>
      this.report.refused(
        mark(new ServiceUnavailable({ text, retryAfter })),
        context,
        () => `Route.concurrency: ${this.limit} at a time, ${this.waiting} wait`
      )
    )
  }

  release(): void {
    const [next] = this.waiters
    if (next === undefined) {
      this.free++
      return
    }
    this.waiters.delete(next)
    next.isIn = true
    next.wake()
  }
}

const entered = (
  bulkhead: Bulkhead,
  rules: { readonly limit: number; readonly queue: number; readonly wait: Duration.Duration }
): Effect.Effect<void, ServiceUnavailable, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.suspend(() => {
      const leave = Effect.addFinalizer(() => Effect.sync(() => bulkhead.release()))
      if (bulkhead.take()) return leave
      if (bulkhead.waiting >= rules.queue) return bulkhead.refused("Too many requests at a time", Duration.seconds(1))
      const waiter = bulkhead.enqueue()
      const turn = Effect.callback<void>((resume) => {
        if (waiter.isIn) resume(Effect.void)
        else waiter.wake = () => resume(Effect.void)
      })
      return restore(Effect.timeoutOption(turn, rules.wait)).pipe(
        Effect.onExit((exit) => {
          // A place that came in the moment in which the wait was over is taken.
          const stays = Exit.isSuccess(exit) && waiter.isIn
          return stays ? Effect.void : Effect.sync(() => bulkhead.leave(waiter))
        }),
        Effect.flatMap(() => (waiter.isIn ? leave : bulkhead.refused("Too many requests before this one", rules.wait)))
      )
    })
  )
