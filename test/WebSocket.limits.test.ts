/**
 * The limit of a message is that of what it says, however it comes: compression makes what it cannot compress longer.
 */
import * as Crypto from "node:crypto"
import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { BINARY, CLOSE, CONTINUATION, closing, frame, open, TEXT } from "./frames.ts"
import { both, until } from "./server/both.ts"

const events: Array<string> = []

const measure = (maxMessage?: number) =>
  WebSocket.raw(maxMessage === undefined ? {} : { maxMessage }, (socket) =>
    Stream.runForEach(socket.messages, (message) => {
      events.push(`got ${message.length}`)
      return socket.send(String(message.length))
    }).pipe(Effect.tapError(({ code, message }) => Effect.sync(() => void events.push(`${code} ${message}`))))
  )

const app = App.make({
  usual: Route.websocket("/", measure()),
  small: Route.websocket("/small", measure(1000)),
  tiny: Route.websocket("/tiny", measure(1))
})

const offer = { "Sec-WebSocket-Extensions": "permessage-deflate" }

/** What does not get shorter; `level` 0 stores it as it is, and 1 tries. */
const noise = (length: number, level: number, flushes = 1): Buffer => {
  const deflate = (bytes: Buffer) =>
    Zlib.deflateRawSync(bytes, { level, finishFlush: Zlib.constants.Z_SYNC_FLUSH, memLevel: 1 })
  const bytes = Crypto.randomBytes(length)
  const size = Math.ceil(length / flushes)
  const pieces = Array.from({ length: flushes }, (_, index) =>
    deflate(bytes.subarray(index * size, (index + 1) * size))
  )
  return Buffer.concat(pieces).subarray(0, -4)
}

const bye = frame(CLOSE, closing(1000))
const whole = (data: Buffer) => frame(BINARY, data, { rsv: 4 })
const halves = (data: Buffer) =>
  Buffer.concat([frame(BINARY, data.subarray(0, 500), { rsv: 4, fin: false }), frame(CONTINUATION, data.subarray(500))])

const accepted = [
  ["stored", "/small", whole(noise(1000, 0)), 1000],
  ["compressed in vain", "/small", whole(noise(1000, 1)), 1000],
  ["flushed twenty times", "/small", whole(noise(1000, 1, 20)), 1000],
  ["in two frames", "/small", halves(noise(1000, 0)), 1000],
  ["of one byte", "/tiny", whole(noise(1, 0)), 1],
  ["of 4 MiB", "/", whole(noise(4 * 1024 * 1024, 0)), 4 * 1024 * 1024]
] as const

for (const [name, path, bytes, length] of accepted) {
  both(`a message of exactly the limit is accepted though its frames are longer: ${name}`, app, ({ client }) =>
    Effect.gen(function* () {
      const raw = yield* open(client, path, offer)
      yield* raw.send(Buffer.concat([bytes, bye]))
      assert.deepStrictEqual(yield* raw.last, [`text "${length}"`, "close 1000"])
    })
  )
}

const refused = [
  ["stored", "/small", whole(noise(1001, 0))],
  ["in two frames", "/small", halves(noise(1001, 0))],
  ["not compressed", "/small", frame(BINARY, noise(1001, 0).subarray(0, 1001))],
  ["text that is not compressed", "/small", frame(TEXT, "é".repeat(501))],
  ["of one byte", "/tiny", whole(noise(2, 0))],
  ["of 4 MiB", "/", whole(noise(4 * 1024 * 1024 + 1, 0))]
] as const

for (const [name, path, bytes] of refused) {
  both(`a message of one byte more is 1009, and none after it is read: ${name}`, app, ({ client, logs }) =>
    Effect.gen(function* () {
      events.length = 0
      const raw = yield* open(client, path, offer)
      yield* raw.send(Buffer.concat([bytes, frame(TEXT, "a"), bye]))
      assert.deepStrictEqual(yield* raw.last, ["close 1009"])
      yield* until(() => events.length > 0)
      assert.deepStrictEqual(events, ["1009 The WebSocket is closed: 1009 Max payload size exceeded"])
      assert.deepStrictEqual(logs, [])
    })
  )
}

served("a client that compresses whatever it sends may send as much as one that does not", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/")
    yield* peer.send(Crypto.randomBytes(4 * 1024 * 1024))
    assert.strictEqual(yield* peer.receive, String(4 * 1024 * 1024))
  })
)

const many = 60
const megabyte = whole(
  Zlib.deflateRawSync(Buffer.alloc(1_048_576), { finishFlush: Zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4)
)
// Each time anew: in memory the server unmasks the bytes themselves.
const all = () => Buffer.concat(Array.from({ length: many }, () => megabyte))

const received = Effect.map(
  Metric.snapshot,
  (found) =>
    found.find(({ attributes, id }) => id === "websocket.messages" && attributes?.direction === "received")?.state
)

describe("what has come compressed is not inflated while nothing is read", () => {
  for (const [kind, connect] of [
    ["in memory", Testing.client],
    ["on a socket", Testing.socketClient]
  ] as const) {
    for (const isRead of [true, false]) {
      it.effect(`${kind}, and ${isRead ? "all of it is when it is" : "holds up no end"}`, () =>
        Effect.gen(function* () {
          const heard: Array<string> = []
          const gate = yield* Deferred.make<void>()
          const waits = WebSocket.raw({}, (socket) =>
            Effect.andThen(
              Deferred.await(gate),
              Stream.runForEach(socket.messages, ({ length }) => Effect.sync(() => void heard.push(`got ${length}`)))
            ).pipe(Effect.onExit(() => Effect.sync(() => void heard.push("over"))))
          )
          const routes = { waits: Route.websocket("/waits", waits), usual: Route.websocket("/", measure()) }
          const client = yield* connect(App.make(routes))
          const raw = yield* open(client, "/waits", offer)
          yield* raw.send(all())
          // Long enough: another connection has had as much meanwhile.
          const other = yield* open(client, "/", offer)
          yield* other.send(Buffer.concat([all(), bye]))
          assert.lengthOf(yield* other.last, many + 1)
          yield* TestClock.adjust("31 seconds")
          assert.deepInclude(yield* received, { count: many + 1 })
          if (isRead) yield* Deferred.succeed(gate, undefined)
          else yield* Effect.sync(() => raw.socket.destroy())
          if (isRead) yield* raw.send(bye)
          else yield* TestClock.adjust("1 minute")
          yield* until(() => heard.includes("over"))
          assert.lengthOf(heard, isRead ? many + 1 : 1)
        }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
      )
    }
  }
})
