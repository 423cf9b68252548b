/**
 * An answer that its client does not take as fast as it is written.
 *
 * ```ts
 * const departure = new Departure(socket, response)
 * departure.look({ timeout: 60_000, rate: 240 }, 1000)
 * ```
 *
 * Progress is what the kernel takes, in pieces of up to a third of its buffer, so the rate is Kestrel's: what was written is to be gone
 * in the time that it takes by it.
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import { departed, taken } from "../departed.ts"
import * as NodeExchange from "../exchange/NodeExchange.ts"
import { reset } from "../reset.ts"
import { Progress } from "./Progress.ts"
import type { Pace } from "./Rules.ts"

/** An answer, from when bytes of it were first seen to wait. */
export class Departure {
  readonly response: Http.ServerResponse
  private readonly socket: Net.Socket
  private readonly before: { readonly written: number; readonly taken: number }
  private readonly progress = new Progress()

  constructor(socket: Net.Socket, response: Http.ServerResponse) {
    this.socket = socket
    this.response = response
    this.before = { written: departed(socket), taken: gone(socket) }
  }

  /** Nothing waits. */
  rest(): void {
    this.progress.rest()
  }

  /** Looks how it gets on, and breaks it off when it is too slow. */
  look(pace: Pace, elapsed: number): void {
    const { before, progress, response, socket } = this
    const written = socket.bytesWritten - before.written
    if (!progress.isTooSlow(pace, elapsed, gone(socket) - before.taken, written)) return
    NodeExchange.of(response)?.broke("timedOut", "WriteTimeout")
    reset(socket)
  }
}

// To the kernel, or to the session.
const gone = (socket: Net.Socket): number => taken(socket)?.bytes ?? departed(socket)
