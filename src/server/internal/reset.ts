/**
 * Breaks a connection off so that the other side sees it: by a reset, where there is such a thing.
 *
 * ```ts
 * reset(socket)
 * ```
 *
 * Node throws for TLS and for unix sockets, which are only closed: the end of TLS without its own word for it is no orderly one.
 *
 * @spec RFC 9112 §8; RFC 8446 §6.1
 */
import type { Duplex } from "node:stream"

interface Resettable {
  readonly encrypted?: boolean
  readonly remoteAddress?: string | undefined
  readonly resetAndDestroy?: () => unknown
}

/** Resets the connection, or closes it. */
export const reset = (socket: Duplex): void => {
  const { encrypted, remoteAddress, resetAndDestroy } = socket as Resettable
  // A unix socket has no address.
  if (encrypted === true || remoteAddress === undefined || resetAndDestroy === undefined) socket.destroy()
  else resetAndDestroy.call(socket)
}
