/**
 * What becomes of all that is under way when a server begins to stop, for the drain report.
 *
 * ```ts
 * const account = new DrainAccount(now)
 * account.add(NodeExchange.ofLate(source, response, route, clock), route, since)
 * account.report(later, stuck, background)
 * ```
 *
 * Nothing is noted of a request before the stop begins, but when its handler began to wait.
 */
import type { Exchange } from "../../../internal/exchange/exchange.ts"

/**
 * How many ended, and how: by themselves, interrupted at once because their `onDrain` says so, interrupted because they took too long,
 * with their connection destroyed, or because the client left.
 */
export interface Counts {
  finished: number
  onDrain: number
  interrupted: number
  destroyed: number
  aborted: number
}

/** A route, how its requests ended, and the age of the oldest. */
export interface Row extends Counts {
  /** Its name; the method and the path where there is none. */
  readonly route: string
  /** In milliseconds. */
  oldest: number
}

/** A handler that did not end. */
export interface Stuck {
  readonly route: string
  readonly age: number
}

/** What became of it all. */
export interface Report {
  /** In milliseconds. */
  readonly duration: number
  readonly requests: Counts
  readonly eventStreams: Counts
  readonly webSockets: Counts
  /** Background work. */
  readonly background: Counts
  /** The connections that were open, and had to be destroyed. */
  readonly connections: number
  /** Where something did not finish first, then by age. */
  readonly routes: ReadonlyArray<Row>
  /** What is still running: it refused to be interrupted. */
  readonly stuck: ReadonlyArray<Stuck>
}

const none = (): Counts => ({ finished: 0, onDrain: 0, interrupted: 0, destroyed: 0, aborted: 0 })

/** How many there were. */
export const total = ({ aborted, destroyed, finished, interrupted, onDrain }: Counts): number =>
  finished + onDrain + interrupted + destroyed + aborted

/** How many of them did not get what they waited for. */
export const lost = ({ destroyed, interrupted }: Counts): number => interrupted + destroyed

/** How a request is called. */
export const nameOf = (route: { readonly name: string; readonly path: string }, method: string): string =>
  route.name || `${method} ${route.path}`

/** Counts until it is asked for its report. */
export class DrainAccount {
  /** The milliseconds since 1970 when the stop began. */
  readonly begun: number
  /** Time is up: what is interrupted from now on has not asked for it. */
  isCutting = false
  /** Connections are being destroyed: what ends now is destroyed. */
  isDestroying = false
  /** How many connections were destroyed. */
  connections = 0
  private readonly requests = none()
  private readonly eventStreams = none()
  private readonly webSockets = none()
  private readonly routes = new Map<string, Row>()
  private readonly known = new Map<Exchange, { readonly route: string; readonly since: number }>()

  constructor(begun: number) {
    this.begun = begun
  }

  /** How many requests, streams and sockets have not ended. */
  get underWay(): number {
    return this.known.size
  }

  /** Counts a request when it has ended; `since` is when it began. */
  add(exchange: Exchange, route: string, since: number): void {
    if (exchange.isSettled || this.known.has(exchange)) return
    this.known.set(exchange, { route, since })
    exchange.observe((outcome) => this.count(outcome, this.ending(outcome), outcome.startMillis + outcome.nanos / 1e6))
  }

  private count(exchange: Exchange, ending: keyof Counts, now: number): void {
    const found = this.known.get(exchange)
    if (found === undefined) return
    const { route, since } = found
    this.known.delete(exchange)
    this.kind(exchange)[ending]++
    const row = this.routes.get(route) ?? { route, ...none(), oldest: 0 }
    this.routes.set(route, row)
    row[ending]++
    row.oldest = Math.max(row.oldest, now - since)
  }

  private ending({ result }: Exchange): keyof Counts {
    if (result === "drained" || result === "clientAborted") {
      if (this.isDestroying) return "destroyed"
      if (result === "drained") return this.isCutting ? "interrupted" : "onDrain"
      return "aborted"
    }
    return "finished"
  }

  private kind(exchange: Exchange): Counts {
    if (exchange.protocol === "websocket") return this.webSockets
    return exchange.responseHeader("content-type")?.startsWith("text/event-stream") === true
      ? this.eventStreams
      : this.requests
  }

  /** What became of it all by now. */
  report(now: number, stuck: ReadonlyArray<Stuck>, background: Counts): Report {
    // Their connections are gone, but whoever took these over does not end.
    for (const exchange of this.known.keys()) this.count(exchange, "destroyed", now)
    const { connections, eventStreams, requests, webSockets } = this
    const routes = [...this.routes.values()].sort((a, b) => lost(b) - lost(a) || b.oldest - a.oldest)
    return { duration: now - this.begun, requests, eventStreams, webSockets, background, connections, routes, stuck }
  }
}
