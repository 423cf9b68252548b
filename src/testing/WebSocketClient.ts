/**
 * The peer of a WebSocket, for tests: an honest one, a slow one, one that is half gone, one that sends raw bytes.
 *
 * ```ts
 * const peer = yield* client.webSocket("/chat", { protocols: ["chat.v2"] })
 * yield* peer.send("hello")
 * assert.strictEqual(yield* peer.receive, "hello")
 * ```
 *
 * It has no clock: the heartbeats and timeouts of the server move by TestClock.
 *
 * @source aiohttp.test_utils.TestClient.ws_connect
 */
import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import * as NodeWS from "@effect/platform-node/NodeWS"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** How the peer asks for the connection, and how it behaves. */
export interface Options {
  /** The subprotocols, in the order of its liking. A server that takes none of them is a WebSocketRefused. */
  readonly protocols?: ReadonlyArray<string>
  readonly origin?: string
  readonly headers?: { readonly [name: string]: string }
  /** Whether it offers permessage-deflate; true. */
  readonly compress?: boolean
  /** Whether it answers pings; true. */
  readonly answerPings?: boolean
}

/**
 * No WebSocket: what the server answered in its place, with status 0 for an answer that is none. Of its body only what comes within half
 * a second, and at most 64 KiB.
 */
export class WebSocketRefused extends Data.TaggedError("WebSocketRefused")<{
  readonly status: number
  readonly headers: { readonly [name: string]: string | ReadonlyArray<string> | undefined }
  readonly body: string
}> {}

/** The WebSocket has ended, and all that came before was received. The code is 1005 where the server gave none, 1006 where it broke. */
export class WebSocketClosed extends Data.TaggedError("WebSocketClosed")<{
  readonly code: number
  readonly reason: string
}> {}

/** A peer. */
export interface Peer {
  /** The headers of the 101. */
  readonly headers: { readonly [name: string]: string | ReadonlyArray<string> | undefined }
  /** The subprotocol; "" for none. */
  readonly protocol: string
  /** The extensions that were agreed on; "" for none. */
  readonly extensions: string
  /** Sends a message, and waits until it has left. */
  readonly send: (message: string | Uint8Array) => Effect.Effect<void>
  readonly ping: (payload?: string) => Effect.Effect<void>
  /** The next message: text as a string, binary as bytes. */
  readonly receive: Effect.Effect<string | Uint8Array, WebSocketClosed>
  /** How many messages have come and were not received. */
  readonly waiting: Effect.Effect<number>
  /** How many pings have come. */
  readonly pings: Effect.Effect<number>
  /** Sends a close frame, and waits for that of the server. */
  readonly close: (code?: number, reason?: string) => Effect.Effect<WebSocketClosed>
  /** Waits for the end. */
  readonly closed: Effect.Effect<WebSocketClosed>
  /** Reads nothing more, no ping and no close frame either: a slow reader, or a peer that is half gone. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Writes bytes as they are; frames of a client are masked. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void>
  /** Ends its side of the connection without a close frame. */
  readonly end: Effect.Effect<void>
  /** Breaks the connection. */
  readonly destroy: Effect.Effect<void>
}

/** Opens a WebSocket over a connection; it breaks when the scope closes. */
export const open = (
  url: string,
  connect: Effect.Effect<Duplex, never, Scope.Scope>,
  options: Options = {}
): Effect.Effect<Peer, WebSocketRefused, Scope.Scope> =>
  Effect.flatMap(connect, (socket) =>
    Effect.callback<Peer, WebSocketRefused>((resume) => {
      const { answerPings = true, compress = true, headers = {}, origin, protocols = [] } = options
      const own = new NodeWS.WebSocket(url, [...protocols], {
        createConnection: () => socket,
        headers: { ...headers },
        ...(origin === undefined ? undefined : { origin }),
        perMessageDeflate: compress,
        autoPong: answerPings
        // Of createConnection their types know no other stream than a net.Socket.
      } as object)
      let answer: Http.IncomingMessage | undefined
      // Before "open": a message may come with the 101.
      const peer = make(own, socket, () => answer?.headers ?? {})
      own.on("upgrade", (response) => {
        answer = response
      })
      own.on("unexpected-response", (_request, response) => resume(refusal(response)))
      own.on("error", ({ message: body }) =>
        resume(Effect.fail(new WebSocketRefused({ status: 0, headers: answer?.headers ?? {}, body })))
      )
      own.on("open", () => resume(Effect.succeed(peer)))
    })
  )

// Of an answer without an end the beginning is enough, and only the machine's clock goes on while a test waits for it.
const maxBody = 65_536
const maxWait = 500

const refusal = (response: Http.IncomingMessage): Effect.Effect<never, WebSocketRefused> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    const { headers, statusCode: status = 0 } = response
    const stop = () => void response.destroy()
    const timer = setTimeout(stop, maxWait)
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size >= maxBody) stop()
    })
    response.on("close", () => {
      clearTimeout(timer)
      const body = Buffer.concat(chunks).subarray(0, maxBody).toString("utf8")
      resume(Effect.fail(new WebSocketRefused({ status, headers, body })))
    })
    return Effect.sync(stop)
  })

const make = (own: NodeWS.WebSocket, socket: Duplex, headers: () => Peer["headers"]): Peer => {
  const messages: Array<string | Uint8Array> = []
  let pings = 0
  let over: WebSocketClosed | undefined
  let waiting: Array<() => void> = []
  const wake = () => {
    const all = waiting
    waiting = []
    for (const f of all) f()
  }
  own.on("message", (data: Buffer, isBinary) => {
    messages.push(isBinary ? data : data.toString("utf8"))
    wake()
  })
  own.on("ping", () => pings++)
  own.on("close", (code, reason) => {
    over = new WebSocketClosed({ code, reason: reason.toString("utf8") })
    wake()
  })
  const more = Effect.callback<void>((resume) => {
    const look = () => resume(Effect.void)
    waiting.push(look)
    return Effect.sync(() => {
      waiting = waiting.filter((other) => other !== look)
    })
  })
  const receive: Peer["receive"] = Effect.suspend(() => {
    const message = messages.shift()
    if (message !== undefined) return Effect.succeed(message)
    return over === undefined ? Effect.flatMap(more, () => receive) : Effect.fail(over)
  })
  const closed: Peer["closed"] = Effect.suspend(() =>
    over === undefined ? Effect.flatMap(more, () => closed) : Effect.succeed(over)
  )
  return {
    get headers() {
      return headers()
    },
    get protocol() {
      return own.protocol
    },
    get extensions() {
      return own.extensions
    },
    send: (message) => Effect.callback((resume) => own.send(message, () => resume(Effect.void))),
    ping: (payload = "") => Effect.sync(() => own.ping(payload)),
    receive,
    waiting: Effect.sync(() => messages.length),
    pings: Effect.sync(() => pings),
    close: (code, reason) =>
      Effect.andThen(
        Effect.sync(() => own.close(code, reason)),
        closed
      ),
    closed,
    pause: Effect.sync(() => own.pause()),
    resume: Effect.sync(() => own.resume()),
    write: (bytes) => Effect.sync(() => void socket.write(bytes)),
    end: Effect.sync(() => void socket.end()),
    destroy: Effect.sync(() => void socket.destroy())
  }
}
