/**
 * A request and its answer, followed to the end: where an `Outcome` comes from.
 *
 * ```ts
 * Exchange.peek(request)?.fail("failed", "NotFound") // a note, if anyone follows it
 * ```
 *
 * Nothing is made for a request that nobody follows. The server's engine makes its own kind, which sees the connection; for requests
 * of other engines `followed` makes one.
 */
import type * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Outcome, Result } from "../../Outcome.ts"

/** The matched route, as RouteContext has it. */
export interface Route {
  readonly name: string
  readonly path: string
}

/** Is told how a request ended. */
export type Observer = (outcome: Exchange) => void

const none: ReadonlyArray<Observer> = []
const noFields: Readonly<Record<string, unknown>> = Object.freeze({})

const isFailure: ReadonlySet<Result> = new Set(["failed", "timedOut", "shed"])

/** What is known of a request so far; after `settle` its `Outcome`. */
export abstract class Exchange implements Outcome {
  result: Result = "completed"
  error: string | undefined
  status = 0
  bytes = 0
  bodyBytes = 0
  requestId: string | undefined
  protocol: string | undefined
  remoteAddress: string | undefined
  fields = noFields
  /** Milliseconds since 1970. */
  readonly startMillis: number
  nanos = 0
  isSettled = false
  private readonly matched: Route | undefined
  private readonly clock: Clock.Clock
  private readonly start: bigint
  private observers = none
  // What was noted of failures; "interrupted" is read when it ends.
  private verdict: Result | "interrupted" | undefined
  private isBroken = false
  protected isDrained = false

  constructor(matched: Route | undefined, clock: Clock.Clock) {
    this.matched = matched
    this.clock = clock
    this.startMillis = clock.currentTimeMillisUnsafe()
    this.start = clock.monotonicTimeNanosUnsafe()
  }

  abstract readonly method: string
  abstract readonly url: string
  abstract readonly httpVersion: string
  abstract requestHeader(name: string): string | undefined
  abstract responseHeader(name: string): string | undefined

  get startTime(): DateTime.Utc {
    return DateTime.makeUnsafe(this.startMillis)
  }

  get duration(): Duration.Duration {
    return Duration.nanos(BigInt(this.nanos))
  }

  get route(): string | undefined {
    return this.matched?.name || undefined
  }

  get pattern(): string | undefined {
    return this.matched?.name ? this.matched.path : undefined
  }

  /** Calls back when it has ended. */
  observe(observer: Observer): void {
    this.observers = this.observers === none ? [observer] : [...this.observers, observer]
  }

  /** Shares an array of observers that many requests have. */
  observeAll(observers: ReadonlyArray<Observer>): void {
    this.observers = observers
  }

  /** Notes what failed. A defect stays one. */
  fail(verdict: Result | "interrupted", error: string | undefined): void {
    if (this.verdict === "defect" || this.isBroken || this.isSettled) return
    this.verdict = error === "RequestTimeout" || error === "DeadlineExceeded" ? "timedOut" : verdict
    this.error = error
  }

  /** Notes that the server broke the answer off itself. */
  broke(verdict: Result | "interrupted", error: string | undefined): void {
    this.fail(verdict, error)
    this.isBroken = true
  }

  /** Notes that the server stops and waits for it no longer. */
  drain(): void {
    this.isDrained = true
  }

  /** More fields for its outcome. */
  note(fields: Readonly<Record<string, unknown>>): void {
    this.fields = { ...this.fields, ...fields }
  }

  /** Decides, once. `isLost`: the connection closed before the last byte had left. */
  settle(isLost: boolean): void {
    if (this.isSettled) return
    this.isSettled = true
    this.nanos = Number(this.clock.monotonicTimeNanosUnsafe() - this.start)
    this.result = this.decide(isLost)
    if (!isFailure.has(this.result)) this.error = undefined
    this.measure(isLost)
    for (const observer of this.observers) observer(this)
  }

  private decide(isLost: boolean): Result {
    const { isBroken, isDrained, verdict } = this
    if (verdict === "interrupted") return isDrained ? "drained" : isLost ? "clientAborted" : "failed"
    if (isLost && !isBroken) return isDrained ? "drained" : "clientAborted"
    return verdict ?? "completed"
  }

  /** Sets status and bytes. */
  protected abstract measure(isLost: boolean): void
}

/** How an engine's request is followed; without a clock it is only looked up. */
export const symbol = Symbol("effect-web/exchange")

/** A request that knows its exchange. */
export interface Followed {
  readonly [symbol]?: (clock: Clock.Clock | undefined) => Exchange | undefined
}

/** The exchange of a request, if anyone follows it. */
export const peek = (request: (HttpServerRequest & Followed) | undefined): Exchange | undefined =>
  request === undefined ? undefined : symbol in request ? request[symbol]?.(undefined) : portables.get(request.source)

/** Requests of other engines; `modify` keeps their source. */
export const portables = new WeakMap<object, Exchange>()
