/**
 * Messages: typed both ways, malformed ones, compressed ones; none is lost between readers.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { frame, open, TEXT } from "./frames.ts"
import { both, turns, until } from "./server/both.ts"

/** What happened, in order; each test begins with none. */
const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))

const Move = Schema.Struct({ at: Schema.Date, to: Schema.Number })
const Answer = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Moved"), at: Schema.Date }),
  Schema.Struct({ _tag: Schema.Literal("Sum"), sum: Schema.BigInt })
])

const typed = WebSocket.make({ receive: Move, send: Answer }, (socket) =>
  Stream.runForEach(socket.messages, ({ at, to }) =>
    Effect.andThen(socket.send({ _tag: "Moved", at }), socket.send({ _tag: "Sum", sum: BigInt(to) }))
  )
)

const tolerant = WebSocket.make({ receive: Schema.Finite, send: Schema.String }, (socket) =>
  Effect.forever(
    socket.receive.pipe(
      Effect.matchEffect({
        onSuccess: (value) => socket.send(`got ${value}`),
        onFailure: (error) =>
          error.reason === "malformed" ? socket.send(`${error.code}: ${error.message}`) : Effect.fail(error)
      })
    )
  )
)

/** Begins anew with the stream after each malformed message. */
const stubborn = WebSocket.make({ receive: Schema.Number, send: Schema.String }, (socket) => {
  const rest: Effect.Effect<void, WebSocket.WebSocketError> = Effect.catchTag(
    Stream.runForEach(socket.messages, (value) => note(`got ${value}`)),
    "WebSocketError",
    (error) => (error.reason === "malformed" ? Effect.andThen(note(String(error.code)), rest) : Effect.fail(error))
  )
  return rest
})

/** Reversed bytes: a codec of one's own. */
const reversed: WebSocket.Codec = {
  schema: (schema) => schema,
  encode: (encoded) => new TextEncoder().encode(String(encoded)).reverse(),
  decode: (data) => {
    if (typeof data === "string") throw new Error("text")
    return new TextDecoder().decode(Uint8Array.from(data).reverse())
  }
}

interface Tree extends ReadonlyArray<Tree> {}
const Tree: Schema.Codec<Tree> = Schema.Array(Schema.suspend(() => Tree))

const echo = (options: WebSocket.Options) =>
  WebSocket.raw(options, (socket) => Stream.runForEach(socket.messages, socket.send))

const app = App.make({
  typed: Route.websocket("/typed", typed),
  tolerant: Route.websocket("/tolerant", tolerant),
  stubborn: Route.websocket("/stubborn", stubborn),
  own: Route.websocket(
    "/own",
    WebSocket.make({ receive: Schema.String, send: Schema.String, codec: reversed }, (socket) =>
      Stream.runForEach(socket.messages, socket.send)
    )
  ),
  wrong: Route.websocket(
    "/wrong",
    WebSocket.make({ receive: Schema.Number, send: Schema.Number }, (socket) =>
      Effect.flatMap(socket.receive, (value) => socket.send(`not ${value}` as never))
    )
  ),
  echo: Route.websocket("/echo", echo({})),
  tree: Route.websocket(
    "/tree",
    WebSocket.make({ receive: Tree, send: Tree }, (socket) => Stream.runForEach(socket.messages, () => note("tree")))
  ),
  first: Route.websocket(
    "/first",
    WebSocket.raw({}, (socket) =>
      Effect.gen(function* () {
        yield* Effect.sleep("10 millis")
        yield* Stream.runForEach(Stream.take(socket.messages, 2), (message) => note(`stream ${message}`))
        yield* note(`receive ${yield* socket.receive}`)
        yield* Stream.runForEach(Stream.take(socket.messages, 1), (message) => note(`stream ${message}`))
      })
    )
  ),
  cancelled: Route.websocket(
    "/cancelled",
    WebSocket.raw({}, (socket) =>
      Effect.gen(function* () {
        const waiting = yield* Effect.forkChild(socket.receive, { startImmediately: true })
        yield* socket.send("waiting")
        yield* turns
        yield* Fiber.interrupt(waiting)
        yield* socket.send("cancelled")
        yield* Stream.runForEach(socket.messages, socket.send)
      })
    )
  ),
  two: Route.websocket(
    "/two",
    WebSocket.raw({}, (socket) => {
      const reader = Stream.runForEach(socket.messages, (message) => note(`got ${message}`))
      return Effect.all([reader, reader], { concurrency: 2 })
    })
  )
})

served("messages are decoded and encoded by their schemas", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/typed")
    yield* peer.send('{"at":"2026-01-02T03:04:05.000Z","to":7}')
    assert.deepStrictEqual(JSON.parse(String(yield* peer.receive)), { _tag: "Moved", at: "2026-01-02T03:04:05.000Z" })
    assert.deepStrictEqual(JSON.parse(String(yield* peer.receive)), { _tag: "Sum", sum: "7" })
    assert.deepInclude(yield* peer.close(), { code: 1005 })
  })
)

const malformed = [
  ["bytes", Uint8Array.of(1), 1003, "Expected a text message, got a binary one"],
  ["no JSON", "{", 1007, "The message is not JSON"],
  ["another shape", '{"at":"2026-01-02T03:04:05.000Z"}', 1008, 'Invalid message: Missing key\n  at ["to"]']
] as const

for (const [name, message, code, reason] of malformed) {
  both(`a message that is ${name} closes with ${code}`, app, ({ client, logs }) =>
    Effect.gen(function* () {
      const peer = yield* client.webSocket("/typed")
      yield* peer.send(message)
      assert.deepInclude(yield* peer.closed, { code, reason })
      assert.deepStrictEqual(logs, [])
    })
  )
}

both("a message that is nested too deeply for its recursive schema closes with 1008", app, ({ client, logs }) =>
  Effect.gen(function* () {
    events.length = 0
    const peer = yield* client.webSocket("/tree")
    yield* peer.send("[[],[[]]]")
    yield* until(() => events.includes("tree"))
    yield* peer.send("[".repeat(100_000) + "]".repeat(100_000))
    assert.deepInclude(yield* peer.closed, { code: 1008, reason: "Invalid message: nested too deeply" })
    assert.deepStrictEqual(logs, [])
  })
)

served("receiving goes on after a malformed message", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/tolerant")
    for (const message of ["1", "x", '"a"', "2"]) yield* peer.send(message)
    yield* peer.send(Uint8Array.of(1))
    const answers = yield* Effect.all(Array.from({ length: 5 }, () => peer.receive))
    assert.deepStrictEqual(answers, [
      '"got 1"',
      '"1007: The message is not JSON"',
      '"1008: Invalid message: Expected number"',
      '"got 2"',
      '"1003: Expected a text message, got a binary one"'
    ])
  })
)

both("what comes behind a malformed message is not lost to the next reader", app, ({ client }) =>
  Effect.gen(function* () {
    events.length = 0
    const raw = yield* open(client, "/stubborn")
    yield* raw.send(Buffer.concat(["1", "x", "2", "3", "y", "4"].map((text) => frame(TEXT, text))))
    yield* until(() => events.length === 6)
    assert.deepStrictEqual(events, ["got 1", "1007", "got 2", "got 3", "1007", "got 4"])
  })
)

both("what a stream has not taken is there for the next reader", app, ({ client }) =>
  Effect.gen(function* () {
    events.length = 0
    const raw = yield* open(client, "/first")
    yield* raw.send(Buffer.concat(["1", "2", "3", "4"].map((text) => frame(TEXT, text))))
    yield* until(() => events.length === 4)
    assert.deepStrictEqual(events, ["stream 1", "stream 2", "receive 3", "stream 4"])
  })
)

served("a reader that is interrupted takes no message away", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/cancelled")
    assert.deepStrictEqual([yield* peer.receive, yield* peer.receive], ["waiting", "cancelled"])
    yield* peer.send("still here")
    assert.strictEqual(yield* peer.receive, "still here")
  })
)

both("two readers share the messages, and both end", app, ({ client }) =>
  Effect.gen(function* () {
    events.length = 0
    const peer = yield* client.webSocket("/two")
    for (let count = 0; count < 10; count++) yield* peer.send(String(count))
    yield* peer.close()
    yield* until(() => events.length === 10)
    assert.sameMembers(
      events,
      Array.from({ length: 10 }, (_, count) => `got ${count}`)
    )
  })
)

both("a codec of one's own, which throws for what it cannot read: 1007", app, ({ client, logs }) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/own")
    yield* peer.send(Buffer.from("abc"))
    assert.deepStrictEqual(Buffer.from((yield* peer.receive) as Uint8Array).toString(), "abc")
    yield* peer.send("text")
    assert.deepInclude(yield* peer.closed, { code: 1007, reason: "The message cannot be decoded" })
    assert.deepStrictEqual(logs, [])
  })
)

both("a message that is not what the endpoint sends is a defect: 1011", app, ({ client, logs }) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/wrong")
    yield* peer.send("1")
    assert.deepInclude(yield* peer.closed, { code: 1011, reason: "" })
    assert.deepStrictEqual(logs, ["Error The handler of a WebSocket died (GET /wrong)"])
  })
)

served("text and bytes stay what they are, compressed both ways or not", app, (client) =>
  Effect.gen(function* () {
    for (const compress of [true, false]) {
      const peer = yield* client.webSocket("/echo", { compress })
      assert.strictEqual(peer.extensions, compress ? "permessage-deflate" : "")
      for (const message of ["", "a", "é".repeat(5000), Buffer.alloc(0), Buffer.alloc(70_000, 7)]) {
        yield* peer.send(message)
        const answer = yield* peer.receive
        assert.deepStrictEqual(typeof answer === "string" ? answer : Buffer.from(answer), message)
      }
    }
  })
)

served("ten thousand messages arrive in order", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/echo")
    const sending = yield* Effect.forkChild(
      Effect.forEach(
        Array.from({ length: 10_000 }, (_, count) => count),
        (count) => peer.send(String(count))
      )
    )
    for (let count = 0; count < 10_000; count++) assert.strictEqual(yield* peer.receive, String(count))
    yield* Fiber.join(sending)
  })
)
