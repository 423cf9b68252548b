/**
 * What the fuzz tests have in common: connections that are written to in pieces, and how much memory is in use.
 */
import * as Net from "node:net"
import * as V8 from "node:v8"
import * as Vm from "node:vm"
import * as Effect from "effect/Effect"
import type { Seeded } from "../seeded.ts"

/** Which cases are run, and how many: `FUZZ_SEED` and `FUZZ_COUNT`. */
export const cases = (count: number): { readonly seed: number; readonly count: number } => ({
  seed: Number(process.env.FUZZ_SEED ?? 1),
  count: Number(process.env.FUZZ_COUNT ?? count)
})

/** The pieces in which bytes are sent, mostly one, others of at most so many bytes; and how to show them. */
export const inPieces = (
  random: Seeded,
  bytes: Buffer,
  most: number
): { readonly pieces: ReadonlyArray<Buffer>; readonly shown: string } => {
  const pieces: Array<Buffer> = []
  for (let at = 0; at < bytes.length; ) {
    const size = random.chance(0.7) ? bytes.length : 1 + random.below(most)
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return { pieces, shown: JSON.stringify(bytes.toString("latin1").slice(0, 3000)) }
}

/** How a client goes: it closes its side, it destroys the connection, or it waits for the server. */
export type Leaving = "end" | "destroy" | "wait"

/** Sends the pieces; gives what came back until the connection closed, or "hang" when that took eight seconds. */
export const sent = (port: number, pieces: ReadonlyArray<Buffer>, leaving: Leaving): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    const socket = Net.connect(port, "127.0.0.1")
    const timer = setTimeout(() => {
      socket.destroy()
      resume(Effect.succeed("hang"))
    }, 8000)
    const next = (at: number): void => {
      if (socket.destroyed || !socket.writable) return
      if (at < pieces.length) socket.write(pieces[at] as Buffer, () => setImmediate(next, at + 1))
      else if (leaving === "destroy") socket.destroy()
      else if (leaving === "end") socket.end()
    }
    socket.on("connect", () => next(0))
    socket.on("data", (chunk) => chunks.push(chunk))
    // A reset is what a client gets that goes on sending after it was refused.
    socket.on("error", () => {})
    socket.on("close", () => {
      clearTimeout(timer)
      resume(Effect.succeed(Buffer.concat(chunks).toString("latin1")))
    })
  })

V8.setFlagsFromString("--expose-gc")
const collect = Vm.runInNewContext("gc") as () => void

/** The bytes in use, buffers included, when all garbage is collected. */
export const memory = Effect.callback<number>((resume) => {
  collect()
  setImmediate(() => {
    collect()
    const { arrayBuffers, heapUsed } = process.memoryUsage()
    resume(Effect.succeed(heapUsed + arrayBuffers))
  })
})
