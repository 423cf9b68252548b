/**
 * Carries bytes between two connections, both ways, after a change of protocol.
 *
 * ```ts
 * yield* Tunnel.run(connection, upstream, [["connection", "upgrade"], ["upgrade", "websocket"]])
 * ```
 *
 * Each side is read as fast as the other takes it. The end of one is the end of the other, and what breaks one off breaks off the
 * other. After the end of one the other may go on as long as its bytes flow: who has left for good looks no different. When the
 * server stops both are ended at once: what speaks through a tunnel has to know how to connect again.
 *
 * @spec RFC 9110 §7.8
 */
import type * as Net from "node:net"
import type { Duplex } from "node:stream"
import * as Effect from "effect/Effect"
import type { Connection } from "../../../internal/exchange/takeover.ts"
import { Draining } from "../../../internal/lifecycle/draining.ts"
import type { Lines } from "../../../internal/proxy/transport.ts"
import { reset } from "../reset.ts"
import { close } from "../Unread.ts"

/** Writes the head of the 101 and carries the bytes; ends when the client's side has closed. */
export const run = (connection: Connection, far: Duplex, lines: Lines): Effect.Effect<void> =>
  Effect.flatMap(Draining, (draining) => {
    // Only Node's engine makes such connections.
    const near = connection.socket as Net.Socket
    const end = Effect.sync(() => {
      near.end()
      far.end()
    })
    const ending = Effect.andThen(Effect.andThen(draining, end), Effect.never)
    const ways = [carry(near, far as Net.Socket, connection.head, lines), ending, silence(near, far as Net.Socket)]
    return Effect.raceAllFirst(ways)
  })

/** So long may nothing come after the end of one side. */
const patience = "10 seconds"

// Breaks off when nothing flows any more. What waits for the client is not lost on one who has left: it would have reset the connection.
const silence = (near: Net.Socket, far: Net.Socket): Effect.Effect<void> => {
  const halved = Effect.callback<void>((resume) => {
    const end = () => resume(Effect.void)
    if (near.readableEnded || far.readableEnded) end()
    near.once("end", end)
    far.once("end", end)
  })
  const look = (before: number): Effect.Effect<void> => {
    const bytes = near.bytesRead + far.bytesRead
    if (bytes === before && near.writableLength === 0) return Effect.sync(() => reset(far))
    return Effect.delay(
      Effect.suspend(() => look(bytes)),
      patience
    )
  }
  return Effect.andThen(
    halved,
    Effect.suspend(() => look(-1))
  )
}

const carry = (near: Net.Socket, far: Net.Socket, head: Uint8Array, lines: Lines): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")
    near.write(`HTTP/1.1 101 Switching Protocols\r\n${text}\r\n`, "latin1")
    if (head.length > 0) far.write(head)
    near.setKeepAlive?.(true, 60_000)
    near.once("close", () => {
      if (near.errored === null) far.destroy()
      else reset(far)
      resume(Effect.void)
    })
    far.once("close", () => {
      if (far.errored !== null) {
        reset(near)
        return
      }
      near.unpipe(far)
      near.resume()
      close(near)
    })
    near.pipe(far)
    far.pipe(near)
    return Effect.sync(() => far.destroy())
  })
