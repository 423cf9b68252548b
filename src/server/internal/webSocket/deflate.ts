/**
 * permessage-deflate on Node: how connections compress, and frames that are compressed once for many receivers.
 *
 * ```ts
 * const prepared = prepare("to all")
 * socket.write(frameOf(webSocket, prepared))
 * ```
 *
 * @spec RFC 7692 §7
 */
import type { Duplex } from "node:stream"
import * as Zlib from "node:zlib"
import * as NodeWS from "@effect/platform-node/NodeWS"
import type { Data, Prepare, Prepared } from "../../../internal/webSocket/wire.ts"

/** What `ws` is told. */
export const options = {
  // Below it compression costs more than it saves.
  threshold: 1024,
  // With a context for each connection a frame could not be made once for many.
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  concurrencyLimit: 8
}

// Opcodes (RFC 6455 §5.2)
const TEXT = 1
const BINARY = 2

/** What of `ws` is not in its types: the sender, which makes frames, and says whether it is busy; the receiver, which inflates them. */
interface Internals {
  readonly _receiver: { decompress: (data: Buffer, done: (error?: Error) => void) => void }
  readonly _sender: { readonly _state: number }
  readonly _extensions: {
    readonly "permessage-deflate"?: { readonly params: { readonly server_max_window_bits?: number } }
  }
}
interface Sender {
  readonly frame: (data: Uint8Array, options: object) => ReadonlyArray<Uint8Array>
}
const { Sender } = NodeWS as unknown as { readonly Sender: Sender }

/** Larger messages are not copied to stand behind their heads. */
const mostCopied = 16 * 1024

/**
 * While nothing is read, what has come compressed stays so: 64 KiB, which are read at once, can become 64 MiB. Gives how to go on, which
 * the end of the connection does too.
 */
export const hold = (opened: NodeWS.WebSocket, socket: Duplex): (() => void) => {
  const { _receiver: receiver } = opened as unknown as Internals
  const { decompress } = receiver
  let held: (() => void) | undefined
  receiver.decompress = (data, done) => {
    held = () => receiver.decompress(data, done)
  }
  const release = () => {
    socket.off("close", release)
    receiver.decompress = decompress
    held?.()
    held = undefined
  }
  socket.once("close", release)
  return release
}

/** The frame of a message in one piece; undefined where `ws` has to make it, as it compresses it or what was sent before. */
export const frameOf = (opened: NodeWS.WebSocket, message: Data | Prepared): Uint8Array | undefined => {
  const { _extensions, _sender } = opened as unknown as Internals
  if (_sender._state !== 0) return undefined
  const params = _extensions["permessage-deflate"]?.params
  const most = params === undefined ? mostCopied : options.threshold - 1
  if (typeof message === "string") {
    if (message.length > most) return undefined
    const bytes = Buffer.byteLength(message)
    if (bytes > 125) return bytes > most ? undefined : frame(Buffer.from(message), TEXT, false)
    const made = short(TEXT, bytes)
    made.write(message, 2)
    return made
  }
  if (message instanceof Uint8Array) {
    if (message.byteLength > 125) return message.byteLength > most ? undefined : frame(message, BINARY, false)
    const made = short(BINARY, message.byteLength)
    made.set(message, 2)
    return made
  }
  // A peer with a smaller window could not read it.
  const isReadable = params !== undefined && (params.server_max_window_bits ?? 15) === 15
  return (isReadable ? message.compressed() : undefined) ?? message.plain
}

/** Has `ws` make the frame. */
export const send = (opened: NodeWS.WebSocket, message: Data | Prepared, done: (error?: unknown) => void): void => {
  // As bytes: of text and bytes in one write Node makes a slower one.
  if (typeof message === "string") opened.send(Buffer.from(message), { binary: false }, done)
  else if (message instanceof Uint8Array) opened.send(message, done)
  else send(opened, message.message, done)
}

// A frame of up to 125 bytes that are still to be written behind its head.
const short = (opcode: number, bytes: number): Buffer => {
  const head = heads[opcode]?.[bytes]
  const made = Buffer.allocUnsafe(2 + bytes)
  made[0] = head?.[0] ?? 0
  made[1] = head?.[1] ?? 0
  return made
}

/** Makes the frame of a message for many receivers. */
export const prepare: Prepare = (message) => {
  const payload = typeof message === "string" ? Buffer.from(message) : message
  const opcode = typeof message === "string" ? TEXT : BINARY
  const plain = frame(payload, opcode, false)
  let compressed: Uint8Array | undefined
  return {
    message,
    bytes: plain.length,
    plain,
    compressed: () => {
      if (payload.length < options.threshold) return undefined
      compressed ??= frame(deflated(payload), opcode, true)
      return compressed
    }
  }
}

const frame = (payload: Uint8Array, opcode: number, rsv1: boolean): Uint8Array =>
  Buffer.concat(Sender.frame(payload, { fin: true, opcode, rsv1, mask: false, readOnly: true }))

// Most messages are short, and have one of few heads: those that `ws` makes.
const heads = [0, TEXT, BINARY].map((opcode) =>
  Array.from({ length: 126 }, (_, bytes) => frame(Buffer.alloc(bytes), opcode, false).subarray(0, 2))
)

// Without the four bytes at the end that every receiver puts back (§7.2.1).
const deflated = (payload: Uint8Array): Uint8Array =>
  Zlib.deflateRawSync(payload, { finishFlush: Zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4)
