/**
 * WebSocket frames as bytes, right and wrong ones, and the frames of a server read strictly (RFC 6455 §5.2).
 */
import { createHash } from "node:crypto"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Testing from "../src/testing/Testing.ts"
import * as Wire from "./conformance/wire.ts"

/** What is in a frame. */
export interface Options {
  readonly fin?: boolean
  /** RSV1 is 4, RSV2 is 2, RSV3 is 1. */
  readonly rsv?: number
  /** False for a frame that is not masked, as a client's must be. */
  readonly mask?: boolean
  /** The length that it says, where it is not that of the payload; 126 and 127 are followed by the longer form. */
  readonly length?: { readonly form: 7 | 16 | 64; readonly value: bigint }
}

export const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10] as const

const key = Buffer.from([0x11, 0x22, 0x33, 0x44])

/** The bytes of a frame. */
export const frame = (opcode: number, payload: string | Uint8Array = "", options: Options = {}): Buffer => {
  const { fin = true, mask = true, rsv = 0 } = options
  const data = Buffer.from(payload as string)
  const { form, value } = options.length ?? {
    form: data.length < 126 ? 7 : data.length < 65_536 ? 16 : 64,
    value: BigInt(data.length)
  }
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  head[1] = (mask ? 0x80 : 0) | (form === 7 ? Number(value) : form === 16 ? 126 : 127)
  if (form === 16) head.writeUInt16BE(Number(value), 2)
  if (form === 64) head.writeBigUInt64BE(value, 2)
  if (!mask) return Buffer.concat([head, data])
  return Buffer.concat([head, key, data.map((byte, index) => byte ^ (key[index % 4] as number))])
}

/** The payload of a close frame. */
export const closing = (code: number, reason: string | Uint8Array = ""): Buffer => {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return Buffer.concat([head, Buffer.from(reason as string)])
}

/** A frame of the server. */
export interface Frame {
  readonly fin: boolean
  readonly rsv: number
  readonly opcode: number
  readonly payload: Buffer
}

/** All frames in the bytes; fails when they are none, or masked. */
export const frames = (bytes: Buffer): ReadonlyArray<Frame> => {
  const found: Array<Frame> = []
  let at = 0
  while (at < bytes.length) {
    const [first = 0, second = 0] = bytes.subarray(at)
    assert.strictEqual(second & 0x80, 0, "a server does not mask")
    const short = second & 0x7f
    const size = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    const start = at + size
    if (bytes.length < start + length) throw new Error(`Half a frame: ${bytes.subarray(at).toString("hex")}`)
    found.push({
      fin: (first & 0x80) !== 0,
      rsv: (first & 0x70) >> 4,
      opcode: first & 0x0f,
      payload: bytes.subarray(start, start + length)
    })
    at = start + length
  }
  return found
}

/** Frames for the eye: `text "abc"`, `close 1000 bye`, `pong ""`. */
export const shown = (all: ReadonlyArray<Frame>): ReadonlyArray<string> =>
  all.map(({ fin, opcode, payload, rsv }) => {
    const marks = `${fin ? "" : " unfinished"}${rsv === 0 ? "" : ` rsv ${rsv}`}`
    if (opcode === CLOSE) {
      return payload.length === 0 ? "close" : `close ${payload.readUInt16BE()} ${payload.subarray(2)}`.trimEnd() + marks
    }
    const name = { 1: "text", 2: "binary", 9: "ping", 10: "pong" }[opcode] ?? `opcode ${opcode}`
    return `${name} ${opcode === BINARY ? payload.toString("hex") : JSON.stringify(payload.toString())}${marks}`
  })

const nonce = "dGhlIHNhbXBsZSBub25jZQ=="

/** The head of a request for a WebSocket; a header of the same name takes the place of the usual one. */
export const ask = (path: string, changes: { readonly [name: string]: string | undefined } = {}): string => {
  const headers = {
    Host: "a",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": nonce,
    ...changes
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`
}

/** What the server has to answer to the usual key. */
export const accepted: string = createHash("sha1")
  .update(`${nonce}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest("base64")

/** A raw connection behind its handshake. */
export interface Raw extends Wire.Wire {
  /** The head of the 101. */
  readonly head: string
  /** All frames that come until the connection ends. */
  readonly last: Effect.Effect<ReadonlyArray<string>>
}

/** Opens a WebSocket by hand. */
export const open = (
  client: Pick<Testing.Client, "connect">,
  path: string,
  changes: { readonly [name: string]: string | undefined } = {}
): Effect.Effect<Raw, never, Scope.Scope> => Effect.flatMap(Wire.open(client), (wire) => upgrade(wire, path, changes))

/** Makes the handshake on a connection. */
export const upgrade = (
  wire: Wire.Wire,
  path: string,
  changes: { readonly [name: string]: string | undefined } = {}
): Effect.Effect<Raw> =>
  Effect.gen(function* () {
    yield* wire.send(ask(path, changes))
    const head = yield* wire.until("\r\n\r\n")
    assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
    const last = Effect.map(wire.closed, (text) => shown(frames(Buffer.from(text, "latin1"))))
    return { ...wire, head, last }
  })
