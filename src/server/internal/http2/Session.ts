/**
 * A connection that speaks HTTP/2: its requests under way, and how it ends.
 *
 * ```ts
 * const session = Session.of(socket)
 * session?.close()
 * ```
 *
 * It is given up when it was idle for as long as a connection of HTTP/1.1 may be, whatever else than requests the client sends.
 *
 * @spec RFC 9113 §3.4, §5.1.2, §6.8, §9.1
 */
import type * as Http from "node:http"
import * as Http2 from "node:http2"
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import { Arrival } from "../limits/Arrival.ts"
import { Incoming } from "./Incoming.ts"
import { Outgoing } from "./Outgoing.ts"

/** What holds for the sessions of an engine. */
export interface Settings {
  /** Milliseconds between requests; 0 for ever. */
  readonly keepAliveTimeout: number
  /** Milliseconds until the client has made itself known; 0 for ever. */
  readonly headersTimeout: number
  /** Milliseconds for a whole request; 0 for ever. */
  readonly requestTimeout: number
  readonly maxHeaderSize: number
  /** True while the server stops. */
  readonly isDraining: () => boolean
  readonly onRequest: (source: Http.IncomingMessage, response: Http.ServerResponse) => void
}

/** So many requests of a session may be under way: Node announces 4,294,967,295. */
export const maxConcurrentStreams = 128

/** So long may the end of a session take, in milliseconds. */
const parting = 1000

const key = Symbol("effect-web/session")

interface Carrier extends Duplex {
  [key]?: Session
}

/** The session on a socket, if there is one. */
export const of = (socket: Duplex): Session | undefined => (socket as Carrier)[key]

/** Speaks HTTP/2 on a socket from now on. */
export const open = (socket: Net.Socket, settings: Settings): void => {
  ;(socket as Carrier)[key] = new Session(socket, settings)
}

/** A session. */
export class Session {
  /** The answers that are not out yet. */
  readonly streams = new Set<Http.ServerResponse>()
  private readonly socket: Net.Socket
  private readonly settings: Settings
  private readonly session: Http2.ServerHttp2Session
  private timer: NodeJS.Timeout | undefined
  private isKnown = false
  private isLeaving = false

  constructor(socket: Net.Socket, settings: Settings) {
    this.socket = socket
    this.settings = settings
    this.session = Http2.performServerHandshake(socket, {
      settings: { maxConcurrentStreams, maxHeaderListSize: settings.maxHeaderSize, enablePush: false }
    })
    // What a client breaks ends its session, or its stream, and is no error of the server.
    this.session.on("error", ignore)
    socket.on("error", ignore)
    socket.once("end", () => socket.destroy())
    socket.once("close", () => clearTimeout(this.timer))
    this.session.once("remoteSettings", () => {
      this.isKnown = true
      if (this.streams.size === 0) this.wait(settings.keepAliveTimeout)
    })
    this.session.on("stream", (stream, fields, flags, raw) => this.begin(stream, fields, flags, raw))
    this.wait(settings.headersTimeout)
  }

  /** True when it waits for a request. */
  get isIdle(): boolean {
    return this.streams.size === 0
  }

  private begin(
    stream: Http2.ServerHttp2Stream,
    fields: Http2.IncomingHttpHeaders,
    flags: number,
    rawHeaders: ReadonlyArray<string>
  ): void {
    const isEnded = (flags & Http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0
    const incoming = new Incoming(stream, this.socket, fields, rawHeaders, isEnded, this.settings.maxHeaderSize)
    const outgoing = new Outgoing(stream, incoming, this.onHead)
    // They have what the engine asks of Node's.
    const source = incoming as unknown as Http.IncomingMessage
    const response = outgoing as unknown as Http.ServerResponse
    this.streams.add(response)
    clearTimeout(this.timer)
    if (!isEnded) this.limit(source, response)
    response.once("close", () => this.end(response))
    this.settings.onRequest(source, response)
  }

  private limit(source: Http.IncomingMessage, response: Http.ServerResponse): void {
    const { requestTimeout } = this.settings
    if (requestTimeout === 0) return
    const timer = setTimeout(() => {
      if (!source.complete) new Arrival(source, response, 0).refuse()
    }, requestTimeout)
    response.once("close", () => clearTimeout(timer))
  }

  private end(response: Http.ServerResponse): void {
    this.streams.delete(response)
    if (this.streams.size > 0) return
    if (this.isLeaving) this.close()
    else this.wait(this.settings.keepAliveTimeout)
  }

  private wait(milliseconds: number): void {
    clearTimeout(this.timer)
    // The streams of a connection that is lost end behind it.
    if (milliseconds > 0 && !this.socket.destroyed) this.timer = setTimeout(() => this.close(), milliseconds)
  }

  // As answers of HTTP/1.1 close their connections. A first GOAWAY that lets more streams come is not for nghttp2, which ignores these.
  private readonly onHead = (): void => {
    if (this.settings.isDraining()) this.close()
  }

  /** Takes no more requests and ends when those under way are answered: the client knows which were not seen. */
  close(): void {
    if (!this.isKnown && this.streams.size === 0) {
      this.socket.destroy()
      return
    }
    this.isLeaving = true
    if (!this.session.closed) this.session.close()
    if (this.streams.size > 0 || this.socket.destroyed) return
    clearTimeout(this.timer)
    // A client that takes nothing would hold its connection.
    this.timer = setTimeout(() => this.socket.destroy(), parting)
  }
}

const ignore = (): void => {}
