/**
 * The peer for tests: what it sees, and what it can do to a server.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import { CLOSE, frame, TEXT } from "../frames.ts"
import { turns } from "../server/both.ts"

const echo = WebSocket.raw({ protocols: ["chat"] }, (socket) => Stream.runForEach(socket.messages, socket.send))

const app = App.make({
  echo: Route.websocket("/echo", echo).pipe(Route.use(Middleware.onResponse(Response.setHeader("x-a", "1")))),
  greets: Route.websocket(
    "/greets",
    WebSocket.raw({}, (socket) => Effect.andThen(socket.send("hello"), socket.close(4000, "enough")))
  ),
  no: Route.get("/no", Effect.fail(new HttpError.Unauthorized({ text: "Log in first" }))),
  endless: Route.get("/endless", Response.stream(Stream.concat(Stream.make("one", "two"), Stream.never))),
  flood: Route.get("/flood", Response.stream(Stream.forever(Stream.make("x".repeat(16_384))))),
  late: Route.websocket(
    "/late",
    WebSocket.raw({}, (socket) => Effect.andThen(Effect.sleep("1 hour"), socket.send("at last")))
  )
})

served("it has the headers, the subprotocol and the extensions that were agreed on", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/echo", { protocols: ["other", "chat"], headers: { "x-b": "2" } })
    assert.deepStrictEqual([peer.headers["x-a"], peer.protocol, peer.extensions], ["1", "chat", "permessage-deflate"])
    const plain = yield* client.webSocket("/echo", { compress: false })
    assert.deepStrictEqual([plain.protocol, plain.extensions], ["", ""])
  })
)

served("what came before the end can be received behind it", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/greets")
    const { code, reason } = yield* peer.closed
    assert.deepStrictEqual([code, reason, yield* peer.waiting], [4000, "enough", 1])
    assert.strictEqual(yield* peer.receive, "hello")
    assert.deepInclude(yield* Effect.flip(peer.receive), { _tag: "WebSocketClosed", code: 4000 })
  })
)

served("who gets no WebSocket sees the answer", app, (client) =>
  Effect.gen(function* () {
    const { body, headers, status } = yield* Effect.flip(client.webSocket("/no"))
    assert.deepStrictEqual([status, JSON.parse(body).detail], [401, "Log in first"])
    assert.strictEqual(headers["content-type"], "application/problem+json")
    assert.strictEqual((yield* Effect.flip(client.webSocket("/echo", { origin: "http://evil.example" }))).status, 403)
    const none = yield* Effect.flip(client.webSocket("/greets", { protocols: ["chat"] }))
    assert.deepStrictEqual([none.status, none.body], [0, "Server sent no subprotocol"])
  })
)

served("who gets an answer without an end sees the beginning of it", app, (client) =>
  Effect.gen(function* () {
    const endless = yield* Effect.flip(client.webSocket("/endless"))
    assert.deepStrictEqual([endless.status, endless.body], [200, "onetwo"])
    const flood = yield* Effect.flip(client.webSocket("/flood"))
    assert.deepStrictEqual([flood.status, flood.body], [200, "x".repeat(65_536)])
  })
)

served("raw bytes are sent as they are", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/echo")
    yield* peer.write(Buffer.concat([frame(TEXT, "a", { fin: false }), frame(0, "b")]))
    assert.strictEqual(yield* peer.receive, "ab")
    yield* peer.write(frame(TEXT, "a", { mask: false }))
    assert.deepInclude(yield* peer.closed, { code: 1002 })
  })
)

served("a peer that has paused gets nothing, until it resumes", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/echo")
    yield* peer.pause
    yield* peer.send("a")
    yield* turns
    assert.strictEqual(yield* peer.waiting, 0)
    yield* peer.resume
    assert.strictEqual(yield* peer.receive, "a")
    yield* peer.write(frame(CLOSE))
    assert.deepInclude(yield* peer.closed, { code: 1005 })
  })
)

served("the time of the server is the test's", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/late")
    yield* turns
    // A ping is answered between the steps.
    for (let count = 0; count < 240; count++) yield* Effect.andThen(TestClock.adjust("15 seconds"), turns)
    assert.strictEqual(yield* peer.receive, "at last")
    assert.isAbove(yield* peer.pings, 0)
  })
)

served("a peer ends and breaks its connection", app, (client) =>
  Effect.gen(function* () {
    const ended = yield* client.webSocket("/echo")
    yield* ended.end
    assert.deepInclude(yield* ended.closed, { code: 1006 })
    const broken = yield* client.webSocket("/echo")
    yield* broken.destroy
    assert.deepInclude(yield* broken.closed, { code: 1006 })
    const closed = yield* client.webSocket("/echo")
    assert.deepInclude(yield* closed.close(4001, "bye"), { code: 4001, reason: "bye" })
  })
)
