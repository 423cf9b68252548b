/**
 * What happens to a request body that nobody read.
 *
 * ```ts
 * discardRest(incoming, outgoing)
 * ```
 *
 * After the answer up to 256 KiB are read away so that the connection can go on; with more, or with `Connection: close`, our side is
 * closed and the client gets a moment to read the answer before the connection is reset.
 *
 * On HTTP/2 the client is told to stop instead, and the connection goes on.
 *
 * @spec RFC 9112 §9.6; RFC 9113 §8.1
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import { Outgoing } from "./http2/Outgoing.ts"
import * as Patrol from "./limits/Patrol.ts"
import { maxDiscarded } from "./responseHead.ts"

// A client that is still sending, or has not yet taken all, gets ten seconds to read its answer, one that is silent gets one.
const turn = 1000
const turns = 10

// Node reads these two after our listener: whether to throw the body away unseen, and whether to destroy the socket at once.
interface Internals {
  _consuming?: boolean
  _last?: boolean
}

/** Looks after the rest of the body when the response is finished. */
export const discardRest = (source: Http.IncomingMessage, response: Http.ServerResponse): void => {
  response.prependListener("finish", () => {
    const isStream = response instanceof Outgoing
    if (source.complete) return
    // Nothing that comes yet is wanted: the head was not understood, or the body did not come in time.
    if (isStream && (source.destroyed || !response.shouldKeepAlive)) response.closeRequest()
    if (source.destroyed) return
    const closing = (response as Internals)._last === true
    ;(source as Internals)._consuming = true
    ;(response as Internals)._last = false
    let bytes = 0
    if (closing) close(source.socket)
    else Patrol.reading(source, response)
    source.on("data", (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxDiscarded && !closing) {
        source.removeAllListeners("data")
        if (isStream) response.closeRequest()
        else close(source.socket)
      }
    })
    source.resume()
  })
}

/**
 * Ends our side of a connection, with last bytes or without, and leaves it to the client to end the other; what it still sends is
 * to be read away by who calls.
 */
export const close = (socket: Duplex, last?: Uint8Array): void => {
  if (socket.destroyed) return
  if (last === undefined) socket.end()
  else socket.end(last)
  let [count, quiet, seen] = [0, 0, progress(socket)]
  const timer = setInterval(() => {
    const now = progress(socket)
    quiet = now === seen ? quiet + 1 : 0
    seen = now
    // Who still takes what was written before may take its time.
    const isTaking = socket.writableLength > 0
    if (quiet >= (isTaking ? turns : 1) || (!isTaking && ++count === turns)) socket.destroy()
  }, turn)
  socket.once("close", () => clearInterval(timer))
}

// The bytes that have come, and those that have left.
const progress = (socket: Duplex): number => {
  const { bytesRead = 0, bytesWritten = 0, writableLength } = socket as Partial<Net.Socket> & Duplex
  return bytesRead + bytesWritten - writableLength
}
