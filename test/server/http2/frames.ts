/**
 * HTTP/2 by hand: frames as bytes, and what a server says to them (RFC 9113 §4.1, §6; RFC 7541).
 */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Server from "../../../src/server/Server.ts"
import { until } from "../both.ts"

/** What begins a connection. */
export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

/** The types of frames. */
export const type = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9
}
export const endStream = 1
export const endHeaders = 4

/** A frame. */
export const frame = (kind: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = kind
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A number of four bytes. */
export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value, "latin1")
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let left = bytes.length - 127
  for (; left >= 128; left = left >> 7) length.push((left & 127) | 128)
  return Buffer.concat([Buffer.from([...length, left]), bytes])
}

/** A header block: literals that are never indexed, nothing compressed. */
export const block = (fields: ReadonlyArray<readonly [string, string]>): Buffer =>
  Buffer.concat(fields.map(([name, value]) => Buffer.concat([Buffer.from([0x10]), text(name), text(value)])))

/** The pseudo-header fields of a GET. */
export const get = (path = "/", method = "GET"): ReadonlyArray<readonly [string, string]> => [
  [":method", method],
  [":scheme", "http"],
  [":authority", "a"],
  [":path", path]
]

/** A head in one frame. */
export const head = (stream: number, fields: ReadonlyArray<readonly [string, string]>, flags = endStream): Buffer =>
  frame(type.headers, endHeaders | flags, stream, block(fields))

/** SETTINGS with pairs of an identifier and a value. */
export const settings = (...pairs: ReadonlyArray<readonly [number, number]>): Buffer =>
  frame(
    type.settings,
    0,
    0,
    Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), uint32(value)])))
  )

/** What the server sent. */
export interface Received {
  readonly kind: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** A connection. */
export interface Client {
  readonly socket: Net.Socket
  readonly send: (...frames: ReadonlyArray<Uint8Array>) => Effect.Effect<void>
  /** All frames so far. */
  readonly frames: () => ReadonlyArray<Received>
  /** Waits for a frame. */
  readonly wait: (isIt: (frame: Received) => boolean) => Effect.Effect<Received>
  /** What became of a stream: "200", "reset 8", "goaway 1" or "closed". */
  readonly outcome: (stream: number) => Effect.Effect<string>
  readonly isClosed: () => boolean
}

/** Connects, without a word. */
export const connect = ({ addresses }: Server.Server["Service"]): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => Net.connect(addresses[0]?.port ?? 0, "127.0.0.1")),
      (socket) => Effect.sync(() => socket.destroy())
    ),
    (socket) => {
      let bytes = Buffer.alloc(0)
      socket.on("data", (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk])
      })
      socket.on("error", () => {})
      const frames = () => parse(bytes)
      const find = (isIt: (frame: Received) => boolean) => frames().find(isIt)
      const closed = () => socket.destroyed || socket.readableEnded
      const ended = (stream: number) =>
        find(
          (frame) =>
            (frame.stream === stream && [type.headers, type.reset].includes(frame.kind)) || frame.kind === type.goaway
        )
      return {
        socket,
        send: (...all) => Effect.sync(() => void socket.write(Buffer.concat(all))),
        frames,
        wait: (isIt) =>
          Effect.map(
            until(() => find(isIt) !== undefined),
            () => find(isIt) as Received
          ),
        outcome: (stream) =>
          Effect.map(
            until(() => ended(stream) !== undefined || closed()),
            () => said(ended(stream))
          ),
        isClosed: closed
      }
    }
  )

/** Connects and says the preface. */
export const open = (server: Server.Server["Service"], ...first: ReadonlyArray<Uint8Array>) =>
  Effect.tap(connect(server), (client) => client.send(preface, settings(), ...first))

const parse = (bytes: Buffer): ReadonlyArray<Received> => {
  const all: Array<Received> = []
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3)
    if (at + 9 + length > bytes.length) break
    const payload = bytes.subarray(at + 9, at + 9 + length)
    all.push({
      kind: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      stream: bytes.readUInt32BE(at + 5),
      payload
    })
    at += 9 + length
  }
  return all
}

const said = (frame: Received | undefined): string => {
  if (frame === undefined) return "closed"
  const { kind, payload } = frame
  if (kind === type.headers) return status(payload)
  return kind === type.reset ? `reset ${payload.readUInt32BE(0)}` : `goaway ${payload.readUInt32BE(4)}`
}

const indexed: Readonly<Record<number, string>> = {
  8: "200",
  9: "204",
  10: "206",
  11: "304",
  12: "400",
  13: "404",
  14: "500"
}

// The first field of the first head on a connection: in the static table, or a literal with its name there.
const status = (payload: Buffer): string => {
  const first = payload[0] as number
  if (first >= 0x80) return indexed[first & 0x7f] ?? "?"
  const length = payload[1] as number
  const value = payload.subarray(2, 2 + (length & 0x7f))
  return length < 0x80 ? value.toString() : digits(value)
}

// Huffman: 0 to 2 have five bits, 3 to 9 have six (RFC 7541 Appendix B).
const digits = (value: Buffer): string => {
  const bits = Array.from(value, (byte) => byte.toString(2).padStart(8, "0")).join("")
  let found = ""
  for (let at = 0; at < bits.length - 4; ) {
    const short = Number.parseInt(bits.slice(at, at + 5), 2)
    if (short <= 2) found += short
    else if (bits.length - at >= 6) found += Number.parseInt(bits.slice(at, at + 6), 2) - 22
    at += short <= 2 ? 5 : 6
    if (found.length === 3) break
  }
  return found
}
