/**
 * Counters of rate limits in memory, a bounded number of them.
 *
 * ```ts
 * const limiter = make(100_000)
 * ```
 *
 * Effect's own store in memory keeps every key for ever. This one counts as that does, forgets a key when it would have its whole limit
 * again, and, when it is full, the one that was asked for the longest time ago: who floods it with keys does not get rid of one in use.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RateLimiter from "effect/persistence/RateLimiter"

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

class Counters {
  private readonly counters = new Map<string, Counter>()
  private readonly capacity: number

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get(key: string, now: number): Counter | undefined {
    const counter = this.counters.get(key)
    return counter !== undefined && counter.until > now ? counter : undefined
  }

  // A map keeps its keys in the order in which they were set. Two go for each that comes: what is over is gone soon.
  set(key: string, counter: Counter, now: number): void {
    this.counters.delete(key)
    this.counters.set(key, counter)
    let looks = 2
    for (const [oldest, { until }] of this.counters) {
      if (this.counters.size <= this.capacity && (looks-- === 0 || until > now)) return
      this.counters.delete(oldest)
    }
  }

  get size(): number {
    return this.counters.size
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
