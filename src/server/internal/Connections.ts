/**
 * The connections of a server: which are idle, which have a request in flight.
 *
 * ```ts
 * const connections = Connections.make(server)
 * connections.closeIdle()
 * ```
 *
 * Node knows which are idle, but counts a fresh connection that never said anything as active, and would wait for it.
 *
 * @source aiohttp.web.Server.connections
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import * as NodeExchange from "./exchange/NodeExchange.ts"
import * as Session from "./http2/Session.ts"
import * as Pipeline from "./Pipeline.ts"
import * as SecureServer from "./sites/SecureServer.ts"

/** What is known of the open connections. */
export interface Connections {
  readonly size: () => number
  readonly open: ReadonlySet<Net.Socket>
  /** Lets go of a response that is over, and of its request: they are a fifth of the memory of a connection that waits. */
  readonly rest: (socket: Net.Socket) => void
  /**
   * Closes the one that is open longest of those that wait for a request, but for one; false when there is none. `evenNew`: one too that
   * has just been opened and said nothing yet.
   */
  readonly giveWay: (except: Net.Socket, evenNew: boolean) => boolean
  /** Notes that a connection is answering; called for each request. */
  readonly busy: (socket: Duplex, response: Http.ServerResponse) => void
  /** Notes whether a connection waits for a request, while Node does not know of it. */
  readonly setIdle: (socket: Duplex, isIdle: boolean) => void
  /** The last response of a connection; none too when it is over and the connection has rested for a second. */
  readonly current: (socket: Duplex) => Http.ServerResponse | undefined
  /**
   * Closes the connections on which nothing is going on and no byte of a next request has come, and the others when their answer is
   * out: its head may have been written when nobody thought of closing.
   */
  readonly closeIdle: () => void
  /** Closes all at once: how many there were. */
  readonly destroyAll: () => number
  /** The responses that are going out. */
  readonly answering: () => ReadonlyArray<Http.ServerResponse>
  /** Calls back when none is left. */
  readonly onEmpty: (f: () => void) => void
}

const last = Symbol("effect-web/response")
const idle = Symbol("effect-web/idle")
const served = Symbol("effect-web/served")
const known = Symbol("effect-web/known")

interface Tracked extends Net.Socket {
  [last]?: Http.ServerResponse | undefined
  [idle]?: boolean
  /** It has had an answer. */
  [served]?: boolean
  /** It has been looked at: it is not just now that it was opened. */
  [known]?: boolean
}

/** Follows the connections of a server from now on. */
export const make = (server: Http.Server): Connections => {
  const open = new Set<Tracked>()
  let waiting: Array<() => void> = []
  server.on(SecureServer.connectionEvent(server), (socket: Tracked) => {
    // It comes again when the upgrade that it asked for was declined.
    if (open.has(socket)) return
    open.add(socket)
    socket.once("close", () => {
      open.delete(socket)
      if (open.size > 0) return
      for (const f of waiting) f()
      waiting = []
    })
  })
  keepAnswering(server, open)
  const closeWaiting = () => {
    server.closeIdleConnections()
    for (const socket of open) if (socket[idle] === true) socket.destroy()
  }
  return {
    size: () => open.size,
    open,
    rest,
    giveWay: giveWay(open),
    busy: (socket, response) => {
      ;(socket as Tracked)[last] = response
    },
    current: (socket) => (socket as Tracked)[last],
    setIdle: (socket, isIdle) => {
      ;(socket as Tracked)[idle] = isIdle
    },
    closeIdle: () => {
      SecureServer.abandon(server)
      closeWaiting()
      for (const socket of open) {
        const response = socket[last]
        const session = Session.of(socket)
        if (session !== undefined) session.close()
        else if (response === undefined) {
          if (socket.bytesRead === 0) socket.destroy()
        } else if (!response.writableFinished) response.once("finish", closeWaiting)
      }
    },
    answering: () =>
      Array.from(open, responses)
        .flat()
        .filter((response) => !response.writableFinished),
    destroyAll: () => {
      const count = open.size
      for (const socket of open) {
        for (const response of Session.of(socket)?.streams ?? [socket[last]])
          if (response !== undefined) NodeExchange.of(response)?.drain()
        socket.destroy()
      }
      return count
    },
    onEmpty: (f) => {
      if (open.size === 0) f()
      else waiting.push(f)
    }
  }
}

// In vain it looks through all of them no more often than this, in milliseconds.
const pause = 50

const giveWay = (open: Set<Tracked>): Connections["giveWay"] => {
  const next = { all: 0, known: 0 }
  return (except, evenNew) => {
    const which = evenNew ? "all" : "known"
    if (performance.now() < next[which]) return false
    for (const socket of open) {
      if (socket === except || !isWaiting(socket, evenNew)) continue
      open.delete(socket)
      socket.destroy()
      return true
    }
    next[which] = performance.now() + pause
    return false
  }
}

// What a connection answers.
const responses = (socket: Tracked): ReadonlyArray<Http.ServerResponse> => {
  const session = Session.of(socket)
  if (session !== undefined) return [...session.streams]
  const response = socket[last]
  return response?.socket == null ? [] : [response]
}

// For a first request, or between two. The first request of one that is new is probably on its way.
const isWaiting = (socket: Tracked, evenNew: boolean): boolean => {
  const session = Session.of(socket)
  if (session !== undefined) return session.streams.size === 0
  const response = socket[last]
  if (response !== undefined) return isOver(response)
  return socket[served] === true || (socket.bytesRead === 0 && (evenNew || socket[known] === true))
}

const isOver = (response: Http.ServerResponse): boolean => response.writableFinished && response.req.complete

const rest = (socket: Tracked): void => {
  socket[known] = true
  const response = socket[last]
  // What comes behind an answer that closes is not to be taken for a first request.
  if (response === undefined || !isOver(response) || Pipeline.closes(response)) return
  socket[last] = undefined
  socket[served] = true
}

/**
 * Node takes a connection for idle as soon as the whole answer was given to it, although it may still be going out, and would cut it
 * short when the server closes.
 */
const keepAnswering = (server: Http.Server, open: ReadonlySet<Tracked>): void => {
  const closeIdle = server.closeIdleConnections
  server.closeIdleConnections = () => {
    const busy = Array.from(open).filter((socket) => socket[last]?.writableFinished === false)
    // Covers the method of the prototype for as long as Node looks for connections to destroy.
    for (const socket of busy) socket.destroy = () => socket
    closeIdle.call(server)
    for (const socket of busy) Reflect.deleteProperty(socket, "destroy")
  }
}
