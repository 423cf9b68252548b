/**
 * How many requests at a time are good: a limit that finds itself by the latency.
 *
 * ```ts
 * limit.begin(inFlight)
 * limit.sample("user", startMillis, nowMillis, random)
 * ```
 *
 * A gradient, as Netflix's Gradient2 and Envoy's filter have it: with what a request takes when there is little to do as the measure,
 * `limit = (limit + sqrt(limit)) * tolerance * unloaded / now`. Three things differ. Each route has a measure of its own, so that slow and
 * fast ones can be mixed. A window counts only what began in it: else one overload would be answered several times. And the measure is
 * taken in probes that halve the concurrency as long as that makes answers faster, so that it does not creep up with the load, and a
 * probe takes away no more than it has to.
 */

import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { tagOf } from "../errors/failureLog.ts"

/** The bounds, and how much slower than unloaded is still good: 1.5. */
export interface Settings {
  readonly min: number
  readonly max: number
  readonly initial: number
  readonly tolerance: number
}

interface Latency {
  /** What it takes unloaded, in milliseconds. */
  unloaded: number | undefined
  count: number
  total: number
}

/** Below one millisecond latency is noise. */
const floor = 1

/** A window has so many samples, and takes so many milliseconds, at least. */
const [samples, time] = [16, 100]

/**
 * Between two probes, in milliseconds: at first soon, for who starts in a crowd has never seen little to do. More or less by a tenth, so
 * that servers do not probe together.
 */
const [firstRest, longestRest] = [1000, 30_000]

/** One route cannot say more than that all is ten times as slow. */
const worst = 10

/** While it probes: the limit, how slow all was at the one before, and whether halving has helped. */
interface Probe {
  readonly level: number
  readonly slowness: number
  readonly hasHelped: boolean
}

/** A limit for one server. */
export class Limit {
  /** Fractions add up; whole requests are admitted. */
  value: number
  private readonly settings: Settings
  private readonly routes = new Map<string, Latency>()
  private readonly seen = new Set<Latency>()
  private start = Number.NEGATIVE_INFINITY
  private count = 0
  private peak = 0
  private probeAt = Number.NEGATIVE_INFINITY
  private rest = firstRest
  private probe: Probe | undefined

  constructor(settings: Settings) {
    this.settings = settings
    this.value = settings.initial
  }

  /** How many at a time, now. */
  get current(): number {
    return Math.floor(this.probe?.level ?? this.value)
  }

  /** What a route takes unloaded, in milliseconds; 0 where that is not known. */
  unloaded(route: string): number {
    return this.routes.get(route)?.unloaded ?? 0
  }

  /** One more is in flight. */
  begin(inFlight: number): void {
    if (inFlight > this.peak) this.peak = inFlight
  }

  /** One took from `began` to `now`, in milliseconds. True when a window has ended, and the limit may be another. */
  sample(route: string, began: number, now: number, random: () => number): boolean {
    if (this.start === Number.NEGATIVE_INFINITY) this.start = began
    if (began < this.start) return false
    let latency = this.routes.get(route)
    if (latency === undefined) {
      latency = { unloaded: undefined, count: 0, total: 0 }
      this.routes.set(route, latency)
    }
    const millis = now - began
    // What takes no time says nothing of the load.
    if (millis < floor && (latency.unloaded ?? 0) < floor) return false
    this.seen.add(latency)
    latency.count++
    latency.total += millis
    this.count++
    if (this.count < Math.max(samples, this.current / 2) || now - this.start < time) return false
    this.end(now, random)
    return true
  }

  private end(now: number, random: () => number): void {
    this.learn(0)
    if (this.probe !== undefined) this.goOn(this.probe, now, random)
    else if (now >= this.probeAt) {
      const level = this.bounded(Math.min(this.value, this.peak) / 2)
      this.probe = { level, slowness: this.slowness(Number.POSITIVE_INFINITY), hasHelped: false }
    } else this.adapt(this.slowness(worst))
    for (const latency of this.seen) {
      latency.count = 0
      latency.total = 0
    }
    this.seen.clear()
    this.start = now
    this.count = 0
    this.peak = 0
  }

  // How many times slower than unloaded, over all requests.
  private slowness(most: number): number {
    let sum = 0
    for (const { count, total, unloaded = floor } of this.seen) {
      sum += count * Math.min(most, Math.max(total / count, floor) / Math.max(unloaded, floor))
    }
    return sum / this.count
  }

  private adapt(slowness: number): void {
    // With the least at a time, this is what it takes with little to do.
    if (slowness > this.settings.tolerance && this.current === this.settings.min) this.learn(1)
    const gradient = Math.max(0.5, Math.min(1, this.settings.tolerance / slowness))
    const wanted = (this.value + Math.sqrt(this.value)) * gradient
    // What is not used does not grow: nobody would know whether it is good.
    if (wanted > this.value && this.peak < this.value / 2) return
    this.value = this.bounded((this.value + wanted) / 2)
  }

  // Faster by a tenth: then it may be faster still.
  private goOn(probe: Probe, now: number, random: () => number): void {
    const slowness = this.slowness(Number.POSITIVE_INFINITY)
    const helps = slowness < probe.slowness * 0.9
    if (helps && probe.level > this.settings.min) {
      this.probe = { level: this.bounded(probe.level / 2), slowness, hasHelped: true }
      return
    }
    this.learn(1)
    if (helps || probe.hasHelped) this.value = this.bounded(Math.min(this.value, probe.level * 2))
    this.probe = undefined
    this.probeAt = now + this.rest * (0.9 + 0.2 * random())
    this.rest = Math.min(longestRest, this.rest * 2)
  }

  // What was seen is what routes take unloaded; with a weight of 0 only where nothing is known yet. Few samples count less.
  private learn(weight: number): void {
    for (const latency of this.seen) {
      const mean = latency.total / latency.count
      const { count, unloaded = mean } = latency
      latency.unloaded = unloaded + (mean - unloaded) * weight * (count / (count + 2))
    }
  }

  private bounded(limit: number): number {
    return Math.max(this.settings.min, Math.min(this.settings.max, limit))
  }
}

/** What failed soon says nothing of the load, nor does one whose client left; what took too long does. */
export const isTelling = (exit: Exit.Exit<HttpServerResponse, unknown>): boolean => {
  if (Exit.isSuccess(exit)) return exit.value.status < 400
  const failed = exit.cause.reasons.find(Cause.isFailReason)
  return failed !== undefined && late.has(tagOf(failed.error) ?? "")
}

const late: ReadonlySet<string> = new Set(["DeadlineExceeded", "GatewayTimeout", "TimeoutError"])
