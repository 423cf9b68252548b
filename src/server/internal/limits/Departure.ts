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
import * as NodeExchange from "../exchange/NodeExchange.ts"
import { reset } from "../reset.ts"
import { Progress } from "./Progress.ts"
import type { Pace } from "./Rules.ts"

interface Connection extends Net.Socket {
  readonly _handle?: (Handle & { readonly _parent?: Handle }) | null
}
interface Handle {
  readonly bytesWritten: number
  readonly writeQueueSize: number
}

/** An answer, from when bytes of it were first seen to wait. */
export class Departure {
  readonly response: Http.ServerResponse
  private readonly socket: Connection
  private readonly before: { readonly written: number; readonly taken: number }
  private readonly progress = new Progress()

  constructor(socket: Connection, response: Http.ServerResponse) {
    this.socket = socket
    this.response = response
    this.before = { written: left(socket), taken: taken(socket) }
  }

  /** Nothing waits. */
  rest(): void {
    this.progress.rest()
  }

  /** Looks how it gets on, and breaks it off when it is too slow. */
  look(pace: Pace, elapsed: number): void {
    const { before, progress, response, socket } = this
    const written = socket.bytesWritten - before.written
    if (!progress.isTooSlow(pace, elapsed, taken(socket) - before.taken, written)) return
    NodeExchange.of(response)?.broke("timedOut", "WriteTimeout")
    reset(socket)
  }
}

// What the connection does not hold any more; a write through TLS is held as a whole.
const left = ({ _handle: handle, bytesWritten, writableLength }: Connection): number =>
  handle ? handle.bytesWritten - handle.writeQueueSize : bytesWritten - writableLength

// What the kernel has taken, or the session: of TLS only the connection below knows.
const taken = (socket: Connection): number => {
  const below = socket._handle?._parent
  return below ? below.bytesWritten - below.writeQueueSize : left(socket)
}
