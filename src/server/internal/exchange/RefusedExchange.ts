/**
 * A request that never became one, followed until its refusal has left.
 *
 * ```ts
 * const exchange = new RefusedExchange(socket, undefined, clock)
 * follow(exchange, socket, { status: 400, head: 120, body: 80 })
 * ```
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import type * as Clock from "effect/Clock"
import { Exchange } from "../../../internal/exchange/exchange.ts"
import { addressOf, type NodeExchange } from "./NodeExchange.ts"

/** A refusal; its head and its body have so many bytes. */
export interface Refusal {
  readonly status: number
  readonly head: number
  readonly body: number
}

/** What can be known of such a request: mostly nothing but where it came from. */
export class RefusedExchange extends Exchange {
  private readonly source: Http.IncomingMessage | undefined
  private refusal: Refusal | undefined

  constructor(socket: Duplex, source: Http.IncomingMessage | undefined, clock: Clock.Clock) {
    super(undefined, clock)
    this.source = source
    this.remoteAddress = addressOf(socket as Net.Socket)
  }

  get method(): string {
    return this.source?.method ?? ""
  }

  get url(): string {
    return this.source?.url ?? ""
  }

  get httpVersion(): string {
    return this.source?.httpVersion ?? ""
  }

  requestHeader(name: string): string | undefined {
    const value = this.source?.headers[name]
    return Array.isArray(value) ? value.join(", ") : value
  }

  responseHeader(): undefined {
    return undefined
  }

  /** The refusal left, or the connection was lost. */
  replaced(refusal: Refusal, isLost: boolean): void {
    if (this.isSettled) return
    this.refusal = refusal
    this.settle(isLost)
  }

  protected measure(isLost: boolean): void {
    const { body = 0, head = 0, status = 499 } = this.refusal ?? {}
    this.status = status
    this.bytes = isLost ? 0 : head + body
    this.bodyBytes = isLost ? 0 : body
  }
}

/** Settles an exchange when its refusal has left, or the connection is lost. */
export const follow = (exchange: RefusedExchange | NodeExchange, socket: Duplex, refusal: Refusal): void => {
  socket.once("finish", () => exchange.replaced(refusal, false))
  socket.once("close", () => exchange.replaced(refusal, true))
}
