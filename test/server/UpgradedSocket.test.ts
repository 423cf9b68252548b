/**
 * WebSockets of apps of Effect that are mounted: by `request.upgrade`, and RPC over them.
 */

import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as Socket from "effect/socket/Socket"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { ask, CLOSE, closing, frame, open, TEXT, upgrade } from "../frames.ts"
import { both, get, turns, until } from "./both.ts"
import { start, took } from "./started.ts"

let running = 0

const echo = (socket: Socket.Socket) =>
  Effect.gen(function* () {
    const { pull } = yield* socket.reader
    const { write } = yield* socket.writer
    yield* Effect.forever(Effect.flatMap(pull, (chunks) => Effect.forEach(chunks, write, { discard: true })))
  }).pipe(Effect.scoped, Effect.ignore)

const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => running++),
    () => effect,
    () => Effect.sync(() => running--)
  )

const handler = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const socket = yield* request.upgradeWith({ headers: { "x-a": "1" } })
  yield* counted(echo(socket))
  return HttpServerResponse.empty()
}).pipe(Effect.catchTag("HttpServerError", () => Effect.succeed(HttpServerResponse.text("no", { status: 400 }))))

const idle = Effect.gen(function* () {
  const { upgrade } = yield* HttpServerRequest.HttpServerRequest
  const socket = yield* upgrade
  yield* socket.reader
  return yield* counted(Effect.never)
}).pipe(Effect.scoped)

const brief = Effect.gen(function* () {
  yield* HttpServerRequest.HttpServerRequest.pipe(Effect.flatMap(({ upgrade }) => upgrade))
  return HttpServerResponse.empty()
})

const app = App.make({
  mounted: Route.mountHandler("/mounted", handler),
  idle: Route.mountHandler("/idle", Effect.orDie(idle)),
  brief: Route.mountHandler("/brief", Effect.orDie(brief)),
  plain: Route.get("/plain", Response.text("plain"))
})

both("a mounted handler of Effect gets its socket, with what came before it read", app, ({ client, logs, wire }) =>
  Effect.gen(function* () {
    yield* wire.send(Buffer.concat([Buffer.from(ask("/mounted/below")), frame(TEXT, "first")]))
    assert.match(yield* wire.until("first"), /\r\nx-a: 1\r\n/)
    const raw = yield* open(client, "/mounted")
    yield* raw.send(Buffer.concat([frame(TEXT, "a"), frame(CLOSE, closing(1000))]))
    assert.strictEqual((yield* raw.last).at(-1), "close 1000")
    yield* Effect.sync(() => wire.socket.destroy())
    yield* until(() => running === 0)
    assert.deepStrictEqual(logs, [])
  })
)

both("an upgrade in one packet with the request before it comes after that one's answer", app, ({ logs, wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/plain") + ask("/mounted/below"))
    assert.strictEqual((yield* wire.answer()).body.toString(), "plain")
    assert.match(yield* wire.until("\r\n\r\n"), /^HTTP\/1\.1 101 /)
    assert.deepStrictEqual(logs, [])
  })
)

both("a request that asks for no WebSocket fails, and its connection stays usable", app, ({ logs, wire }) =>
  Effect.gen(function* () {
    for (const request of [get("/mounted"), ask("/mounted", { "Sec-WebSocket-Version": "8" })]) {
      yield* wire.send(request)
      assert.strictEqual((yield* wire.answer()).status, 400)
    }
    yield* wire.send(get("/plain"))
    assert.strictEqual((yield* wire.answer()).body.toString(), "plain")
    assert.deepStrictEqual(logs, [])
  })
)

both("the socket closes with its handler, read or not", app, ({ client, logs }) =>
  Effect.gen(function* () {
    const raw = yield* open(client, "/brief")
    yield* raw.send(frame(CLOSE))
    assert.deepStrictEqual(yield* raw.last, ["close"])
    assert.deepStrictEqual(logs, [])
  })
)

served("a handler that does not end is interrupted ten seconds after its peer has left", app, (client) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/idle")
    yield* until(() => running === 1)
    yield* peer.close()
    yield* turns
    yield* TestClock.adjust(9999)
    yield* turns
    assert.strictEqual(running, 1)
    yield* TestClock.adjust(1)
    yield* until(() => running === 0)
  })
)

it.live("the socket closes with 1001 when the server stops", () =>
  Effect.gen(function* () {
    const { connect, stop } = yield* start(app)
    const raw = yield* upgrade(yield* connect, "/mounted")
    yield* until(() => running === 1)
    const stopping = yield* stop
    yield* raw.until("The server stops")
    yield* raw.send(frame(CLOSE, closing(1001)))
    assert.isBelow(yield* took(stopping), 2000)
    assert.strictEqual(running, 0)
  })
)

const Shout = Rpc.make("Shout", { payload: { text: Schema.String }, success: Schema.String })
const Count = Rpc.make("Count", { success: Schema.Number, stream: true })
const group = RpcGroup.make(Shout, Count)
const rpcs = RpcServer.layer(group).pipe(
  Layer.provide(
    group.toLayer({
      Shout: ({ text }) => Effect.succeed(text.toUpperCase()),
      Count: () => Stream.make(1, 2, 3)
    })
  ),
  Layer.provide(RpcServer.layerProtocolWebsocket({ path: "/rpc" })),
  Layer.provide(RpcSerialization.layerJson)
)

it.live("RPC over a WebSocket, mounted", () =>
  Effect.gen(function* () {
    const { url } = yield* Testing.socketClient(App.make({ api: Route.mountHandler("/api", rpcs) }))
    const protocol = RpcClient.layerProtocolSocket().pipe(
      Layer.provide(NodeSocket.layerWebSocket(`${url.replace("http", "ws")}/api/rpc`)),
      Layer.provide(RpcSerialization.layerJson)
    )
    yield* Effect.gen(function* () {
      const client = yield* RpcClient.make(group)
      assert.strictEqual(yield* client.Shout({ text: "hello" }), "HELLO")
      assert.deepStrictEqual(yield* Stream.runCollect(client.Count()), [1, 2, 3])
    }).pipe(Effect.scoped, Effect.provide(protocol))
  }).pipe(Effect.scoped)
)
