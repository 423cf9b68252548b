/**
 * The connections of a server: which are idle, which have a request in flight.
 *
 * ```ts
 * const connections = Connections.make(server)
 * connections.closeIdle()
 * ```
 *
 * Node counts a fresh connection that never said anything as active, and would wait for it; here it is idle.
 *
 * @source aiohttp.web.Server.connections
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"

/** What is known of the open connections. */
export interface Connections {
  readonly size: () => number
  /** Notes that a connection is answering; called for each request. */
  readonly busy: (socket: Duplex, response: Http.ServerResponse) => void
  /** The last response of a connection, finished or not. */
  readonly current: (socket: Duplex) => Http.ServerResponse | undefined
  /** Closes the connections on which nothing is going on and no byte of a next request has come. */
  readonly closeIdle: () => void
  /** Closes all at once. */
  readonly destroyAll: () => void
  /** Calls back when none is left. */
  readonly onEmpty: (f: () => void) => void
}

const last = Symbol("effect-web/response")
const seen = Symbol("effect-web/bytesRead")

interface Tracked extends Net.Socket {
  [last]?: Http.ServerResponse
  [seen]?: number
}

/** Follows the connections of a server from now on. */
export const make = (server: Http.Server): Connections => {
  const open = new Set<Tracked>()
  let waiting: Array<() => void> = []
  server.on("connection", (socket: Tracked) => {
    open.add(socket)
    socket.once("close", () => {
      open.delete(socket)
      if (open.size > 0) return
      for (const f of waiting) f()
      waiting = []
    })
  })
  return {
    size: () => open.size,
    busy: (socket, response) => {
      const tracked = socket as Tracked
      tracked[last] = response
      tracked[seen] = tracked.bytesRead
    },
    current: (socket) => (socket as Tracked)[last],
    closeIdle: () => {
      for (const socket of open) {
        const response = socket[last]
        const answering = response !== undefined && !response.writableFinished && !response.destroyed
        // In memory there is no count of bytes: nothing is half received there.
        const receiving =
          (socket.bytesRead ?? 0) > (socket[seen] ?? 0) &&
          !answering &&
          !(response?.req.complete === true && socket[seen] === socket.bytesRead)
        if (!answering && !receiving) socket.destroy()
      }
    },
    destroyAll: () => {
      for (const socket of open) socket.destroy()
    },
    onEmpty: (f) => {
      if (open.size === 0) f()
      else waiting.push(f)
    }
  }
}
