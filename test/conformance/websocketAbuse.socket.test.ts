/**
 * WebSocket clients that misbehave: whatever they do, the server logs nothing, and its fibers, connections and memory return to where
 * they were.
 *
 * `FUZZ_SEED` and `FUZZ_COUNT` run other cases, and more of them.
 */
import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Route from "../../src/Route.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import { ask, BINARY, CLOSE, CONTINUATION, frame, PING, TEXT, upgrade } from "../frames.ts"
import * as Seeded from "../seeded.ts"
import { until } from "../server/both.ts"
import { start } from "../server/started.ts"
import * as Fuzzing from "./fuzzing.ts"
import { recorder } from "./table.ts"

const { count, seed } = Fuzzing.cases(600)

let handlers = 0
const counted = <E, R>(run: Effect.Effect<unknown, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => handlers++),
    () => run,
    () => Effect.sync(() => handlers--)
  )

const options: WebSocket.Options = { maxMessage: "64 KiB", sendBuffer: "64 KiB", closeTimeout: "500 millis" }

const app = App.make({
  echo: Route.websocket(
    "/echo",
    WebSocket.raw(options, (socket) => counted(Stream.runForEach(socket.messages, socket.send)))
  ),
  push: Route.websocket(
    "/push",
    WebSocket.raw(options, (socket) =>
      counted(Effect.forever(Effect.andThen(socket.send("x".repeat(2000)), Effect.yieldNow)))
    )
  ),
  idle: Route.websocket(
    "/idle",
    // Who does not read is told of the end by a ping that cannot be sent, when more has come than is taken unread.
    WebSocket.raw({ ...options, heartbeat: "200 millis" }, () =>
      counted(Effect.andThen(Effect.forkChild(Effect.never), Effect.never))
    )
  )
})

interface Case {
  readonly path: string
  readonly headers?: { readonly [name: string]: string }
  readonly bytes: Uint8Array
  /** Whether it reads what comes. */
  readonly reads: boolean
  /** How it goes: at once, with a FIN, or when the server has closed. */
  readonly leaves: "destroy" | "end" | "wait"
}

const part = { fin: false } as const
const many = (count: number, one: Uint8Array): Buffer => Buffer.concat(Array.from({ length: count }, () => one))
const deflate = { "Sec-WebSocket-Extensions": "permessage-deflate" }

const cases: Readonly<Record<string, (random: Seeded.Seeded) => Case>> = {
  "comes and goes": () => ({ path: "/idle", bytes: Buffer.alloc(0), reads: false, leaves: "destroy" }),
  "comes and ends": () => ({ path: "/push", bytes: Buffer.alloc(0), reads: true, leaves: "end" }),
  "sends garbage": (random) => ({
    path: "/echo",
    bytes: Buffer.from(Array.from({ length: 200 }, () => random.below(256))),
    reads: true,
    leaves: "end"
  }),
  "sends compressed garbage": (random) => ({
    path: "/echo",
    headers: deflate,
    bytes: frame(TEXT, Buffer.from(Array.from({ length: 200 }, () => random.below(256))), { rsv: 4 }),
    reads: true,
    leaves: "end"
  }),
  "sends too much": () => ({ path: "/echo", bytes: frame(BINARY, Buffer.alloc(70_000)), reads: true, leaves: "wait" }),
  "says too much": () => ({
    path: "/echo",
    bytes: frame(BINARY, "a", { length: { form: 64, value: 2n ** 62n } }),
    reads: true,
    leaves: "wait"
  }),
  "pings and reads nothing": () => ({
    path: "/idle",
    bytes: many(5000, frame(PING, "p")),
    reads: false,
    leaves: "destroy"
  }),
  "sends and reads nothing": () => ({
    path: "/echo",
    bytes: many(300, frame(TEXT, "m".repeat(1000))),
    reads: false,
    leaves: "destroy"
  }),
  "sends many small pieces and no end": () => ({
    path: "/echo",
    bytes: Buffer.concat([frame(TEXT, "a", part), many(3000, frame(CONTINUATION, "a", part))]),
    reads: true,
    leaves: "destroy"
  }),
  "sends half a frame": () => ({
    path: "/echo",
    bytes: frame(TEXT, "half").subarray(0, 7),
    reads: true,
    leaves: "end"
  }),
  "sends to who does not read": () => ({
    path: "/idle",
    bytes: many(5000, frame(TEXT, "nobody reads me")),
    reads: true,
    leaves: "destroy"
  }),
  "closes and stays": () => ({ path: "/push", bytes: frame(CLOSE), reads: true, leaves: "wait" })
}

/** Runs a case; ends when its connection has closed on both sides. */
const run = (port: number, { bytes, headers, leaves, path, reads }: Case, cut: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const socket = Net.connect(port, "127.0.0.1")
    const all = Buffer.concat([Buffer.from(ask(path, headers)), bytes])
    socket.on("connect", () => {
      socket.write(all.subarray(0, cut), () => {
        if (leaves === "destroy") setImmediate(() => socket.destroy())
        if (leaves === "end") socket.end()
      })
    })
    if (reads) socket.resume()
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.void))
  })

let fibers = 0
const counter: Metric.FiberRuntimeMetricsService = {
  recordFiberStart: () => void fibers++,
  recordFiberEnd: () => void fibers--
}

describe("whatever clients do", () => {
  it.live(
    "the server keeps nothing, and logs nothing",
    () => {
      const { layer, lines } = recorder()
      return Effect.gen(function* () {
        const random = Seeded.make(seed)
        const { connect, server } = yield* start(app)
        const port = server.addresses[0]?.port ?? 0
        const names = Object.keys(cases)
        const one = (index: number) =>
          Effect.suspend(() => {
            const made = (cases[names[index % names.length] as string] as (random: Seeded.Seeded) => Case)(random)
            // One in ten is cut off somewhere.
            const isCut = made.leaves !== "wait" && random.chance(0.1)
            return run(port, made, isCut ? 1 + random.below(300) : Number.POSITIVE_INFINITY)
          })
        const some = (count: number) =>
          Effect.forEach(
            Array.from({ length: count }, (_, index) => index),
            one,
            { concurrency: 16, discard: true }
          )
        const settled = until(() => server.connections() === 0 && handlers === 0)
        yield* some(count / 3)
        yield* settled
        const before = { fibers, heap: yield* Fuzzing.memory }
        yield* some(count)
        yield* settled
        const after = { fibers, heap: yield* Fuzzing.memory }
        assert.strictEqual(after.fibers, before.fibers)
        assert.isBelow(after.heap - before.heap, 4 * 1024 * 1024)
        assert.deepStrictEqual(lines, [])
        const raw = yield* upgrade(yield* connect, "/echo")
        yield* raw.send(frame(TEXT, "still there"))
        yield* raw.until("still there")
        assert.isAbove(fibers, before.fibers)
      }).pipe(Effect.scoped, Effect.provide(layer), Effect.provideService(Metric.FiberRuntimeMetrics, counter))
    },
    60_000
  )
})
