/**
 * Node's HTTP server, over TLS where that is wanted: handshakes are limited in time as a whole, and one that fails is no error of the server.
 *
 * ```ts
 * const server = SecureServer.make({ options, handshakeTimeout: 10_000, onServer }, settings)
 * ```
 *
 * Node has only a limit for a handshake that is idle: a byte a second would hold its connection for ever. Where the client agrees on
 * HTTP/2, its connection is given to `speakHttp2`.
 *
 * @source aiohttp.web.run_app ssl_context
 * @spec RFC 8446; RFC 7301; RFC 9110 §4.2.2; RFC 9113 §3.2
 */
import * as Http from "node:http"
import * as Https from "node:https"
import type * as Net from "node:net"
import * as Tls from "node:tls"
import * as Preface from "../http2/Preface.ts"

/** What TLS is made of, where it is spoken. */
export interface Secure {
  readonly options: Tls.TlsOptions
  /** Offers HTTP/2. */
  readonly http2: boolean
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeTimeout: number
  /** Is given each server that is made. */
  readonly onServer: (server: Tls.Server) => unknown
}

const pending = new WeakMap<Http.Server, Set<Net.Socket>>()

/** The server: one of HTTP, or of HTTPS, which differs in nothing but its connections. */
export const make = (secure: Secure | undefined, settings: Http.ServerOptions): Http.Server => {
  if (secure === undefined) return Http.createServer(settings)
  const { handshakeTimeout, http2, onServer, options } = secure
  // As over TCP: tunnels pass the end of one side on, and wait for the other.
  const protocols = http2 ? { ALPNProtocols: ["h2", "http/1.1"] } : undefined
  const own = { ...settings, ...options, ...protocols, allowHalfOpen: true, handshakeTimeout: 0 }
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
    if (isHttp2(socket)) return
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

/** True where the client has agreed on HTTP/2. */
const isHttp2 = (socket: Net.Socket): boolean => (socket as Tls.TLSSocket).alpnProtocol === "h2"

/** Has connections of HTTP/2 spoken by `open`; without TLS those too that begin as such, where `h2c` says so. */
export const speakHttp2 = (server: Http.Server, open: (socket: Net.Socket) => void, h2c: boolean): void => {
  const event = connectionEvent(server)
  const isSecure = event === "secureConnection"
  if (!isSecure && !h2c) return
  // Node's own, which speaks HTTP/1.1, is the first of its listeners.
  const [http1] = server.listeners(event) as [(socket: Net.Socket) => void]
  server.removeListener(event, http1)
  const known = new WeakSet<Net.Socket>()
  server.prependListener(event, (socket: Net.Socket) => {
    // It comes again when the upgrade that it asked for was declined.
    if (isSecure ? !isHttp2(socket) : known.has(socket)) http1.call(server, socket)
    else if (isSecure) open(socket)
    else {
      known.add(socket)
      Preface.look(socket, server.headersTimeout, (isHttp2) => (isHttp2 ? open(socket) : http1.call(server, socket)))
    }
  })
}

/** Breaks the handshakes off that are going on. */
export const abandon = (server: Http.Server): void => {
  for (const socket of pending.get(server) ?? []) socket.destroy()
}

const ignore = (): void => {}
