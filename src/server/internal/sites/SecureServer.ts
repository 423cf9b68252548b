/**
 * Node's HTTP server, over TLS where that is wanted: handshakes are limited in time as a whole, and one that fails is no error of the server.
 *
 * ```ts
 * const server = SecureServer.make({ options, handshakeTimeout: 10_000, onServer }, settings)
 * ```
 *
 * Node has only a limit for a handshake that is idle: a byte a second would hold its connection for ever.
 *
 * @source aiohttp.web.run_app ssl_context
 * @spec RFC 8446; RFC 9110 §4.2.2
 */
import * as Http from "node:http"
import * as Https from "node:https"
import type * as Net from "node:net"
import * as Tls from "node:tls"

/** What TLS is made of, where it is spoken. */
export interface Secure {
  readonly options: Tls.TlsOptions
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeTimeout: number
  /** Is given each server that is made. */
  readonly onServer: (server: Tls.Server) => unknown
}

const pending = new WeakMap<Http.Server, Set<Net.Socket>>()

/** The server: one of HTTP, or of HTTPS, which differs in nothing but its connections. */
export const make = (secure: Secure | undefined, settings: Http.ServerOptions): Http.Server => {
  if (secure === undefined) return Http.createServer(settings)
  const { handshakeTimeout, onServer, options } = secure
  // As over TCP: tunnels pass the end of one side on, and wait for the other.
  const own = { ...settings, ...options, allowHalfOpen: true, handshakeTimeout: 0 }
  const server = Https.createServer(own as Https.ServerOptions)
  const handshaking = new Set<Net.Socket>()
  const timers = new WeakMap<Net.Socket, NodeJS.Timeout>()
  const done = (socket: Net.Socket): void => {
    handshaking.delete(socket)
    clearTimeout(timers.get(socket))
  }
  server.on("connection", (socket: Net.Socket) => {
    handshaking.add(socket)
    timers.set(
      socket,
      setTimeout(() => socket.destroy(), handshakeTimeout)
    )
    socket.once("close", () => done(socket))
  })
  server.on("secureConnection", (socket: Tls.TLSSocket & { readonly _parent?: Net.Socket }) => {
    if (socket._parent !== undefined) done(socket._parent)
    // Read by its listeners rather than by the parser itself, which over TLS is given more while it pauses, and takes that for an error.
    socket.on("data", ignore).off("data", ignore)
  })
  // Node would hand it on as a request that could not be read.
  server.removeAllListeners("tlsClientError")
  server.on("tlsClientError", (_error, socket) => socket.destroy())
  onServer(server)
  pending.set(server as unknown as Http.Server, handshaking)
  return server as unknown as Http.Server
}

/** The event by which a server tells of connections that speak HTTP. */
export const connectionEvent = (server: Http.Server): "connection" | "secureConnection" =>
  server instanceof Tls.Server ? "secureConnection" : "connection"

/** Breaks the handshakes off that are going on. */
export const abandon = (server: Http.Server): void => {
  for (const socket of pending.get(server) ?? []) socket.destroy()
}

const ignore = (): void => {}
