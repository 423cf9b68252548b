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
import { time } from "../time.ts"

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
  /** The most bytes of a request-target; 8192, then 414. More than `maxHeaderSize` has no effect. */
  readonly maxTargetSize?: number
  /** The most header fields of a request; 100, then 431. */
  readonly maxHeaders?: number
  /** After how long a silence the system asks whether the other end is still there; 60 seconds. `false` for never. */
  readonly tcpKeepAlive?: Duration.Input | false
}

/** How slow is too slow: milliseconds without a byte, and bytes a second. */
export interface Pace {
  readonly timeout: number
  readonly rate: number
}

/** What a head may have. */
export interface Head {
  readonly maxTarget: number
  readonly maxFields: number
}

/** The options as the engine counts. */
export interface Rules extends Head {
  readonly body: Pace
  readonly write: Pace
  readonly maxConnections: number
  readonly maxPerAddress: number
  /** In milliseconds. */
  readonly keepAlive: number | undefined
}

/** Checks the options. Throws a TypeError for what is no size, no time or no count. */
export const make = (options: Options): Rules => ({
  body: pace("bodyTimeout", options.bodyTimeout, options.minBodyRate),
  write: pace("writeTimeout", options.writeTimeout, options.minWriteRate),
  maxConnections: count("maxConnections", options.maxConnections, Number.POSITIVE_INFINITY),
  maxPerAddress: count("maxConnectionsPerAddress", options.maxConnectionsPerAddress, Number.POSITIVE_INFINITY),
  maxTarget: count("maxTargetSize", options.maxTargetSize, 8 * 1024),
  maxFields: count("maxHeaders", options.maxHeaders, 100),
  keepAlive: options.tcpKeepAlive === false ? undefined : millis("tcpKeepAlive", options.tcpKeepAlive)
})

const pace = (name: string, timeout: Duration.Input | undefined, rate: ByteSize.Input = 240): Pace => {
  const most = millis(name, timeout)
  return { timeout: most === 0 ? Number.POSITIVE_INFINITY : most, rate: Number(ByteLimit.parse(rate)) }
}

const millis = (name: string, input: Duration.Input = "60 seconds"): number => Duration.toMillis(time(name, input))

const count = (name: string, value: number | undefined, standard: number): number => {
  if (value === undefined) return standard
  if (value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value > 0)) return value
  throw new TypeError(`${name}: ${value} is too few, or no whole number; use 1 or more, or leave it out`)
}
