/**
 * WebSockets on Node, spoken by `ws`.
 *
 * ```ts
 * Context.add(base, Acceptor, NodeWebSocket.acceptor)
 * ```
 *
 * Its limits are set so that whatever a peer may send within the size of a message passes: `ws` cuts off a message of more than 16,384
 * fragments unless told otherwise.
 *
 * @spec RFC 6455; RFC 7692
 */
import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import * as Zlib from "node:zlib"
import * as NodeWS from "@effect/platform-node/NodeWS"
import { isSendable } from "../../internal/webSocket/failure.ts"
import type { Accept, Data, Listener, Prepare, Prepared, Wire } from "../../internal/webSocket/wire.ts"

const deflate = {
  // Below it compression costs more than it saves.
  threshold: 1024,
  // A context for each connection would be 64 KiB of memory each, and a frame could not be made once for many.
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  concurrencyLimit: 8
}

const servers = new Map<string, NodeWS.WebSocketServer>()

// One for each way to treat connections; it follows none of them, so that it holds nothing.
const serverOf = (maxPayload: number, compress: boolean): NodeWS.WebSocketServer => {
  const key = `${maxPayload} ${compress}`
  const found = servers.get(key)
  if (found !== undefined) return found
  const made = new NodeWS.WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload,
    maxFragments: 131_072,
    maxBufferedChunks: 1024 * 1024,
    perMessageDeflate: compress ? deflate : false,
    // Chosen before: it is the first and only one that is offered here.
    handleProtocols: (_, request) => chosen.get(request) ?? false
  } as NodeWS.ServerOptions)
  made.on("headers", (lines, request) => lines.push(...(extra.get(request) ?? [])))
  servers.set(key, made)
  return made
}

const chosen = new WeakMap<Http.IncomingMessage, string>()
const extra = new WeakMap<Http.IncomingMessage, ReadonlyArray<string>>()

/** Opens the connection; undefined when the client has left, or asked for extensions in a way that nobody understands (400). */
export const accept: Accept = (connection, { compress, maxMessage, protocol }) => {
  const request = connection.request as Http.IncomingMessage
  const socket = connection.socket as Duplex
  if (protocol !== undefined) chosen.set(request, protocol)
  if (connection.headers.length > 0) {
    extra.set(
      request,
      connection.headers.map(([name, value]) => `${name}: ${value}`)
    )
  }
  let opened: NodeWS.WebSocket | undefined
  const head = Buffer.from(connection.head.buffer, connection.head.byteOffset, connection.head.byteLength)
  serverOf(maxMessage, compress).handleUpgrade(request, socket, head, (socket) => {
    opened = socket
  })
  return opened === undefined ? undefined : wire(opened, socket)
}

/** What of `ws` is not in its types: the sender, which makes frames, and writes those that are made. */
interface Internals {
  readonly _sender: { readonly sendFrame: (list: ReadonlyArray<Uint8Array>, done: () => void) => void }
}
interface Sender {
  readonly frame: (data: Uint8Array, options: object) => ReadonlyArray<Uint8Array>
}
const { Sender } = NodeWS as unknown as { readonly Sender: Sender }

const wire = (opened: NodeWS.WebSocket, socket: Duplex): Wire => ({
  protocol: opened.protocol,
  send: (message, done) => {
    if (opened.readyState !== opened.OPEN) return done()
    if (typeof message === "string" || message instanceof Uint8Array) opened.send(message, done)
    else {
      const isCompressed = opened.extensions !== ""
      const frame = (isCompressed ? message.compressed() : undefined) ?? message.plain
      ;(opened as unknown as Internals)._sender.sendFrame([frame], done)
    }
  },
  buffered: () => opened.bufferedAmount,
  received: () => (socket as { readonly bytesRead?: number }).bytesRead ?? 0,
  ping: () => {
    if (opened.readyState === opened.OPEN) opened.ping()
  },
  close: (code, reason) => {
    if (isSendable(code)) opened.close(code, reason)
    else opened.close()
  },
  terminate: () => opened.terminate(),
  pause: () => opened.pause(),
  resume: () => opened.resume(),
  listen: (listener) => listen(opened, listener)
})

const listen = (opened: NodeWS.WebSocket, listener: Listener): void => {
  opened.on("message", (data: Buffer, isBinary: boolean) => listener.message(isBinary ? data : data.toString("utf8")))
  // What the peer did wrong: `ws` has answered with its close code.
  opened.on("error", () => {})
  opened.on("close", (code: number, reason: Buffer) => listener.close(code, reason.toString("utf8")))
}

/** Makes the frame of a message for many receivers. */
export const prepare: Prepare = (message: Data): Prepared => {
  const payload = typeof message === "string" ? Buffer.from(message) : message
  const opcode = typeof message === "string" ? 1 : 2
  const plain = frame(payload, opcode, false)
  let compressed: Uint8Array | undefined
  return {
    bytes: plain.length,
    plain,
    compressed: () => {
      if (payload.length < deflate.threshold) return undefined
      compressed ??= frame(deflated(payload), opcode, true)
      return compressed
    }
  }
}

const frame = (payload: Uint8Array, opcode: 1 | 2, rsv1: boolean): Uint8Array =>
  Buffer.concat(Sender.frame(payload, { fin: true, opcode, rsv1, mask: false, readOnly: true }))

// Without the four bytes at the end that every receiver puts back (RFC 7692 §7.2.1).
const deflated = (payload: Uint8Array): Uint8Array =>
  Zlib.deflateRawSync(payload, { finishFlush: Zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4)
