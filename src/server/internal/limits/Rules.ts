/**
 * What slow and flooding clients are held to: the options of a server, checked, and as the engine counts.
 *
 * ```ts
 * const rules = Rules.make({ bodyTimeout: "30 seconds", minBodyRate: "1 kB" })
 * ```
 *
 * A time that is infinite or 0, and a rate of 0, is no limit.
 */
import type * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as ByteLimit from "../../../internal/byteLimit.ts"

/** What may be said of slow and of many clients. */
export interface Options {
  /**
   * How long a body may pause while its handler waits for it; 60 seconds, then 408. Only silence of the client counts, and never
   * after the connection was taken over, as by a WebSocket.
   */
  readonly bodyTimeout?: Duration.Input
  /**
   * The least bytes a second in which a body comes, on the average of the time for which its handler waited for it, once that is five
   * seconds; 240, then 408. 0 for none: for bodies that are a conversation.
   */
  readonly minBodyRate?: ByteSize.Input
  /** How long a client may take nothing of an answer that waits for it; 60 seconds, then its connection is reset. */
  readonly writeTimeout?: Duration.Input
  /**
   * The least bytes a second in which a client takes what is written for it, once it was waited for five seconds; 240, then its
   * connection is reset. 0 for none.
   */
  readonly minWriteRate?: ByteSize.Input
  /**
   * The most connections, of all sites; none unless given. Above it the one that was open longest and waits for a request gives way;
   * where none does, the new one is answered 503 with Retry-After. A tenth above it, new ones are closed unread.
   */
  readonly maxConnections?: number
  /** The most connections from one address, a /64 network for IPv6; none unless given. Above it 503. Not behind a proxy. */
  readonly maxConnectionsPerAddress?: number
}

/** How slow is too slow: milliseconds without a byte, and bytes a second. */
export interface Pace {
  readonly timeout: number
  readonly rate: number
}

/** The options as the engine counts. */
export interface Rules {
  readonly body: Pace
  readonly write: Pace
  readonly maxConnections: number
  readonly maxPerAddress: number
}

/** Checks the options. Throws a TypeError for what is no size, no time or no count. */
export const make = (options: Options): Rules => ({
  body: pace("bodyTimeout", options.bodyTimeout, options.minBodyRate),
  write: pace("writeTimeout", options.writeTimeout, options.minWriteRate),
  maxConnections: count("maxConnections", options.maxConnections),
  maxPerAddress: count("maxConnectionsPerAddress", options.maxConnectionsPerAddress)
})

const pace = (name: string, timeout: Duration.Input = "60 seconds", rate: ByteSize.Input = 240): Pace => {
  const millis = Duration.toMillis(timeout)
  if (!(millis >= 0)) throw new TypeError(`${name}: that is no time; write "60 seconds", or "Infinity" for none`)
  return { timeout: millis === 0 ? Number.POSITIVE_INFINITY : millis, rate: Number(ByteLimit.parse(rate)) }
}

const count = (name: string, value: number | undefined): number => {
  if (value === undefined) return Number.POSITIVE_INFINITY
  if (value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value > 0)) return value
  throw new TypeError(`${name}: ${value} is no count of connections; use 1 or more, or leave it out for no limit`)
}
