/**
 * Random and mutated bytes on connections: whatever comes, the server answers or closes, logs nothing, and keeps nothing.
 *
 * `FUZZ_SEED` and `FUZZ_COUNT` run other cases, and more of them.
 */
import * as Net from "node:net"
import * as V8 from "node:v8"
import * as Vm from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Seeded from "../seeded.ts"
import { get, until } from "../server/both.ts"
import { start } from "../server/started.ts"
import { app } from "./app.ts"
import { mutated } from "./mutations.ts"
import { recorder } from "./table.ts"

const seed = Number(process.env.FUZZ_SEED ?? 1)
const count = Number(process.env.FUZZ_COUNT ?? 4000)

/** What happened on a connection: what came back, or why there was none. */
const sent = (port: number, pieces: ReadonlyArray<Buffer>, leaves: boolean): Effect.Effect<string> =>
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
      else if (leaves) socket.destroy()
      else socket.end()
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

const heap = Effect.callback<number>((resume) => {
  collect()
  setImmediate(() => {
    collect()
    resume(Effect.succeed(process.memoryUsage().heapUsed))
  })
})

describe("whatever comes", () => {
  it.live(
    "the server answers or closes, logs nothing, and keeps nothing",
    () => {
      const { layer, lines } = recorder()
      return Effect.gen(function* () {
        const random = Seeded.make(seed)
        const { connect, server } = yield* start(app, { requestTimeout: "2 seconds", headersTimeout: "2 seconds" })
        const port = server.addresses[0]?.port ?? 0
        const one = Effect.suspend(() => {
          const { pieces, shown } = mutated(random)
          return Effect.map(sent(port, pieces, random.chance(0.1)), (answer) => {
            assert.notStrictEqual(answer, "hang", shown)
            for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
              assert.isTrue(Number(status) < 500 || status === "501" || status === "505", `${status} for ${shown}`)
            }
          })
        })
        const many = (count: number) =>
          Effect.forEach(Array.from({ length: count }), () => one, { concurrency: 16, discard: true })
        yield* many(count / 4)
        const before = yield* heap
        yield* many(count)
        yield* until(() => server.connections() === 0)
        const after = yield* heap
        assert.isBelow(after - before, 8 * 1024 * 1024)
        assert.deepStrictEqual(lines, [])
        const wire = yield* connect
        yield* wire.send(get("/"))
        assert.strictEqual((yield* wire.answer()).body.toString(), "home")
      }).pipe(Effect.scoped, Effect.provide(layer))
    },
    3_600_000
  )
})
