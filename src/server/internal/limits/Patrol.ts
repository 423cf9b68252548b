/**
 * Looks once a second whether the clients of an engine are too slow: one timer for all, and nothing for a request that never waits.
 *
 * ```ts
 * const patrol = Patrol.make(server, rules, clock, connections)
 * Patrol.reading(source, response) // the body is being read
 * ```
 *
 * A body that does not come is 408 for who reads it, where its answer has not begun. Who takes no answer loses the connection, by a
 * reset: the kernel would keep the bytes and try for minutes.
 *
 * @source nginx reset_timedout_connection
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type * as Clock from "effect/Clock"
import type { Connections } from "../Connections.ts"
import { isStream } from "../http2/Incoming.ts"
import * as Session from "../http2/Session.ts"
import { connectionEvent } from "../sites/SecureServer.ts"
import { Arrival } from "./Arrival.ts"
import { Departure } from "./Departure.ts"
import type { Rules } from "./Rules.ts"

/** So often it looks, in milliseconds. */
const interval = 1000

const key = Symbol("effect-web/patrol")
const arrival = Symbol("effect-web/arrival")
const departure = Symbol("effect-web/departure")

interface Watched extends Net.Socket {
  [arrival]?: Arrival | undefined
  [departure]?: Departure | undefined
  readonly server?: { [key]?: Patrol }
  /** The response that is going out. */
  readonly _httpMessage?: Http.ServerResponse | null
}

/** Looks after the connections of one server. */
export class Patrol {
  readonly rules: Rules
  private readonly clock: Clock.Clock
  private readonly open: ReadonlySet<Net.Socket>
  private readonly rest: Connections["rest"]
  private readonly onLook: () => void
  private timer: NodeJS.Timeout | undefined
  private at = 0
  private real = 0

  constructor(rules: Rules, clock: Clock.Clock, { open, rest }: Connections, onLook: () => void) {
    this.rules = rules
    this.clock = clock
    this.open = open
    this.rest = rest
    this.onLook = onLook
  }

  /** There is a connection. */
  wake(): void {
    if (this.timer !== undefined) return
    this.at = this.now
    this.real = performance.now()
    this.timer = setInterval(() => this.look(), interval)
    // It keeps no process alive.
    this.timer.unref()
  }

  get now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  private look(): void {
    const { now, open } = this
    const real = performance.now()
    // A process that was held up has not read what came meanwhile: that is no fault of the client.
    const late = Math.max(0, real - this.real - interval)
    const elapsed = Math.max(0, now - this.at - late)
    this.at = now
    this.real = real
    this.onLook()
    if (open.size === 0) {
      clearInterval(this.timer)
      this.timer = undefined
      return
    }
    for (const socket of open as ReadonlySet<Watched>) {
      const session = Session.of(socket)
      // A stream of HTTP/2 is a connection of its own to its answer.
      if (session !== undefined) {
        for (const stream of session.streams) this.lookAt(stream as unknown as Watched, stream, elapsed)
      } else {
        this.rest(socket)
        this.lookAt(socket, socket._httpMessage, elapsed)
      }
    }
  }

  private lookAt(socket: Watched, response: Watched["_httpMessage"], elapsed: number): void {
    const { now, rules } = this
    const coming = socket[arrival]
    if (coming !== undefined && !coming.look(rules.body, Math.min(elapsed, now - coming.since)))
      socket[arrival] = undefined
    if (socket.writableLength > 0) leave(socket, response, rules, elapsed)
    else if (socket[departure] !== undefined) rested(socket, response)
  }
}

const leave = (socket: Watched, response: Watched["_httpMessage"], rules: Rules, elapsed: number): void => {
  // What was taken over, as by a WebSocket, has rules of its own.
  if (response == null || socket.destroyed) return
  const going = socket[departure]
  if (going?.response === response) going.look(rules.write, elapsed)
  else socket[departure] = new Departure(socket, response)
}

// An answer that goes on has what it has done; one that is over is let go.
const rested = (socket: Watched, response: Watched["_httpMessage"]): void => {
  if (socket[departure]?.response === response) socket[departure]?.rest()
  else socket[departure] = undefined
}

/** Puts a patrol over the server. */
export const make = (
  server: Http.Server,
  rules: Rules,
  clock: Clock.Clock,
  connections: Connections,
  onLook: () => void
): Patrol => {
  const patrol = new Patrol(rules, clock, connections, onLook)
  ;(server as { [key]?: Patrol })[key] = patrol
  server.on(connectionEvent(server), () => patrol.wake())
  return patrol
}

/** Somebody begins to read the body of a request. */
export const reading = (source: Http.IncomingMessage, response: Http.ServerResponse): void => {
  const { server } = source.socket as Watched
  const socket = (isStream(source) ? response : source.socket) as Watched
  const patrol = server?.[key]
  if (patrol !== undefined && socket[arrival]?.source !== source)
    socket[arrival] = new Arrival(source, response, patrol.now)
}
