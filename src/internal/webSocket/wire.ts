/**
 * A WebSocket connection as the session needs it, whoever speaks the protocol: `ws` on a server, the browser's own in a client.
 *
 * ```ts
 * const wire = (yield* Acceptor).accept(connection, { protocol: "chat.v2", offer: undefined, maxMessage: 4096 })
 * ```
 */
import * as Context from "effect/Context"
import type { Connection } from "../exchange/takeover.ts"

/** A message on the wire: text or bytes. */
export type Data = string | Uint8Array

/** A frame that is ready for every receiver, by whether it takes compressed ones: encoded once for all members of a room. */
export interface Prepared {
  /** The message itself, for receivers that need a frame of their own. */
  readonly message: Data
  readonly bytes: number
  readonly plain: Uint8Array
  /** Made when the first receiver wants it; undefined where it is not worth it. */
  readonly compressed: () => Uint8Array | undefined
}

/** What a connection tells. */
export interface Listener {
  readonly message: (data: Data) => void
  /** Bytes have come, of whatever kind. */
  readonly alive: () => void
  /** No more messages come: the peer's close frame is there, or it broke the protocol. `close` follows. */
  readonly ending: (code: number, reason: string) => void
  /** Once, at the end: the close code of the peer, 1005 when it gave none, 1006 when the connection broke. */
  readonly close: (code: number, reason: string) => void
}

/** An open connection. */
export interface Wire {
  /** The subprotocol; "" for none. */
  readonly protocol: string
  /** Writes a message: true where it has left; else `done` is called later, when it has, or with an error when it never will. */
  readonly send: (message: Data | Prepared, done: (error?: unknown) => void) => boolean
  /** The bytes that were sent and have not left. */
  readonly buffered: () => number
  /** The bytes that have come and gone since it was opened, as far as that is known. */
  readonly received: () => number
  readonly sent: () => number
  /** The bytes that have gone to the peer, where more wait for it to take these; undefined where none wait, or nobody knows. */
  readonly taken: () => number | undefined
  /** Undefined where the engine has no pings. */
  readonly ping: (() => void) | undefined
  /** Begins to close; a code that may not be sent is left out. */
  readonly close: (code: number, reason: string) => void
  readonly terminate: () => void
  readonly pause: () => void
  readonly resume: () => void
  /** To be called once, before anything can have come. */
  readonly listen: (listener: Listener) => void
}

/** How a handshake ends. */
export interface Accepted {
  readonly protocol: string | undefined
  /** The offer of permessage-deflate that is taken; undefined for no compression. */
  readonly offer: string | undefined
  /** The most bytes of a message, decompressed; exactly so many are accepted, more are 1009. */
  readonly maxMessage: number
}

/** Opens the connection that a request has asked for; undefined when the client has left. */
export type Accept = (connection: Connection, accepted: Accepted) => Wire | undefined

/** Makes a frame for many receivers. */
export type Prepare = (message: Data) => Prepared

/** What an engine has for WebSockets; undefined for one that cannot hand over its connections. */
export const Acceptor = Context.Reference<{ readonly accept: Accept; readonly prepare: Prepare } | undefined>(
  "effect-web/WebSocketAcceptor",
  { defaultValue: () => undefined }
)
