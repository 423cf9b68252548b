/**
 * How much of what was written to a connection has left the process. Node does not say: these are libuv's counts.
 *
 * ```ts
 * const before = taken(socket)?.bytes
 * const hasMoved = taken(socket)?.bytes !== before
 * ```
 */
import type { Duplex } from "node:stream"

interface Handle {
  readonly bytesWritten: number
  readonly writeQueueSize: number
}

/** A connection that may count. */
export interface Counting extends Duplex {
  readonly bytesWritten?: number | undefined
  readonly _handle?: (Handle & { readonly _parent?: Handle }) | null
}

/** The bytes that the connection holds no more. Through TLS a write counts when it has left as a whole. */
export const departed = ({ _handle: handle, bytesWritten = 0, writableLength }: Counting): number =>
  handle ? handle.bytesWritten - handle.writeQueueSize : bytesWritten - writableLength

/** What the kernel has taken, and what waits for it: of TLS the connection below knows. Undefined where there is no kernel. */
export const taken = ({ _handle }: Counting): { readonly bytes: number; readonly waiting: number } | undefined => {
  const handle = _handle?._parent ?? _handle
  if (!handle) return undefined
  return { bytes: handle.bytesWritten - handle.writeQueueSize, waiting: handle.writeQueueSize }
}
