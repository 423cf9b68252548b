/**
 * WebSockets on Node, spoken by `ws`.
 *
 * ```ts
 * Context.add(base, Acceptor, { accept: NodeWebSocket.accept, prepare: NodeWebSocket.prepare })
 * ```
 *
 * @spec RFC 6455; RFC 7692
 */
import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import * as NodeWS from "@effect/platform-node/NodeWS"
import type { Connection } from "../../../internal/exchange/takeover.ts"
import { isSendable } from "../../../internal/webSocket/failure.ts"
import type { Accept, Accepted, Listener, Wire } from "../../../internal/webSocket/wire.ts"
import { taken } from "../departed.ts"
import * as Deflate from "./deflate.ts"
import { sender } from "./sender.ts"

export { prepare } from "./deflate.ts"

/** A request as `ws` needs it, with what the 101 carries besides. */
interface Handshake {
  readonly method: "GET"
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly lines: ReadonlyArray<string>
}

const servers = new Map<number, NodeWS.WebSocketServer>()

// One for each size of messages; it follows no connection, so that it holds nothing.
const serverOf = (maxPayload: number): NodeWS.WebSocketServer => {
  const found = servers.get(maxPayload)
  if (found !== undefined) return found
  const made = new NodeWS.WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload,
    // Whatever a peer may send within the size of a message passes: `ws` takes 16,384 fragments unless told otherwise.
    maxFragments: 131_072,
    // A chunk costs some 200 bytes: what waits for the rest of its frame shall not cost more than the message itself.
    maxBufferedChunks: 16_384 + Math.ceil(maxPayload / 256),
    perMessageDeflate: Deflate.options,
    autoPong: false,
    // The session has a clock of its own.
    closeTimeout: 2_147_483_647
  } as NodeWS.ServerOptions)
  made.on("headers", (lines, request) => lines.push(...(request as unknown as Handshake).lines))
  servers.set(maxPayload, made)
  return made
}

/** Opens the connection; undefined when the client has left. The request was checked before. */
export const accept: Accept = (connection, accepted) => {
  const opened = open(connection, accepted)
  return opened === undefined ? undefined : wire(opened, connection, accepted.maxMessage)
}

/** Opens the connection as `ws` has it; pings are answered. */
export const open = (
  { head, headers, request, socket }: Connection,
  { maxMessage, offer, protocol }: Accepted
): NodeWS.WebSocket | undefined => {
  const handshake: Handshake = {
    method: "GET",
    headers: {
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": (request as Http.IncomingMessage).headers["sec-websocket-key"],
      "sec-websocket-protocol": protocol,
      "sec-websocket-extensions": offer
    },
    lines: headers.map(([name, value]) => `${name}: ${value}`)
  }
  let opened: NodeWS.WebSocket | undefined
  const rest = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  // Of a request it reads the method and the headers.
  const asked = handshake as unknown as Http.IncomingMessage
  serverOf(maxMessage).handleUpgrade(asked, socket as Duplex, rest, (socket) => {
    opened = socket
    socket.on("ping", ponger(socket))
    if (offer !== undefined) allowLongFrames(socket, maxMessage)
  })
  return opened
}

// What cannot be compressed gets longer by it: by a seventh at most (deflateBound of zlib), and by five bytes with each flush. `ws` holds
// the frames to the limit too; here it is held to when the message is whole.
const allowLongFrames = (opened: NodeWS.WebSocket, maxMessage: number): void => {
  const { _receiver } = opened as unknown as Internals
  _receiver._maxPayload = maxMessage + (maxMessage >> 2) + 1024
}

/** A socket that counts its bytes, as Node's do. */
interface Counting extends Duplex {
  readonly bytesRead: number
  readonly bytesWritten: number
}

const wire = (opened: NodeWS.WebSocket, connection: Connection, maxMessage: number): Wire => {
  const socket = connection.socket as Counting
  const [readBefore, writtenBefore] = [socket.bytesRead - connection.head.byteLength, socket.bytesWritten]
  let release: (() => void) | undefined
  return {
    protocol: opened.protocol,
    send: sender(opened, socket),
    buffered: () => opened.bufferedAmount,
    received: () => socket.bytesRead - readBefore,
    sent: () => socket.bytesWritten - writtenBefore,
    taken: () => progress(socket),
    ping: () => {
      if (opened.readyState === opened.OPEN) opened.ping()
    },
    close: (code, reason) => {
      if (isSendable(code)) opened.close(code, reason)
      else opened.close()
    },
    terminate: () => opened.terminate(),
    pause: () => {
      opened.pause()
      if (opened.extensions !== "" && !socket.destroyed) release ??= Deflate.hold(opened, socket)
    },
    resume: () => {
      release?.()
      release = undefined
      opened.resume()
    },
    listen: (listener) => listen(opened, socket, maxMessage, listener)
  }
}

// While the kernel takes no more, what it takes then the peer has taken before. In memory a piece of 64 KiB is on its way.
const progress = (socket: Counting): number | undefined => {
  const below = taken(socket)
  if (below !== undefined) return below.waiting === 0 ? undefined : below.bytes
  return socket.writableLength <= 64 * 1024 ? undefined : socket.bytesWritten
}

/** What of `ws` is not in its types: its receiver tells of a close frame, or of the end of what comes, before the connection closes. */
interface Internals {
  readonly _receiver: {
    _maxPayload: number
    readonly on: (event: "conclude" | "finish", f: (code?: number, reason?: Buffer) => void) => void
  }
}

const listen = (opened: NodeWS.WebSocket, socket: Duplex, maxMessage: number, listener: Listener): void => {
  let isOver = false
  socket.on("data", () => listener.alive())
  opened.on("message", (data: Buffer, isBinary: boolean) => {
    if (isOver) return
    if (data.length <= maxMessage) return listener.message(isBinary ? data : data.toString("utf8"))
    isOver = true
    opened.close(1009)
    listener.ending(1009, "Max payload size exceeded")
  })
  // What the peer did wrong: `ws` has answered with its close code.
  opened.on("error", (error: NodeJS.ErrnoException) => listener.ending(faults[error.code ?? ""] ?? 1002, error.message))
  const { _receiver } = opened as unknown as Internals
  for (const event of ["conclude", "finish"] as const) {
    _receiver.on(event, (code = 1006, reason) => listener.ending(code, reason?.toString("utf8") ?? ""))
  }
  opened.on("close", (code: number, reason: Buffer) => listener.close(code, reason.toString("utf8")))
}

// The close codes that `ws` answers with where it is not 1002.
const faults: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  Z_DATA_ERROR: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009
}

/** So many pongs may wait for a peer that pings and does not read; then the last ping alone is answered (§5.5.3). */
const mostPongs = 64

const ponger = (opened: NodeWS.WebSocket) => {
  let waiting = 0
  let last: Buffer | undefined
  const left = () => {
    waiting--
    if (last === undefined || opened.readyState !== opened.OPEN) return
    const data = last
    last = undefined
    pong(data)
  }
  const pong = (data: Buffer): void => {
    if (opened.readyState !== opened.OPEN) return
    if (waiting >= mostPongs) last = data
    else {
      waiting++
      opened.pong(data, false, left)
    }
  }
  return pong
}
