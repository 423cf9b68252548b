/**
 * Writes messages to a connection of `ws`: each in one piece, and those of one tick together.
 *
 * ```ts
 * const send = sender(webSocket, socket)
 * send("hello", left) // true: it has left, and `left` is not called
 * ```
 *
 * By itself `ws` writes a head and a body for each message, and has each told when it has left: half of what a small one costs.
 */
import type { Duplex } from "node:stream"
import type * as NodeWS from "@effect/platform-node/NodeWS"
import type { Wire } from "../../../internal/webSocket/wire.ts"
import * as Deflate from "./deflate.ts"

const nothing = Buffer.alloc(0)
const resolved = Promise.resolve()

// Those that were written to again in this tick; their writes wait for its end.
let corked: Array<Duplex> = []
let tick = 0
let isCounting = false

const endTick = (): void => {
  tick++
  isCounting = false
  const all = corked
  corked = []
  for (const socket of all) socket.uncork()
}

/** Sends the messages of a connection, in their order. */
export const sender = (opened: NodeWS.WebSocket, socket: Duplex): Wire["send"] => {
  let written = -1
  return (message, done) => {
    // The end is about to be told.
    if (opened.readyState !== opened.OPEN) return false
    const frame = Deflate.frameOf(opened, message)
    if (frame === undefined) {
      Deflate.send(opened, message, done)
      return false
    }
    if (socket.writableLength > 0) {
      socket.write(frame, done)
      return false
    }
    if (written === tick) {
      socket.cork()
      corked.push(socket)
      socket.write(frame, done)
      return false
    }
    written = tick
    if (!isCounting) {
      isCounting = true
      resolved.then(endTick)
    }
    socket.write(frame)
    if (socket.writableLength === 0) return true
    // Behind it.
    socket.write(nothing, done)
    return false
  }
}
