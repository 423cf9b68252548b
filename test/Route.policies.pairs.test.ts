/**
 * Policies together with what stands beside them: sessions, files, WebSockets, streams, views, described routes and foreign handlers.
 */
import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Deadline from "../src/Deadline.ts"
import * as Compression from "../src/middleware/Compression.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Session from "../src/Session.ts"
import { served } from "../src/testing/Served.ts"
import type * as Testing from "../src/testing/Testing.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { turns, until } from "./server/both.ts"

class Visit extends Session.Service<Visit>()("test/Visit", { fields: { count: Schema.Int }, empty: { count: 0 } }) {}

const count = Effect.gen(function* () {
  const visit = yield* Visit
  const { count } = yield* visit.update(({ count }) => ({ count: count + 1 }))
  return Response.text(`${count}`)
})
const shown = Effect.map(Deadline.remaining, (left) => (left === undefined ? "none" : Duration.format(left)))
const show = Effect.map(shown, (text) => Response.text(text))
const ended: Array<string> = []
const echo = WebSocket.raw({}, (socket) =>
  Stream.runForEach(socket.messages, socket.send).pipe(Effect.ensuring(Effect.sync(() => void ended.push("ended"))))
)
const socket = (path: string) =>
  Route.websocket(path, echo).pipe(
    Route.timeout("5 seconds"),
    Route.onDisconnect("finish"),
    Route.concurrency({ limit: 1, queue: 0 })
  )

const app = App.make({
  count: Route.get("/count", count),
  file: Route.get("/file", Response.file(new URL("./Route.policies.pairs.test.ts", import.meta.url).pathname)),
  stream: Route.get("/stream", Response.stream(Stream.fromEffect(shown))),
  view: Route.view("/view", { get: show, post: show }),
  described: Route.get("/described", { success: Response.schema(Schema.String) }, shown),
  foreign: Route.mountHandler(
    "/foreign",
    Effect.map(shown, (text) => HttpServerResponse.text(text))
  ),
  echo: socket("/echo")
}).pipe(
  App.use(Session.make(Visit, { store: RecordStore.memory() })),
  App.use(Compression.make()),
  App.policy(Route.timeout("5 seconds")),
  App.policy(Route.onDisconnect("finish"))
)

const text = (client: Testing.Client, path: string) => Effect.flatMap(client.get(path), ({ text }) => text)

served("an app with policies", app, (client) =>
  Effect.gen(function* () {
    assert.strictEqual(yield* text(client, "/count"), "1")
    assert.strictEqual(yield* text(client, "/count"), "2")
    assert.include(yield* text(client, "/file"), "Policies together with what stands beside them")
    for (const path of ["/view", "/stream", "/foreign/x"]) assert.strictEqual(yield* text(client, path), "5s")
    assert.strictEqual(yield* text(client, "/described"), '"5s"')
    assert.strictEqual((yield* client.head("/stream")).status, 200)
    assert.strictEqual((yield* client.del("/view")).status, 405)
    assert.strictEqual((yield* client.get("/nowhere")).status, 404)
  })
)

served("a WebSocket with policies", app, (client) =>
  Effect.gen(function* () {
    ended.length = 0
    const peer = yield* client.webSocket("/echo")
    // Its place is taken, and time is over for the handshake only.
    const { status } = yield* Effect.flip(client.webSocket("/echo"))
    assert.strictEqual(status, 503)
    yield* TestClock.adjust("20 seconds")
    yield* peer.send("hello")
    assert.strictEqual(yield* peer.receive, "hello")
    yield* peer.destroy
    yield* until(() => ended.length === 1)
    yield* turns
    const other = yield* client.webSocket("/echo")
    yield* other.send("again")
    assert.strictEqual(yield* other.receive, "again")
  })
)
