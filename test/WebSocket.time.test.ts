/**
 * Heartbeats and timeouts, to the millisecond: the clock is the test's, in memory and on a socket.
 */
import type { Duplex } from "node:stream"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import type { Peer } from "../src/testing/WebSocketClient.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { ask, CLOSE, closing, frame, TEXT } from "./frames.ts"
import { standstill, turns, until } from "./server/both.ts"

/** What happened, in order; each test begins with none. */
const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))

type Run = (socket: WebSocket.Socket<WebSocket.Data, WebSocket.Data>) => Effect.Effect<unknown, WebSocket.Closing>

const push: Run = (socket) =>
  Effect.onInterrupt(Effect.andThen(socket.send("ready"), Effect.never), () => note("interrupted"))

let flooded = 0
const flood: Run = (socket) =>
  Effect.forever(
    Effect.andThen(
      socket.send("x".repeat(60_000)),
      Effect.sync(() => flooded++)
    )
  ).pipe(Effect.onExit(() => note("over")))

const pieces = 800
const bulk: Run = (socket) =>
  Effect.gen(function* () {
    yield* socket.receive
    yield* Effect.replicateEffect(socket.send("x".repeat(60_000)), pieces)
    yield* Effect.forkDetach(Effect.flatMap(socket.closed, ({ code }) => note(`closed ${code}`)))
  })

const read: Run = (socket) =>
  Effect.andThen(
    socket.send("ready"),
    Stream.runForEach(socket.messages, (message) => note(`got ${message}`))
  ).pipe(Effect.tapError((error) => note("message" in error ? `failed: ${error.message}` : "failed")))

const app = App.make({
  push: Route.websocket("/push", WebSocket.raw({}, push)),
  quick: Route.websocket("/quick", WebSocket.raw({ heartbeat: "1 second" }, push)),
  flood: Route.websocket("/flood", WebSocket.raw({ compress: false, sendBuffer: "256 KiB" }, flood)),
  bulk: Route.websocket(
    "/bulk",
    WebSocket.raw({ compress: false, heartbeat: false, sendBuffer: "64 MiB", closeTimeout: "2 seconds" }, bulk)
  ),
  off: Route.websocket("/off", WebSocket.raw({ heartbeat: false }, push)),
  read: Route.websocket("/read", WebSocket.raw({ receiveTimeout: "3 seconds", heartbeat: false }, read)),
  again: Route.websocket(
    "/again",
    WebSocket.raw({ receiveTimeout: "3 seconds" }, (socket) =>
      Effect.gen(function* () {
        yield* socket.send("ready")
        yield* Effect.catchTag(socket.receive, "WebSocketError", ({ reason, code }) => note(`${reason} ${code}`))
        yield* note(`got ${yield* socket.receive}`)
      })
    )
  ),
  slow: Route.websocket(
    "/slow",
    WebSocket.raw({}, (socket) =>
      Effect.andThen(
        socket.send("ready"),
        Stream.runForEach(socket.messages, (message) =>
          Effect.andThen(Effect.sleep("30 seconds"), note(`got ${message}`))
        )
      )
    )
  ),
  closes: Route.websocket(
    "/closes",
    WebSocket.raw({ closeTimeout: "2 seconds", heartbeat: false }, (socket) =>
      Effect.gen(function* () {
        yield* socket.send("ready")
        yield* socket.receive
        yield* note(`closed ${(yield* socket.close()).code}`)
      })
    )
  ),
  lingers: Route.websocket(
    "/lingers",
    WebSocket.raw({ closeTimeout: "2 seconds", heartbeat: false }, (socket) =>
      Effect.andThen(
        socket.send("ready"),
        Effect.andThen(
          Stream.runDrain(socket.messages),
          Effect.andThen(
            note("reading ended"),
            Effect.onInterrupt(Effect.never, () => note("interrupted"))
          )
        )
      )
    )
  )
})

/** Moves the clock when all that is on its way has arrived, and waits for what follows. */
const pass = (time: string | number) => Effect.andThen(turns, Effect.andThen(TestClock.adjust(time as number), turns))

const ready = (peer: Peer) =>
  Effect.gen(function* () {
    events.length = 0
    assert.strictEqual(yield* peer.receive, "ready")
  })

const pinged = (peer: Peer, count: number) =>
  Effect.gen(function* () {
    yield* turns
    assert.strictEqual(yield* peer.pings, count)
  })

served("a ping goes out after 30 seconds of silence, and the answer is a sign of life", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/push")
    yield* ready(peer)
    yield* pass(29_999)
    yield* pinged(peer, 0)
    yield* pass(1)
    yield* pinged(peer, 1)
    yield* pass(29_999)
    yield* pinged(peer, 1)
    yield* pass(1)
    yield* pinged(peer, 2)
    for (let count = 0; count < 40; count++) yield* pass("15 seconds")
    yield* pinged(peer, 22)
    assert.deepStrictEqual(events, [])
    yield* peer.close()
  })
)

served("a peer that is silent for half of it more is cut off", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/push", { answerPings: false })
    yield* ready(peer)
    yield* pass(44_999)
    yield* pinged(peer, 1)
    assert.deepStrictEqual(events, [])
    yield* pass(1)
    yield* until(() => events.length > 0)
    assert.deepStrictEqual(events, ["interrupted"])
    assert.deepInclude(yield* peer.closed, { code: 1006 })
  })
)

const signs = [
  ["a message", (peer: Peer) => peer.send("a")],
  ["a ping of its own", (peer: Peer) => peer.ping()],
  ["the first byte of a frame", (peer: Peer) => peer.write(Uint8Array.of(0x81))]
] as const

for (const [name, give] of signs) {
  served(`${name} is a sign of life`, app, (client) =>
    Effect.gen(function* () {
      const peer = yield* client.webSocket("/push", { answerPings: false })
      yield* ready(peer)
      yield* pass(20_000)
      yield* give(peer)
      yield* pass(29_999)
      yield* pinged(peer, 0)
      yield* pass(1)
      yield* pinged(peer, 1)
      yield* pass(14_999)
      assert.deepStrictEqual(events, [])
      yield* pass(1)
      yield* until(() => events.length > 0)
      assert.deepStrictEqual(events, ["interrupted"])
    })
  )
}

served("a byte behind the ping is a sign of life", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/push", { answerPings: false })
    yield* ready(peer)
    yield* pass(44_000)
    yield* peer.send("a")
    yield* pass(29_999)
    yield* pinged(peer, 1)
    yield* pass(1)
    yield* pinged(peer, 2)
    assert.deepStrictEqual(events, [])
  })
)

served("a peer that reads nothing and never closes is cut off", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/quick")
    yield* ready(peer)
    yield* peer.pause
    yield* pass(1499)
    assert.deepStrictEqual(events, [])
    yield* pass(1)
    yield* until(() => events.length > 0)
    assert.deepStrictEqual(events, ["interrupted"])
  })
)

served("a peer that takes what waits for it is alive, though the ping waits behind it", app, (client) =>
  Effect.gen(function* () {
    events.length = 0
    const peer = yield* client.webSocket("/flood", { compress: false, answerPings: false })
    yield* peer.pause
    yield* standstill(() => flooded)
    for (let count = 0; count < 8; count++) {
      yield* pass("15 seconds")
      const before = yield* peer.waiting
      yield* peer.resume
      // Three megabytes: what one kernel has of them makes room in the other.
      while ((yield* peer.waiting) < before + 50 && events.length === 0) yield* turns
      yield* peer.pause
      yield* standstill(() => flooded)
    }
    assert.deepStrictEqual(events, [])
    for (let count = 0; count < 4; count++) yield* pass("15 seconds")
    yield* until(() => events.length > 0)
  })
)

served("without a heartbeat nothing is sent", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/off", { answerPings: false })
    yield* ready(peer)
    yield* pass("1 day")
    yield* pinged(peer, 0)
    assert.deepStrictEqual(events, [])
  })
)

served("a peer is not taken for dead while a slow handler reads nothing", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/slow")
    yield* ready(peer)
    for (let count = 0; count < 100; count++) yield* peer.send(String(count))
    // Longer steps would leave a socket no time to answer a ping.
    for (let count = 0; count < 200; count++) yield* pass("15 seconds")
    yield* until(() => events.length === 100)
    assert.strictEqual(events.at(-1), "got 99")
    yield* peer.close()
  })
)

served("a handler that waits too long for a message fails, and closes with 3008", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/read")
    yield* ready(peer)
    yield* pass(2999)
    yield* peer.send("a")
    yield* until(() => events.length === 1)
    yield* pass(2999)
    assert.deepStrictEqual(events, ["got a"])
    yield* pass(1)
    assert.deepInclude(yield* peer.closed, { code: 3008, reason: "Nothing was received in time" })
    assert.deepStrictEqual(events, ["got a", "failed: Nothing was received in time"])
  })
)

served("a handler can receive on after a timeout", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/again")
    yield* ready(peer)
    yield* pass(3000)
    yield* until(() => events.length === 1)
    yield* peer.send("late")
    assert.deepInclude(yield* peer.closed, { code: 1000 })
    assert.deepStrictEqual(events, ["timeout 3008", "got late"])
  })
)

served("a peer that does not answer a close frame is cut off after the close timeout", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/closes")
    yield* ready(peer)
    yield* peer.pause
    yield* peer.send("go")
    yield* pass(1999)
    assert.deepStrictEqual(events, [])
    yield* pass(1)
    yield* until(() => events.length === 1)
    assert.deepStrictEqual(events, ["closed 1006"])
  })
)

/** Reads so many bytes from a connection, and no more than a chunk above that. */
const readFrom = Effect.fnUntraced(function* (socket: Duplex, wanted: number) {
  let got = 0
  while (got < wanted && !socket.destroyed) {
    const chunk: Buffer | null = socket.read()
    got += chunk?.length ?? 0
    if (chunk === null) yield* turns
  }
  return got
})

for (const isTaking of [true, false]) {
  const ending = isTaking ? "is waited for" : "is cut off when it stops"
  served(`a peer that goes on taking what waits when its connection closes ${ending}`, app, (client) =>
    Effect.gen(function* () {
      events.length = 0
      const socket = yield* client.connect
      yield* Effect.sync(() => socket.write(Buffer.concat([Buffer.from(ask("/bulk")), frame(TEXT, "go")])))
      let got = 0
      for (let count = 0; count < 4; count++) {
        got += yield* readFrom(socket, 4_000_000)
        yield* pass(1999)
      }
      assert.deepStrictEqual(events, [])
      if (isTaking) {
        yield* Effect.sync(() => socket.write(frame(CLOSE, closing(1000))))
        got += yield* readFrom(socket, Number.POSITIVE_INFINITY)
        assert.isAbove(got, pieces * 60_000)
      } else for (let count = 0; count < 5; count++) yield* pass("2 seconds")
      yield* until(() => events.length > 0)
      assert.deepStrictEqual(events, [isTaking ? "closed 1000" : "closed 1006"])
    })
  )
}

served("a handler that does not end after its peer has left is interrupted after the close timeout", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/lingers")
    yield* ready(peer)
    yield* peer.close()
    yield* until(() => events.length === 1)
    yield* pass(1999)
    assert.deepStrictEqual(events, ["reading ended"])
    yield* pass(1)
    yield* until(() => events.length === 2)
    assert.deepStrictEqual(events, ["reading ended", "interrupted"])
  })
)
