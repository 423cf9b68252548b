/**
 * Requests that ask for another protocol (RFC 9110 §7.8): the connection is handed over, or the answer is an ordinary one.
 *
 * ```ts
 * Upgrade.listen(server, { previous, handle, setIdle })
 * ```
 *
 * `Upgrade` means nothing in a request of HTTP/1.0, in one with a body, and where it names HTTP/2 or TLS: such a request is read
 * again without it. An ordinary answer leaves the connection as usable as it was.
 */
import * as Http from "node:http"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import * as Handover from "./Handover.ts"
import { announced } from "./RequestBody.ts"
import { connectionEvent } from "./sites/SecureServer.ts"

/** How the engine handles requests that ask for an upgrade. */
export interface Options {
  /** The response before on the connection. */
  readonly previous: (socket: Duplex) => Http.ServerResponse | undefined
  readonly handle: (source: Http.IncomingMessage, response: Http.ServerResponse, head: Uint8Array) => void
  /** Told when a connection waits for a next request, and when it does no more, while Node does not know of it. */
  readonly setIdle: (socket: Duplex, isIdle: boolean) => void
}

/** Follows the upgrades of a server. Node has let go of such a connection, and of the answer before that may still be going out. */
export const listen = (server: Http.Server, options: Options): void => {
  server.on("upgrade", (source: Http.IncomingMessage, socket: Net.Socket, head: Buffer) => {
    adopt(socket)
    const unwatch = watch(socket)
    const begin = () => {
      if (!socket.writable) return
      if (isMeant(source)) answer(server, options, source, head, unwatch)
      else {
        unwatch()
        give(server, socket, Buffer.concat([withoutUpgrade(source), head]))
      }
    }
    const before = options.previous(socket)
    // Between its last byte and its "finish" the connection is still that of the answer before.
    if (before === undefined || (before.writableFinished && before.socket === null)) begin()
    else before.once("finish", begin)
  })
}

// What Node had listened to. A connection comes here again when an upgrade was declined.
const adopt = (socket: Net.Socket): void => {
  if (socket.listeners("error").includes(ignore)) return
  socket.on("error", ignore)
  socket.on("drain", forwardDrain)
}

const ignore = (): void => {}

function forwardDrain(this: { readonly _httpMessage?: Http.ServerResponse | null }): void {
  this._httpMessage?.emit("drain")
}

/** So long may more bytes than are read wait behind a request: behind them nobody sees that the client has left. */
const patience = 60_000

// Who leaves is seen only by who reads; what is read waits for its reader.
const watch = (socket: Net.Socket): (() => void) => {
  const leave = () => socket.destroy()
  const timer = setTimeout(() => {
    if (socket.readableLength > 0) leave()
  }, patience)
  socket.once("end", leave)
  socket.read(0)
  const unwatch = () => {
    clearTimeout(timer)
    socket.off("end", leave).off("close", unwatch)
  }
  socket.once("close", unwatch)
  return unwatch
}

// In HTTP/1.0 and with a body there is no upgrade; to HTTP/2 and to TLS, within which requests would come, there is none here.
const isMeant = (source: Http.IncomingMessage): boolean =>
  source.httpVersionMinor === 1 &&
  !announced(source) &&
  source.headers.expect === undefined &&
  tokens(source.headers.upgrade ?? "").some((protocol) => !/^(?:h2c|tls|http)(?:\/|$)/i.test(protocol))

const tokens = (value: string): ReadonlyArray<string> => value.split(",").map((token) => token.trim())

const answer = (
  server: Http.Server,
  { handle, setIdle }: Options,
  source: Http.IncomingMessage,
  head: Buffer,
  unwatch: () => void
): void => {
  const { socket } = source
  const response = new Http.ServerResponse(source)
  response.shouldKeepAlive = !tokens((source.headers.connection ?? "").toLowerCase()).includes("close")
  response.assignSocket(socket)
  Handover.onTaken(response, unwatch)
  response.once("finish", () => {
    unwatch()
    response.detachSocket(socket)
    process.nextTick(() => response.emit("close"))
    if (closes(response) || !socket.writable) {
      if (typeof socket.destroySoon === "function") socket.destroySoon()
      else socket.end()
    } else if (head.length > 0 || socket.readableLength > 0) give(server, socket, head)
    else park(server, socket, setIdle)
  })
  handle(source, response, head)
}

// Node's own note that the connection closes after this response.
const closes = (response: Http.ServerResponse): boolean => (response as { readonly _last?: boolean })._last === true

/** The connection is the server's again, with what has come meanwhile in front. */
const give = (server: Http.Server, socket: Net.Socket, bytes: Uint8Array): void => {
  if (bytes.length > 0)
    socket.unshift(bytes)
    // As Node leaves it: the next listener makes it flow.
  ;(socket as { readableFlowing: boolean | null }).readableFlowing = null
  server.emit(connectionEvent(server), socket)
}

// Given back at once, it would be to Node a new connection, whose first head is late after some seconds.
const park = (server: Http.Server, socket: Net.Socket, setIdle: Options["setIdle"]): void => {
  const { keepAliveTimeout } = server
  // To Node 0 is for ever.
  const timer = keepAliveTimeout === 0 ? undefined : setTimeout(() => socket.destroy(), keepAliveTimeout)
  const wake = () => {
    clearTimeout(timer)
    setIdle(socket, false)
    socket.off("data", next).off("end", leave).off("close", wake)
  }
  const next = (chunk: Buffer) => {
    wake()
    socket.pause()
    give(server, socket, chunk)
  }
  const leave = () => socket.destroy()
  setIdle(socket, true)
  socket.once("close", wake).once("end", leave).once("data", next)
}

// The request as if it had not asked.
const withoutUpgrade = (source: Http.IncomingMessage): Buffer => {
  const { httpVersionMinor, method, rawHeaders, url } = source
  const lines = [`${method} ${url} HTTP/1.${httpVersionMinor}`]
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    const value = rawHeaders[at + 1] as string
    if (/^connection$/i.test(name)) {
      const rest = tokens(value).filter((token) => token.toLowerCase() !== "upgrade")
      if (rest.length > 0) lines.push(`${name}: ${rest.join(", ")}`)
    } else if (!/^upgrade$/i.test(name)) lines.push(`${name}: ${value}`)
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1")
}
