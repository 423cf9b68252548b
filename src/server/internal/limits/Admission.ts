/**
 * How many connections there may be, over all sites of a server and from one address.
 *
 * ```ts
 * const admission = new Admission(rules)
 * admission.enter(socket) // "full": over the limit
 * ```
 *
 * What is refused, or gives way, is said in the log once a second at most.
 *
 * @source nginx worker_connections, limit_conn; Kestrel MaxConcurrentConnections
 */
import type * as Net from "node:net"
import * as HttpError from "../../../HttpError.ts"
import { mark } from "../../../internal/overload/shed.ts"
import { networkOf } from "../../../internal/rateLimit/addressKey.ts"
import type { Connections } from "../Connections.ts"
import type { Rules } from "./Rules.ts"

/** Why a connection is one too many. */
export type Excess = "full" | "address"

const excess = Symbol("effect-web/excess")
const address = Symbol("effect-web/address")
const isCounted = Symbol("effect-web/isCounted")

interface Counted extends Net.Socket {
  [isCounted]?: true
  [excess]?: Excess
  [address]?: string
}

// For those that are told so, rather than closed at once.
const more = (limit: number): number => limit + Math.max(16, Math.ceil(limit / 10))

/** The connections of a server, counted. */
export class Admission {
  private readonly rules: Rules
  private readonly addresses = new Map<string, number>()
  private count = 0
  private refused = 0
  private gaveWay = 0
  private saidAt = Number.NEGATIVE_INFINITY

  constructor(rules: Rules) {
    this.rules = rules
  }

  /** So many connections Node takes at most from one site, those included that are still agreeing on TLS. */
  get most(): number {
    return 2 * more(this.rules.maxConnections)
  }

  /** It comes again when the upgrade that it asked for was declined. */
  knows(socket: Net.Socket): boolean {
    return (socket as Counted)[isCounted] === true
  }

  /** A connection is made; `giveWay` closes another that waits for a request, if there is one. False when it is to be closed at once. */
  enter(socket: Net.Socket, giveWay: Connections["giveWay"]): boolean {
    const counted: Counted = socket
    const { maxConnections, maxPerAddress } = this.rules
    counted[isCounted] = true
    const isOver = this.count >= maxConnections
    const isFlooded = this.count >= more(maxConnections)
    const isFull = isOver && !giveWay(socket, isFlooded)
    if (isFull) counted[excess] = "full"
    else if (isOver) this.gaveWay++
    const isOut = isFull && isFlooded
    this.count++
    if (maxPerAddress === Number.POSITIVE_INFINITY || socket.remoteAddress === undefined) return !isOut
    const from = networkOf(socket.remoteAddress)
    const others = this.addresses.get(from) ?? 0
    counted[address] = from
    this.addresses.set(from, others + 1)
    if (others >= maxPerAddress) counted[excess] = "address"
    return !isOut && others < more(maxPerAddress)
  }

  /** A connection is gone. */
  leave(socket: Net.Socket): void {
    this.count--
    const from = (socket as Counted)[address]
    if (from === undefined) return
    const others = (this.addresses.get(from) ?? 1) - 1
    if (others === 0) this.addresses.delete(from)
    else this.addresses.set(from, others)
  }

  /** The answer to a request on a connection that is one too many. */
  refusal(socket: Net.Socket): HttpError.HttpError | undefined {
    const reason = (socket as Counted)[excess]
    if (reason === undefined) return undefined
    const text = reason === "full" ? "Too many connections are open" : "Too many connections are open from this address"
    return mark(new HttpError.ServiceUnavailable({ text, retryAfter: "1 second" }))
  }

  /** A connection was refused. */
  refuse(): void {
    this.refused++
  }

  /** What is to be said of those that were refused or gave way, once a second at most. */
  say(now: number): string | undefined {
    const { count, gaveWay, refused, saidAt } = this
    // A wall clock may go back.
    if (gaveWay + refused === 0 || Math.abs(now - saidAt) < 1000) return undefined
    this.saidAt = now
    this.refused = 0
    this.gaveWay = 0
    return `Too many connections: ${refused} refused, ${gaveWay} closed that waited for a request (${count} are open)`
  }
}
