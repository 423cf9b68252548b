/**
 * permessage-deflate on Node: how connections compress, and frames that are compressed once for many receivers.
 *
 * ```ts
 * const prepared = prepare("to all")
 * sendPrepared(webSocket, prepared, done)
 * ```
 *
 * @spec RFC 7692 §7
 */
import * as Zlib from "node:zlib"
import * as NodeWS from "@effect/platform-node/NodeWS"
import type { Prepare, Prepared } from "../../internal/webSocket/wire.ts"

/** What `ws` is told. */
export const options = {
  // Below it compression costs more than it saves.
  threshold: 1024,
  // With a context for each connection a frame could not be made once for many.
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  concurrencyLimit: 8
}

/** What of `ws` is not in its types: the sender, which makes frames, writes those that are made, and says whether it is busy. */
interface Internals {
  readonly _sender: {
    readonly _state: number
    readonly sendFrame: (list: ReadonlyArray<Uint8Array>, done: (error?: unknown) => void) => void
  }
  readonly _extensions: {
    readonly "permessage-deflate"?: { readonly params: { readonly server_max_window_bits?: number } }
  }
}
interface Sender {
  readonly frame: (data: Uint8Array, options: object) => ReadonlyArray<Uint8Array>
}
const { Sender } = NodeWS as unknown as { readonly Sender: Sender }

/** Sends a frame that is made, in its turn. */
export const sendPrepared = (opened: NodeWS.WebSocket, prepared: Prepared, done: (error?: unknown) => void): void => {
  const { _extensions, _sender } = opened as unknown as Internals
  // It is compressing what was sent before: its queue keeps the order.
  if (_sender._state !== 0) opened.send(prepared.message, done)
  else {
    const params = _extensions["permessage-deflate"]?.params
    // A peer with a smaller window could not read it.
    const isReadable = params !== undefined && (params.server_max_window_bits ?? 15) === 15
    _sender.sendFrame([(isReadable ? prepared.compressed() : undefined) ?? prepared.plain], done)
  }
}

/** Makes the frame of a message for many receivers. */
export const prepare: Prepare = (message) => {
  const payload = typeof message === "string" ? Buffer.from(message) : message
  const opcode = typeof message === "string" ? 1 : 2
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

const frame = (payload: Uint8Array, opcode: 1 | 2, rsv1: boolean): Uint8Array =>
  Buffer.concat(Sender.frame(payload, { fin: true, opcode, rsv1, mask: false, readOnly: true }))

// Without the four bytes at the end that every receiver puts back (§7.2.1).
const deflated = (payload: Uint8Array): Uint8Array =>
  Zlib.deflateRawSync(payload, { finishFlush: Zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4)
