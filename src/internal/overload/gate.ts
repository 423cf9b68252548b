/**
 * The gate of a server: it admits, lets wait and refuses.
 *
 * ```ts
 * const refusal = gate.refusal(passage.outer, "normal")
 * const admitted = gate.admitted(handler, { route: "user", priority: "normal", key })
 * ```
 *
 * A request is in flight until its handler has given the response: a stream, a file and a socket take no place while they go out, and
 * how fast a client reads counts neither as work nor as latency.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Random from "effect/Random"
import type { Handler } from "../../Handler.ts"
import * as Deadline from "../exchange/deadline.ts"
import type { Priority } from "../policies/priority.ts"
import { isTelling, Limit, type Settings } from "./limit.ts"
import { LoopDelay } from "./loopDelay.ts"
import * as Metrics from "./metrics.ts"
import { FairQueue, type Waiter } from "./queue.ts"
import { Overloaded, type Reason, Report } from "./shed.ts"
import { type Incoming, Uploads, type Work } from "./uploads.ts"

/** What a gate goes by; times in milliseconds. */
export interface Rules extends Settings {
  readonly queue: number | undefined
  readonly wait: number
  readonly eventLoopDelay: number
  readonly retryAfter: Duration.Duration
}

/** A request that comes to the gate; `key` is asked for where it has to wait. */
export interface Request<E = unknown, R = unknown> {
  readonly route: string
  readonly priority: Exclude<Priority, "critical">
  readonly key: Effect.Effect<string, E, R>
  readonly source: Incoming
}

const patience = { sheddable: 0.5, normal: 1, high: 2 }
const levels = { sheddable: 0, normal: 1, high: 2 }

/** One for each server. */
export class Gate {
  readonly limit: Limit
  private readonly rules: Rules
  private readonly queue = new FairQueue(3)
  private readonly report = new Report()
  private readonly uploads = new Uploads()
  private inFlight = 0
  // The turn of the event loop: when something came last, and the longest time in between.
  private readonly turn = { number: 0, last: 0, longest: 0 }
  // When the queue was empty last, and since when requests are refused.
  private emptyAt = 0
  private shedding = { since: Number.NEGATIVE_INFINITY, last: Number.NEGATIVE_INFINITY }

  constructor(rules: Rules) {
    this.rules = rules
    this.limit = new Limit(rules)
  }

  /** Whether a request has to wait, and so needs a fiber. */
  isFull(context: Context.Context<never>): boolean {
    return this.busy(context) >= this.limit.current
  }

  private busy(context: Context.Context<never>): number {
    return this.inFlight - this.uploads.waiting(() => monotonic(context))
  }

  get state(): Metrics.State {
    return { limit: this.limit.current, inFlight: this.inFlight, waiting: this.queue.size }
  }

  /** For how many milliseconds requests have been refused, with no pause of more than a second; 0 when none are. */
  shedFor(now: number): number {
    const { last, since } = this.shedding
    return now - last > 1000 ? 0 : now - since
  }

  /**
   * Refuses what comes at the end of a long turn of the event loop, and so has waited for it. The longest piece of it does not count: who
   * waited for one slow request is answered next, and only of many there are too many. What is sheddable is refused at half of the delay,
   * and what is high at twice, which is not reached while it helps to refuse the others.
   */
  refusal(
    context: Context.Context<never>,
    priority: Request["priority"]
  ): Effect.Effect<never, Overloaded> | undefined {
    const most = this.rules.eventLoopDelay
    if (most === Number.POSITIVE_INFINITY) return undefined
    const delay = Context.get(context, LoopDelay)
    const now = delay.turn()
    const { turn } = this
    const number = delay.number()
    if (number !== turn.number) {
      turn.number = number
      turn.last = 0
      turn.longest = 0
    }
    turn.longest = Math.max(turn.longest, now - turn.last)
    turn.last = now
    return now - turn.longest > most * patience[priority] ? this.shed(context, priority, "eventLoop") : undefined
  }

  /** The handler, once it is its turn. */
  admitted<E, R, E2, R2>(
    handler: Handler<E, R>,
    request: Request<E2, R2>
  ): Effect.Effect<HttpServerResponse, E | E2 | Overloaded, R | R2> {
    return Effect.uninterruptibleMask((restore) =>
      Effect.withFiber((fiber): Effect.Effect<HttpServerResponse, E | E2 | Overloaded, R | R2> => {
        const run = Effect.suspend(() => {
          const { context } = fiber
          const work = this.uploads.begin(request.source, monotonic(context))
          return Effect.onExit(restore(handler), (exit) => Effect.sync(() => this.leave(context, request, work, exit)))
        })
        return this.take(fiber.context) ? run : Effect.andThen(this.waited(fiber, request, restore), run)
      })
    )
  }

  private take(context: Context.Context<never>): boolean {
    if (this.isFull(context)) return false
    this.enter(context)
    return true
  }

  private enter(context: Context.Context<never>): void {
    this.inFlight++
    this.limit.begin(this.busy(context))
  }

  // Ends when it has a place.
  private waited<E, R>(
    { context }: Fiber.Fiber<unknown, unknown>,
    request: Request<E, R>,
    restore: <A, F, S>(effect: Effect.Effect<A, F, S>) => Effect.Effect<A, F, S>
  ): Effect.Effect<void, E | Overloaded, R> {
    const { priority, route } = request
    const room = this.rules.queue ?? Math.ceil(this.limit.current / 2)
    if (room === 0) return this.shed(context, priority, "queue")
    const began = monotonic(context)
    return Effect.flatMap(
      restore(Effect.timeoutOption(request.key, this.rules.wait)),
      (key): Effect.Effect<void, Overloaded> => {
        if (key._tag === "None") return this.shed(context, priority, "wait")
        if (this.take(context)) return Effect.void
        // Whoever could not be answered in time any more is refused at once.
        const until = Context.get(context, Deadline.Until)
        const left = until === undefined ? Number.POSITIVE_INFINITY : Number(until) / 1e6 - monotonic(context)
        const wait = this.rules.wait - (monotonic(context) - began)
        const most = Math.min(wait, left - this.limit.unloaded(route))
        const ending = most < wait ? "deadline" : "wait"
        if (most <= 0) return this.shed(context, priority, "deadline")
        if (this.queue.size === 0) this.emptyAt = monotonic(context)
        const waiter = this.queue.add(key.value, levels[priority], room)
        if (waiter === undefined) return this.shed(context, priority, "queue")
        return Effect.flatMap(this.woken(waiter, most, restore), () => {
          if (waiter.state === "in") return Effect.void
          return this.shed(context, priority, waiter.state === "out" ? "queue" : ending)
        })
      }
    )
  }

  // Ends when it was woken, or has waited for so long; interrupted, it gives back what it may have got.
  private woken(
    waiter: Waiter,
    most: number,
    restore: <A, F, S>(effect: Effect.Effect<A, F, S>) => Effect.Effect<A, F, S>
  ): Effect.Effect<unknown> {
    const woken = Effect.callback<void>((resume) => {
      if (waiter.state === "waiting") waiter.wake = () => resume(Effect.void)
      else resume(Effect.void)
    })
    return Effect.onExit(restore(Effect.timeoutOption(woken, most)), (exit) =>
      Effect.withFiber(({ context }) => {
        this.queue.remove(waiter)
        if (Exit.isFailure(exit) && waiter.state === "in") this.release(context)
        return Effect.void
      })
    )
  }

  private leave(
    context: Context.Context<never>,
    { route }: Request,
    work: Work,
    exit: Exit.Exit<HttpServerResponse, unknown>
  ): void {
    this.uploads.end(work)
    if (isTelling(exit)) {
      const random = Context.get(context, Random.Random)
      const hasEnded = this.limit.sample(route, work.began, monotonic(context), () => random.nextDoubleUnsafe())
      if (hasEnded) Metrics.measure(context, this.state)
    }
    this.release(context)
  }

  // A place goes to the next who waits; more than one, where the limit has grown.
  private release(context: Context.Context<never>): void {
    this.inFlight--
    if (this.queue.size === 0) return
    const isLate = monotonic(context) - this.emptyAt > this.rules.wait
    while (!this.isFull(context)) {
      const next = this.queue.next(isLate)
      if (next === undefined) return
      this.enter(context)
      next.wake()
    }
  }

  private shed(
    context: Context.Context<never>,
    priority: Request["priority"],
    reason: Reason
  ): Effect.Effect<never, Overloaded> {
    const now = monotonic(context)
    if (now - this.shedding.last > 1000) this.shedding.since = now
    this.shedding.last = now
    Metrics.count(context, priority, reason)
    // Who was refused together does not come back together.
    const { retryAfter } = this.rules
    const random = Context.get(context, Random.Random).nextDoubleUnsafe()
    const later = Duration.seconds(Math.ceil(Duration.toSeconds(retryAfter) * (1 + random)))
    const { inFlight, limit, waiting } = this.state
    const state = () =>
      reason === "eventLoop" ? "the event loop is late" : `${inFlight} at a time of ${limit}, ${waiting} wait`
    return this.report.refused(new Overloaded({ text, reason, retryAfter: later }), context, state)
  }
}

const text = "The server has too much to do: come back later"

const monotonic = (context: Context.Context<never>): number =>
  Number(Context.get(context, Clock.Clock).monotonicTimeNanosUnsafe()) / 1e6
