/**
 * Counters of rate limits in memory, a bounded number of them.
 *
 * ```ts
 * const limiter = make(100_000)
 * ```
 *
 * Effect's own store in memory keeps every key for ever. This one counts as that does, and forgets a key when it would have its whole
 * limit again. When it is full it keeps those that were asked for last, one half, and of the others those that have used most of their
 * limits: who floods it with keys neither has a counter forgotten that is over, nor keeps new ones from being counted.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { type Expiring, Heap } from "../heap.ts"

/** Makes a limiter of so many keys. */
export const make = (capacity: number): RateLimiter.RateLimiter => {
  const made = Effect.provideService(RateLimiter.make, RateLimiter.RateLimiterStore, store(capacity))
  // Nothing in it waits: it only takes the store.
  return Effect.runSync(made)
}

interface Counter {
  readonly count: number
  /** For a bucket, the time of its last refill. */
  readonly since: number
  /** When it is as if it had never been, in milliseconds since 1970. */
  readonly until: number
}

class Heavy implements Expiring {
  readonly key: string
  readonly counter: Counter
  readonly count: number

  constructor(key: string, counter: Counter, count: number) {
    this.key = key
    this.counter = counter
    this.count = count
  }

  get expires(): number {
    return this.counter.until
  }
}

class Counters {
  private readonly recent = new Map<string, Counter>()
  /** Those that have used most, and those of them that have used least at the top: they are whole again soonest. */
  private readonly heavy = new Map<string, Heavy>()
  private readonly heap = new Heap<Heavy>()
  private count = 0
  private readonly capacity: number

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get(key: string, now: number): Counter | undefined {
    const counter = this.recent.get(key) ?? this.heavy.get(key)?.counter
    return counter !== undefined && counter.until > now ? counter : undefined
  }

  set(key: string, counter: Counter, now: number): void {
    this.lighten(now)
    if (this.heavy.has(key)) {
      this.keep(key, counter)
      return
    }
    this.recent.delete(key)
    this.recent.set(key, counter)
    // A map keeps its keys in the order in which they were set. Two go for each that comes: what is over is gone soon.
    let looks = 2
    for (const [oldest, old] of this.recent) {
      if (old.until > now) {
        if (this.recent.size <= Math.ceil(this.capacity / 2)) return
        this.settle(oldest, old)
      } else if (looks-- === 0) return
      this.recent.delete(oldest)
    }
  }

  get size(): number {
    return this.recent.size + this.heavy.size
  }

  // In the place of one that has used less.
  private settle(key: string, counter: Counter): void {
    if (this.heavy.size >= Math.floor(this.capacity / 2)) {
      const { top } = this.heap
      if (top === undefined || top.counter.until >= counter.until) return
      this.heavy.delete(top.key)
      this.lighten(0)
    }
    this.keep(key, counter)
  }

  private keep(key: string, counter: Counter): void {
    const item = new Heavy(key, counter, ++this.count)
    this.heavy.set(key, item)
    this.heap.push(item)
    if (this.heap.size > 2 * this.heavy.size + 64) this.heap.replace(this.heavy.values())
  }

  // So that what is at the top is there, and not over.
  private lighten(now: number): void {
    for (let top = this.heap.top; top !== undefined; top = this.heap.top) {
      const isThere = this.heavy.get(top.key) === top
      if (isThere && top.counter.until > now) return
      if (isThere) this.heavy.delete(top.key)
      this.heap.pop()
    }
  }
}

/** The store: `size` is the number of keys. */
export const store = (capacity: number): RateLimiter.RateLimiterStore["Service"] & { readonly size: number } => {
  const counters = new Counters(capacity)
  const none = Effect.die(new Error("A limit of requests does not adapt"))
  return {
    fixedWindow: ({ key, limit, refillRate, tokens }) =>
      Effect.clockWith((clock) => {
        const now = clock.currentTimeMillisUnsafe()
        const { count, until } = counters.get(key, now) ?? { count: 0, until: now }
        const isOver = limit !== undefined && count + tokens > limit
        const next = isOver
          ? { count, since: 0, until }
          : { count: count + tokens, since: 0, until: until + Duration.toMillis(refillRate) * tokens }
        counters.set(key, next, now)
        return Effect.succeed([count + tokens, next.until - now] as const)
      }),
    tokenBucket: ({ allowOverflow, key, limit, refillRate, tokens }) =>
      Effect.clockWith((clock) => {
        const now = clock.currentTimeMillisUnsafe()
        const interval = Duration.toMillis(refillRate)
        const { count, since } = counters.get(key, now) ?? { count: limit, since: now }
        const intervals = Math.max(0, Math.floor((now - since) / interval))
        const filled = Math.min(limit, count + intervals)
        const boundary = filled >= limit ? now : since + intervals * interval
        const left = filled - tokens
        const kept = allowOverflow || left >= 0 ? left : filled
        counters.set(key, { count: kept, since: boundary, until: boundary + Math.ceil(limit - kept) * interval }, now)
        return Effect.succeed([left, Math.max(0, now - boundary)] as const)
      }),
    adaptiveConsume: () => none,
    adaptiveFeedback: () => none,
    get size() {
      return counters.size
    }
  }
}
