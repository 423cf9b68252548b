/**
 * Peers that take their messages more slowly than they are made: what each policy does, and that memory stays bounded.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as App from "../src/App.ts"
import * as Route from "../src/Route.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { both, standstill, until } from "./server/both.ts"

/** What the last handler has done; each test begins with none. */
const seen = { sent: 0, most: 0, dropped: 0, failure: "" }
const reset = () => Object.assign(seen, { sent: 0, most: 0, dropped: 0, failure: "" })

const kilobyte = "k".repeat(1000)
const numbered = (count: number) => `${count} ${kilobyte}`
const total = 20_000

/** Sends as fast as it may: 20 MB. */
const flood = (slow: WebSocket.Slow) =>
  WebSocket.raw({ slow, sendBuffer: "64 KiB", compress: false, heartbeat: false }, (socket) =>
    Effect.gen(function* () {
      for (let count = 0; count < total; count++) {
        yield* socket.send(numbered(count))
        seen.sent++
        seen.most = Math.max(seen.most, yield* socket.buffered)
        seen.dropped = yield* socket.dropped
      }
    }).pipe(Effect.tapError(({ message }) => Effect.sync(() => Object.assign(seen, { failure: message }))))
  )

const app = App.make({
  suspend: Route.websocket("/suspend", flood("suspend")),
  dropOldest: Route.websocket("/drop-oldest", flood("dropOldest")),
  disconnect: Route.websocket("/disconnect", flood("disconnect")),
  conflate: Route.websocket(
    "/conflate",
    flood({
      conflate: (message) => {
        const count = Number(String(message).split(" ")[0])
        // The last is no state.
        return count === total - 1 ? undefined : count % 10
      }
    })
  ),
  many: Route.websocket(
    "/many",
    WebSocket.raw({ sendBuffer: "64 KiB", compress: false, heartbeat: false }, (socket) =>
      Effect.forEach(
        Array.from({ length: 200 }, (_, count) => count),
        (count) =>
          Effect.gen(function* () {
            for (let index = 0; index < 20; index++) yield* socket.send(`${count}:${index} ${kilobyte}`)
          }),
        { concurrency: "unbounded" }
      )
    )
  )
})

const limit = 64 * 1024

both("send suspends at the limit, and goes on when the peer reads", app, ({ client }) =>
  Effect.gen(function* () {
    reset()
    const peer = yield* client.webSocket("/suspend", { compress: false })
    yield* peer.pause
    yield* standstill(() => seen.sent)
    const stopped = seen.sent
    assert.isBelow(stopped, total)
    assert.isAtMost(seen.most, limit + 1100)
    yield* peer.resume
    for (let count = 0; count < total; count++) {
      assert.strictEqual(String(yield* peer.receive).split(" ")[0], String(count))
    }
    assert.strictEqual(seen.sent, total)
    assert.isAtMost(seen.most, limit + 1100)
    assert.strictEqual(seen.dropped, 0)
  })
)

both("a sender that waits fails when the peer leaves", app, ({ client, logs }) =>
  Effect.gen(function* () {
    reset()
    const peer = yield* client.webSocket("/suspend", { compress: false })
    yield* peer.pause
    yield* standstill(() => seen.sent)
    yield* peer.destroy
    yield* until(() => seen.failure !== "")
    assert.deepStrictEqual([seen.failure, logs], ["The connection broke", []])
  })
)

both("all who wait go on, each in its own order", app, ({ client }) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/many", { compress: false })
    const next = new Map<string, number>()
    for (let count = 0; count < 4000; count++) {
      const [sender = "", index] = String(yield* peer.receive).split(/[: ]/)
      assert.strictEqual(Number(index), next.get(sender) ?? 0)
      next.set(sender, Number(index) + 1)
    }
    assert.strictEqual(next.size, 200)
  })
)

both("dropOldest never waits, and keeps the newest", app, ({ client }) =>
  Effect.gen(function* () {
    reset()
    const peer = yield* client.webSocket("/drop-oldest", { compress: false })
    yield* peer.pause
    yield* until(() => seen.sent === total)
    assert.isAtMost(seen.most, limit + 1100)
    assert.isAbove(seen.dropped, 0)
    yield* peer.resume
    const came: Array<number> = []
    while (came.at(-1) !== total - 1) came.push(Number(String(yield* peer.receive).split(" ")[0]))
    assert.lengthOf(came, total - seen.dropped)
    assert.deepStrictEqual(
      came,
      came.toSorted((a, b) => a - b)
    )
    // The newest, as many as the buffer's limit holds, were there without a gap.
    assert.deepStrictEqual(
      came.slice(-55),
      Array.from({ length: 55 }, (_, index) => total - 55 + index)
    )
    assert.deepInclude(yield* peer.closed, { code: 1000 })
  })
)

both("conflate keeps the newest of each key, and what has none", app, ({ client }) =>
  Effect.gen(function* () {
    reset()
    const peer = yield* client.webSocket("/conflate", { compress: false })
    yield* peer.pause
    yield* until(() => seen.sent === total)
    yield* peer.resume
    const came: Array<number> = []
    while (came.at(-1) !== total - 1) came.push(Number(String(yield* peer.receive).split(" ")[0]))
    assert.lengthOf(came, total - seen.dropped)
    assert.sameMembers(
      came.slice(-11),
      Array.from({ length: 11 }, (_, index) => total - 11 + index)
    )
  })
)

both("disconnect closes with 1008, and its sender fails", app, ({ client, logs }) =>
  Effect.gen(function* () {
    reset()
    const peer = yield* client.webSocket("/disconnect", { compress: false })
    yield* peer.pause
    yield* until(() => seen.failure !== "")
    assert.isAtMost(seen.most, limit + 1100)
    yield* peer.resume
    assert.deepInclude(yield* peer.closed, { code: 1008, reason: "Messages are taken too slowly" })
    assert.deepStrictEqual([seen.failure, logs], ["The WebSocket is closed: 1008 Messages are taken too slowly", []])
  })
)

both("a handler that reads nothing stops its peer", app, ({ client }) =>
  Effect.gen(function* () {
    let left = 0
    const peer = yield* client.webSocket("/suspend", { compress: false })
    yield* peer.pause
    const sending = yield* Effect.forkChild(
      Effect.forever(Effect.tap(peer.send("x".repeat(10_000)), () => Effect.sync(() => void left++)))
    )
    yield* standstill(() => left)
    // A socket has buffers of its own on both sides.
    assert.isBelow(left * 10_000, 20_000_000)
    yield* Fiber.interrupt(sending)
  })
)
