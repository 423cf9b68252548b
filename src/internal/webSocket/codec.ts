/**
 * Between the values of a program and the messages of a connection.
 *
 * ```ts
 * const { decode, encode } = compile(json, ClientMessage, ServerMessage)
 * ```
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { WebSocketError } from "./failure.ts"
import type { Data } from "./wire.ts"

/** The schema of a message; one that needs no services. */
export type Message<A> = Schema.ConstraintCodec<A, unknown>

/** How the encoded side of a schema becomes a message. `decode` throws, or gives a WebSocketError, for what is none. */
export interface Codec {
  /** The schema of what is encoded. */
  readonly schema: <A>(schema: Message<A>) => Message<A>
  readonly encode: (encoded: unknown) => Data
  readonly decode: (data: Data) => unknown
}

const malformed = (code: number, text: string, cause?: unknown): WebSocketError =>
  new WebSocketError({ reason: "malformed", code, text, ...(cause === undefined ? undefined : { cause }) })

/** JSON as text: the default. */
export const json: Codec = {
  schema: (schema) => Schema.toCodecJson(schema) as typeof schema,
  encode: (encoded) => JSON.stringify(encoded),
  decode: (data) => {
    if (typeof data !== "string") return malformed(1003, "Expected a text message, got a binary one")
    try {
      return JSON.parse(data)
    } catch {
      return malformed(1007, "The message is not JSON")
    }
  }
}

/** The encoded side is the message itself: strings are text, bytes are binary. */
export const plain: Codec = {
  schema: (schema) => schema,
  encode: (encoded) => {
    if (typeof encoded === "string" || encoded instanceof Uint8Array) return encoded
    throw new TypeError("A plain message is a string or a Uint8Array; use WebSocket.json for other values")
  },
  decode: (data) => data
}

/** A codec with its schemas. */
export interface Compiled<in out Receive, in out Send> {
  readonly decode: (data: Data) => Effect.Effect<Receive, WebSocketError>
  readonly encode: (message: Send) => Effect.Effect<Data>
  /** The way back of `encode`. */
  readonly decodeSent: (data: Data) => Effect.Effect<Send, WebSocketError>
}

/** Compiles a codec for what comes and what goes. A message that does not encode is a defect. */
export const compile = <Receive, Send>(
  codec: Codec,
  receive: Message<Receive>,
  send: Message<Send>
): Compiled<Receive, Send> => {
  const encoder = Schema.encodeEffect(codec.schema(send))
  return {
    decode: decoding(codec, receive),
    encode: (message) => Effect.mapEager(Effect.catchEager(encoder(message), Effect.die), codec.encode),
    decodeSent: decoding(codec, send)
  }
}

/** For messages that are what they are: nothing is looked at. */
export const asItIs: Compiled<Data, Data> = { decode: Exit.succeed, encode: Exit.succeed, decodeSent: Exit.succeed }

const decoding = <A>(codec: Codec, message: Message<A>): ((data: Data) => Effect.Effect<A, WebSocketError>) => {
  const decoder = Schema.decodeUnknownEffect(codec.schema(message))
  const read = (data: Data): unknown => {
    try {
      return codec.decode(data)
    } catch (cause) {
      return malformed(1007, "The message cannot be decoded", cause)
    }
  }
  return (data) => {
    const value = read(data)
    if (value instanceof WebSocketError) return Exit.fail(value)
    const decoded = decoder(value)
    if (!Exit.isExit(decoded)) return Effect.catchCause(decoded, refused)
    // The guard forgets the types of the effect that it narrows.
    const exit = decoded as Exit.Exit<A, Schema.SchemaError>
    return Exit.isSuccess(exit) ? Exit.succeed(exit.value) : refused(exit.cause)
  }
}

const refused = (cause: Cause.Cause<Schema.SchemaError>): Exit.Exit<never, WebSocketError> => {
  const found = Cause.findError(cause)
  if (Result.isSuccess(found)) {
    return Exit.fail(malformed(1008, `Invalid message: ${found.success.message}`, found.success))
  }
  // A recursive schema decodes by recursion, so that the depth of the message is what the stack bears.
  return found.failure.reasons.some((reason) => Cause.isDieReason(reason) && isOverflow(reason.defect))
    ? Exit.fail(malformed(1008, "Invalid message: nested too deeply"))
    : Exit.failCause(found.failure)
}

const isOverflow = (defect: unknown): boolean => defect instanceof RangeError && /call stack/.test(defect.message)
