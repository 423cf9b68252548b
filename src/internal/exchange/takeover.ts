/**
 * A response that takes the connection over: what upgrades are made of (RFC 9110 §7.8).
 *
 * ```ts
 * const tunnel = Effect.succeed(takeover((connection) => pipeBothWays(connection)))
 * ```
 *
 * The engine calls `run` in the fiber of the request with the connection as it is: nothing has been written to it, the 101 included.
 * The fiber is interrupted when the connection closes, unless it watches for that; when it ends, the connection is destroyed. Where no
 * connection can be taken over (the request asks for no upgrade, or has a body), such a response is answered with UpgradeRequired (426).
 */
import type * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** The connection, as Node has it; only the server and what it provides look inside. */
export interface Connection {
  /** Node's IncomingMessage. */
  readonly request: unknown
  /** Node's Duplex. */
  readonly socket: unknown
  /** The bytes that came behind the head of the request. */
  readonly head: Uint8Array
  /** What middleware wants the 101 to carry, as lines: names and values, cookies too. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  /** Adds fields to the outcome of the request, which is decided when the connection has closed: messages, a close code. */
  readonly note: (fields: Readonly<Record<string, unknown>>) => void
}

/** What is in the body of such a response. */
export class Takeover {
  readonly run: (connection: Connection) => Effect.Effect<unknown>
  readonly options: Options
  constructor(run: (connection: Connection) => Effect.Effect<unknown>, options: Options) {
    this.run = run
    this.options = options
  }
}

/** What the engine has to know. */
export interface Options {
  /** The protocol of a 426. */
  readonly protocol: string
  /** Whether `run` sees for itself that the connection has closed; else it is interrupted then. */
  readonly watches?: boolean
}

/** The response: 101, as far as middleware and logs can see. */
export const takeover = (
  run: (connection: Connection) => Effect.Effect<unknown>,
  options: Options = { protocol: "websocket" }
): HttpServerResponse.HttpServerResponse => HttpServerResponse.raw(new Takeover(run, options), { status: 101 })
