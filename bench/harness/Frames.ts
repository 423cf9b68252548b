/** A WebSocket as its frames: a client that costs the load's core as little as it can, and offers no compression. */
import * as Net from "node:net"

export interface Connection {
  readonly write: (frame: Buffer) => void
  /** How many pings have come; each was answered. */
  readonly pings: () => number
}

export interface Listener {
  /** A text message has come. */
  readonly message: (payload: Buffer) => void
  /** The server has closed, or broken the protocol. */
  readonly ended: (reason: string) => void
}

const [text, close, ping, pong] = [0x81, 0x88, 0x89, 0x8a] // the last fragment of each

/** A frame as a client sends it: masked (RFC 6455 §5.3). */
export const masked = (payload: Buffer, opcode = text): Buffer => {
  const { length } = payload
  if (length > 65_535) throw new Error("the bench sends messages of at most 65,535 bytes")
  const size = length < 126 ? [length] : [126, length >> 8, length & 0xff]
  const key = [0x37, 0xfa, 0x21, 0x3d]
  const bytes = payload.map((byte, at) => byte ^ key[at % 4]!)
  return Buffer.from([opcode, 0x80 | size[0]!, ...size.slice(1), ...key, ...bytes])
}

/** Opens a WebSocket. Fails when it is refused. */
export const open = (url: string, { ended, message }: Listener): Promise<Connection> =>
  new Promise((resolve, reject) => {
    const { hostname, pathname, port } = new URL(url)
    const socket = Net.connect(Number(port), hostname)
    let pings = 0
    let rest: Buffer = Buffer.alloc(0)
    let isOpen = false
    const fail = (reason: string): void => {
      reject(new Error(reason))
      if (isOpen) ended(reason)
    }
    const took = (opcode: number, payload: Buffer): void => {
      if (opcode === text) message(payload)
      else if (opcode === ping) {
        pings++
        socket.write(masked(payload, pong))
      } else if (opcode === close) {
        socket.end()
        ended(`closed with ${payload.length < 2 ? 1005 : payload.readUInt16BE(0)}`)
      } else ended(`an unexpected frame that begins with ${opcode}`)
    }
    const opened = (head: string): void => {
      if (!head.startsWith("HTTP/1.1 101 ")) fail(`refused: ${head.split("\r\n")[0]}`)
      isOpen = true
      resolve({ write: (frame) => socket.write(frame), pings: () => pings })
    }
    socket.setNoDelay(true).on("data", (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      if (!isOpen) {
        const end = rest.indexOf("\r\n\r\n")
        if (end < 0) return
        opened(rest.toString("latin1", 0, end))
        rest = rest.subarray(end + 4)
      }
      rest = frames(rest, took)
    })
    socket.once("error", (error) => fail(error.message)).once("close", () => fail("the connection ended"))
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
  })

/** Hands over the whole frames and gives what is left. */
const frames = (bytes: Buffer, took: (opcode: number, payload: Buffer) => void): Buffer => {
  let at = 0
  while (bytes.length - at >= 2) {
    const short = bytes[at + 1]! // of a server: not masked; and what it was sent was shorter than 65,536
    if (short > 126) took(0, bytes)
    const start = at + (short === 126 ? 4 : 2)
    if (start > bytes.length) break
    const end = start + (short === 126 ? bytes.readUInt16BE(at + 2) : short)
    if (end > bytes.length) break
    took(bytes[at]!, bytes.subarray(start, end))
    at = end
  }
  return bytes.subarray(at)
}
