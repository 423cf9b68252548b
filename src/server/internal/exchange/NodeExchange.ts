/**
 * A request of Node's server, followed until its last byte has left.
 *
 * ```ts
 * const exchange = follow(source, response, target.context, clock)
 * exchange.observe((outcome) => log(outcome))
 * ```
 *
 * Bytes are counted as they are written; when a connection is lost, those that the kernel had not taken are subtracted.
 */
import type * as Http from "node:http"
import type * as Clock from "effect/Clock"
import { Exchange, type Route } from "../../../internal/exchange/exchange.ts"
import { type Counting, departed } from "../departed.ts"
import { isStream } from "../http2/Incoming.ts"
import type { Refusal } from "./RefusedExchange.ts"

const key = Symbol("effect-web/exchange")
const pipe = Symbol("effect-web/pipe")

interface Tracked extends Http.ServerResponse {
  [key]?: NodeExchange
  /** The head as text, once it is made. */
  readonly _header?: string | null
  readonly _hasBody?: boolean
}

/** What is noted of a connection. */
interface Pipe {
  readonly remoteAddress: string | undefined
  /** The bytes that had not left when it was destroyed. */
  unsent: number
  /** Exchanges that may end with it, although Node does not tell their responses. */
  waiting: Set<NodeExchange> | undefined
}

interface Connection extends Counting {
  [pipe]?: Pipe
  readonly remoteAddress?: string | undefined
}

/** The exchange of a response, if anyone follows it. */
export const of = (response: Http.ServerResponse): NodeExchange | undefined => (response as Tracked)[key]

/** Notes bytes of the content that were written. */
export const wrote = (response: Http.ServerResponse, bytes: number): void => (response as Tracked)[key]?.wrote(bytes)

/** Follows a request from now on. */
export const follow = (
  source: Http.IncomingMessage,
  response: Http.ServerResponse,
  route: Route,
  clock: Clock.Clock
): NodeExchange => {
  const connection = pipeOf(source.socket)
  const exchange = new NodeExchange(source, response, connection, route, clock)
  ;(response as Tracked)[key] = exchange
  response.on("close", onClose)
  // In a pipeline, behind an answer that is still going out, Node would never say that the connection has closed.
  if (response.socket === null && !isStream(source)) wait(connection, exchange, response)
  return exchange
}

/** The exchange of a request that is under way; followed from now on, where nobody does yet. `protocol`: its connection is taken over. */
export const late = (
  source: Http.IncomingMessage,
  response: Http.ServerResponse,
  route: Route,
  clock: Clock.Clock,
  protocol: string | undefined
): NodeExchange => {
  const known = of(response)
  if (known !== undefined) return known
  if (protocol === undefined) return follow(source, response, route, clock)
  const exchange = new NodeExchange(source, response, pipeOf(source.socket), route, clock)
  ;(response as Tracked)[key] = exchange
  exchange.take(protocol)
  return exchange
}

const wait = (connection: Pipe, exchange: NodeExchange, response: Http.ServerResponse): void => {
  connection.waiting ??= new Set()
  connection.waiting.add(exchange)
  response.once("close", () => connection.waiting?.delete(exchange))
}

function onClose(this: Tracked): void {
  this[key]?.closed()
}

const pipeOf = (socket: Connection): Pipe => {
  const known = socket[pipe]
  if (known !== undefined) return known
  const made: Pipe = { remoteAddress: addressOf(socket), unsent: 0, waiting: undefined }
  socket[pipe] = made
  // When "close" is emitted, nobody knows any more what was still to be written.
  const destroy = socket._destroy
  socket._destroy = function (error, callback) {
    made.unsent = unsent(socket)
    destroy.call(this, error, callback)
  }
  socket.once("close", () => {
    for (const exchange of made.waiting ?? []) exchange.settle(true)
    made.waiting = undefined
  })
  return made
}

// What is queued in the process, and what libuv could not yet hand to the kernel.
const unsent = (socket: Connection): number => (socket.bytesWritten ?? 0) - departed(socket)

/** The address of the other end; an IPv4 one in its own form. */
export const addressOf = ({ remoteAddress }: { readonly remoteAddress?: string | undefined }): string | undefined =>
  remoteAddress?.replace(/^::ffff:(?=[\d.]+$)/, "")

/** Follows a request on Node. */
export class NodeExchange extends Exchange {
  private readonly source: Http.IncomingMessage
  private readonly response: Tracked
  private readonly connection: Pipe
  private framing = 0
  private refusal: Refusal | undefined
  /** Its answer is given elsewhere: that its response closes means nothing. */
  isHeld = false
  // The bytes of the connection when it was taken over.
  private taken: number | undefined

  constructor(
    source: Http.IncomingMessage,
    response: Http.ServerResponse,
    connection: Pipe,
    route: Route,
    clock: Clock.Clock
  ) {
    super(route, clock)
    this.source = source
    this.response = response as Tracked
    this.connection = connection
    this.remoteAddress = connection.remoteAddress
  }

  get method(): string {
    return this.source.method as string
  }

  get url(): string {
    return this.source.url ?? ""
  }

  get httpVersion(): string {
    return this.source.httpVersion
  }

  requestHeader(name: string): string | undefined {
    const value = this.source.headers[name]
    return Array.isArray(value) ? value.join(", ") : value
  }

  /** From the head as it went out: Node keeps no other record of it. */
  responseHeader(name: string): string | undefined {
    if (this.isStream) return this.response.getHeader(name) as string | undefined
    const prefix = `${name}: `
    const lines = (this.response._header ?? "").split("\r\n").filter((line) => line.toLowerCase().startsWith(prefix))
    return lines.length === 0 ? undefined : lines.map((line) => line.slice(prefix.length)).join(", ")
  }

  wrote(bytes: number): void {
    this.bodyBytes += bytes
    if (this.response.chunkedEncoding && bytes > 0) this.framing += bytes.toString(16).length + 4
  }

  closed(): void {
    // Node 22 takes an answer for finished whose connection was lost.
    if (this.isHeld) return
    this.settle(!this.response.writableFinished || (!this.isStream && this.connection.unsent > 0))
  }

  // On HTTP/2 a connection has many.
  private get isStream(): boolean {
    return isStream(this.source)
  }

  /** The connection is taken over. */
  take(protocol: string): void {
    this.isHeld = true
    this.protocol = protocol
    this.taken = (this.source.socket as Connection).bytesWritten ?? 0
  }

  /** Whoever took the connection over has ended. */
  end(): void {
    this.settle(this.isDrained)
  }

  /** A refusal took the place of its answer: it left, or the connection was lost. */
  replaced(refusal: Refusal, isLost: boolean): void {
    if (this.isSettled) return
    this.refusal = refusal
    this.settle(isLost)
  }

  protected measure(isLost: boolean): void {
    if (this.refusal !== undefined) {
      const { body, head, status } = this.refusal
      this.status = status
      this.bytes = isLost ? 0 : head + body
      this.bodyBytes = isLost ? 0 : body
      return
    }
    if (this.taken !== undefined) {
      this.status = 101
      this.bytes = ((this.source.socket as Connection).bytesWritten ?? this.taken) - this.taken
      return
    }
    const { _header: header, headersSent, statusCode } = this.response
    if (this.isStream) {
      // What a head takes, which is compressed with those before it, nobody tells.
      this.status = headersSent ? statusCode : (withoutHead.get(this.result) ?? 500)
      if (isLost) this.bodyBytes = Math.max(0, this.bodyBytes - this.response.writableLength)
      this.bytes = this.bodyBytes
      return
    }
    const wasReached = !isLost || (headersSent && this.response.socket !== null)
    this.status = wasReached && headersSent ? statusCode : (withoutHead.get(this.result) ?? 500)
    const head = wasReached ? (header?.length ?? 0) : 0
    const written = wasReached ? head + this.bodyBytes + this.framing + this.terminator : 0
    this.bytes = isLost ? Math.max(0, written - this.connection.unsent) : written
    if (isLost) this.bodyBytes = Math.max(0, Math.min(this.bodyBytes, this.bytes - head))
  }

  // The last chunk (RFC 9112 §7.1).
  private get terminator(): number {
    const { _hasBody, chunkedEncoding, writableEnded } = this.response
    return chunkedEncoding && _hasBody === true && writableEnded ? 5 : 0
  }
}

const withoutHead: ReadonlyMap<string, number> = new Map([
  ["clientAborted", 499],
  ["drained", 503],
  ["timedOut", 408]
])
