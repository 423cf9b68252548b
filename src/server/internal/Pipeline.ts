/**
 * Lets the requests of a connection be handled one after the other, in the order in which they came.
 *
 * ```ts
 * if (isTurn(source, response, previous)) handle(source, response)
 * else wait(source, response, previous, () => handle(source, response))
 * ```
 *
 * Node gives all requests of a pipeline at once. Here a request is handled when the answer before it has ended, and behind an answer
 * that closes the connection not at all. With 32 that wait, no more are read; and because nobody sees then that the client has left,
 * the connection is closed when no byte of an answer goes out for a minute.
 *
 * @source aiohttp.web_protocol.RequestHandler
 * @spec RFC 9112 §9.3.2, §9.6
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"

/** So many requests of a connection may wait before reading pauses; it goes on with half of them. */
const most = 32

/** So long may the next answer take while nothing is read, in milliseconds. */
const patience = 60_000

/** A response, if there is one. */
type Previous = Http.ServerResponse | undefined

/** Node's own note that the connection closes after this response. */
export const closes = (response: Http.ServerResponse): boolean =>
  (response as { readonly _last?: boolean })._last === true

/** True when the request may be handled at once. `previous` is the response before, if there was one on the connection. */
export const isTurn = (source: Http.IncomingMessage, response: Http.ServerResponse, previous: Previous): boolean =>
  response.socket === null
    ? previous === undefined || (previous.writableEnded && !closes(previous))
    : source.socket.writable

const waiting = new WeakMap<Duplex, number>()

// How Node itself stops reading from a client that does not take its answers; a plain pause would end with the next message.
interface Internals {
  _paused?: boolean
  readonly parser?: { readonly resume: () => void } | null
}

const watches = new WeakMap<Duplex, NodeJS.Timeout>()

// While nothing is read only what goes out shows that somebody is there.
const watch = (socket: Duplex): NodeJS.Timeout => {
  let seen = written(socket)
  const watch = setInterval(() => {
    if (written(socket) === seen) socket.destroy()
    if (socket.destroyed) clearInterval(watch)
    seen = written(socket)
  }, patience)
  return watch.unref()
}

const written = (socket: Duplex): number => (socket as Net.Socket).bytesWritten ?? 0

const pause = (socket: Duplex & Internals): void => {
  if (!watches.has(socket)) watches.set(socket, watch(socket))
  socket._paused = true
  socket.pause()
}

const resume = (socket: Duplex & Internals): void => {
  clearInterval(watches.get(socket))
  watches.delete(socket)
  socket._paused = false
  socket.parser?.resume()
  socket.resume()
}

/** Handles the request when its turn comes. What comes behind the last answer of a connection is thrown away. */
export const wait = (
  source: Http.IncomingMessage,
  response: Http.ServerResponse,
  previous: Previous,
  handle: () => void
): void => {
  const { socket } = source
  if (previous === undefined || previous.writableFinished || (previous.writableEnded && closes(previous))) {
    source.resume()
    return
  }
  const count = (waiting.get(socket) ?? 0) + 1
  waiting.set(socket, count)
  if (count >= most) pause(socket)
  previous.once("finish", () => {
    const left = (waiting.get(socket) ?? 1) - 1
    waiting.set(socket, left)
    if (left === most / 2) resume(socket)
    if (response.socket !== null && socket.writable) handle()
    else source.resume()
  })
}
