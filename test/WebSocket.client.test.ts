/**
 * The client that is derived from an endpoint, over Node's own WebSocket, which is that of browsers.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Request from "../src/Request.ts"
import * as Route from "../src/Route.ts"
import * as Server from "../src/server/Server.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { until } from "./server/both.ts"

const contract = { receive: Schema.Struct({ n: Schema.Int }), send: Schema.Struct({ square: Schema.Int }) }
const squares = WebSocket.make({ ...contract, protocols: ["squares.v1"] }, (socket) =>
  Stream.runForEach(socket.messages, ({ n }) => socket.send({ square: n * n }))
)
const bytes = WebSocket.make(
  { receive: Schema.Uint8Array, send: Schema.Uint8Array, codec: WebSocket.plain },
  (socket) => Stream.runForEach(socket.messages, socket.send)
)
/** Closes with the code of its path, after a greeting. */
const closing = WebSocket.raw({}, (socket) =>
  Effect.gen(function* () {
    const { code } = yield* Request.params
    yield* socket.send("hello")
    return yield* new WebSocket.Close({ code: Number(code), reason: "as asked" })
  })
)
const app = App.make({
  squares: Route.websocket("/squares", squares),
  bytes: Route.websocket("/bytes", bytes),
  closing: Route.websocket("/closing/{code}", closing)
})
const fast = { schedule: Schedule.spaced("20 millis") }
const start = Effect.map(Server.start(app, { host: "127.0.0.1", port: 0 }), ({ url }) => url)

/** A server that can be stopped and started at one address. */
const restartable = Effect.gen(function* () {
  let scope = yield* Scope.make()
  let port = 0
  const begin = Effect.gen(function* () {
    scope = yield* Scope.make()
    const server = yield* Scope.provide(
      Server.start(app, { host: "127.0.0.1", port, shutdownTimeout: "1 second" }),
      scope
    )
    port = Number(new URL(server.url).port)
    return server.url
  })
  const stop = Effect.suspend(() => Scope.close(scope, Exit.void))
  const url = yield* begin
  yield* Effect.addFinalizer(() => stop)
  return { url, stop, begin }
})

describe("a client", () => {
  it.live("has the mirrored types of the endpoint, or of the schemas that it is made of", () =>
    Effect.gen(function* () {
      const url = yield* start
      for (const from of [squares, { ...contract, options: { protocols: ["squares.v1"] } }]) {
        const client = yield* WebSocket.client(from, `${url}/squares`)
        expectTypeOf(client.send).parameter(0).toEqualTypeOf<{ readonly n: number }>()
        expectTypeOf(client.messages).toEqualTypeOf<
          Stream.Stream<{ readonly square: number }, WebSocket.WebSocketError>
        >()
        for (const n of [2, 3]) yield* client.send({ n })
        const received = yield* Stream.runCollect(Stream.take(client.messages, 2))
        assert.deepStrictEqual([...received], [{ square: 4 }, { square: 9 }])
        const [status] = yield* Stream.runCollect(Stream.take(client.status, 1))
        assert.deepStrictEqual(status, { _tag: "Open", protocol: "squares.v1", connections: 1 })
      }
    })
  )

  it.live("sends and receives bytes", () =>
    Effect.gen(function* () {
      const client = yield* WebSocket.client(bytes, `${yield* start}/bytes`)
      yield* client.send(new Uint8Array([0, 255]))
      const [received] = yield* Stream.runCollect(Stream.take(client.messages, 1))
      assert.deepStrictEqual(received, new Uint8Array([0, 255]))
    })
  )

  it.live("that cannot connect at first fails, typed", () =>
    Effect.gen(function* () {
      const url = yield* start
      for (const wrong of [`${url}/no-such`, "ws://127.0.0.1:1/"]) {
        const failure = yield* Effect.flip(WebSocket.client(squares, wrong))
        assert.deepInclude(failure, { _tag: "WebSocketError", reason: "closed", code: 1006 })
        assert.include(failure.text, "No connection to ws:")
      }
    })
  )

  it.live("connects again to a server that comes back; what is sent meanwhile waits", () =>
    Effect.gen(function* () {
      const server = yield* restartable
      const client = yield* WebSocket.client(squares, `${server.url}/squares`, fast)
      const waiting = yield* Deferred.make<void>()
      const states = client.status.pipe(
        Stream.tap(({ _tag }) => (_tag === "Waiting" ? Deferred.succeed(waiting, undefined) : Effect.void)),
        Stream.takeUntil((status) => status._tag === "Open" && status.connections === 2),
        Stream.runCollect
      )
      const seen = yield* Effect.forkChild(states, { startImmediately: true })
      yield* client.send({ n: 1 })
      yield* Stream.runDrain(Stream.take(client.messages, 1))
      yield* server.stop
      yield* Deferred.await(waiting)
      const sent = yield* Effect.forkChild(client.send({ n: 5 }), { startImmediately: true })
      yield* Effect.sleep("50 millis")
      yield* server.begin
      yield* Fiber.join(sent)
      const [received] = yield* Stream.runCollect(Stream.take(client.messages, 1))
      assert.deepStrictEqual(received, { square: 25 })
      const all = yield* Fiber.join(seen)
      assert.deepStrictEqual([...new Set(all.map(({ _tag }) => _tag))], ["Open", "Waiting"])
    })
  )

  it.live("runs the effect of its URL for each connection", () =>
    Effect.gen(function* () {
      const server = yield* restartable
      let runs = 0
      const url = Effect.sync(() => `${server.url}/squares?token=${++runs}`)
      const client = yield* WebSocket.client(squares, url, fast)
      yield* server.stop
      yield* server.begin
      yield* client.send({ n: 3 })
      yield* Stream.runDrain(Stream.take(client.messages, 1))
      assert.isAbove(runs, 1)
    })
  )

  it.live("ends with a server that has said its last word: cleanly with 1000, else with its code", () =>
    Effect.gen(function* () {
      const url = yield* start
      for (const code of [3000, 3003, 4001]) {
        const client = yield* WebSocket.client(closing, `${url}/closing/${code}`, fast)
        const heard: Array<unknown> = []
        const failure = yield* Effect.flip(Stream.runForEach(client.messages, (m) => Effect.sync(() => heard.push(m))))
        assert.deepInclude(failure, { reason: "closed", code })
        assert.deepStrictEqual(heard, ["hello"])
        assert.deepStrictEqual(yield* client.closed, { code, reason: "as asked" })
        assert.deepInclude(yield* Effect.flip(client.send("too late")), { reason: "closed", code })
      }
      const done = yield* WebSocket.client(closing, `${url}/closing/1000`, fast)
      assert.deepStrictEqual([...(yield* Stream.runCollect(done.messages))], ["hello"])
    })
  )

  it.live("tells its end before its messages end, and no state after it", () =>
    Effect.gen(function* () {
      const url = yield* start
      const states: Array<string> = []
      const seen = Effect.gen(function* () {
        const client = yield* WebSocket.client(closing, `${url}/closing/4001`, fast)
        const note = ({ _tag }: WebSocket.Status) => Effect.sync(() => void states.push(_tag))
        yield* Effect.forkScoped(Stream.runForEach(client.status, note), { startImmediately: true })
        yield* Effect.flip(Stream.runDrain(client.messages))
        return client
      })
      const client = yield* Effect.scoped(seen)
      assert.strictEqual(states.at(-1), "Closed")
      const event = { code: 4001, reason: "as asked" }
      assert.deepStrictEqual([...(yield* Stream.runCollect(client.status))], [{ _tag: "Closed", event }])
    })
  )

  it.live("ends when its schedule does", () =>
    Effect.gen(function* () {
      const server = yield* restartable
      const options = { schedule: Schedule.upTo(Schedule.spaced("10 millis"), { times: 3 }) }
      const client = yield* WebSocket.client(squares, `${server.url}/squares`, options)
      yield* server.stop
      const failure = yield* Effect.flip(Stream.runDrain(client.messages))
      assert.deepInclude(failure, { reason: "closed", code: 1006 })
    })
  )

  it.live("that the server does not understand, or who does not understand it, is told so", () =>
    Effect.gen(function* () {
      const url = yield* start
      const client = yield* WebSocket.client(
        { ...contract, send: Schema.Struct({ square: Schema.String }), options: { protocols: ["squares.v1"] } },
        `${url}/squares`,
        fast
      )
      yield* client.send({ n: 2 })
      const failure = yield* Effect.flip(Stream.runDrain(client.messages))
      assert.deepInclude(failure, { reason: "malformed", code: 1008 })
    })
  )

  it.live("whose send finds no connection in time fails with a timeout", () =>
    Effect.gen(function* () {
      const server = yield* restartable
      const client = yield* WebSocket.client(squares, `${server.url}/squares`, { ...fast, sendTimeout: "50 millis" })
      yield* server.stop
      yield* Stream.runDrain(Stream.takeUntil(client.status, ({ _tag }) => _tag === "Waiting"))
      const failure = yield* Effect.flip(client.send({ n: 1 }))
      assert.deepInclude(failure, { reason: "timeout", code: 3008 })
    })
  )

  it.live("closes with its scope, and by itself", () =>
    Effect.gen(function* () {
      const codes: Array<number> = []
      const watched = WebSocket.raw({}, (socket) =>
        Effect.onExit(Stream.runDrain(socket.messages), () =>
          Effect.map(socket.closed, ({ code }) => void codes.push(code))
        )
      )
      const { url } = yield* Server.start(App.make({ at: Route.websocket("/", watched) }), {
        host: "127.0.0.1",
        port: 0
      })
      yield* Effect.scoped(WebSocket.client(watched, url))
      const client = yield* WebSocket.client(watched, url)
      assert.deepStrictEqual(yield* client.close(4000, "enough"), { code: 4000, reason: "enough" })
      const last = { _tag: "Closed", event: { code: 4000, reason: "enough" } }
      assert.deepStrictEqual([...(yield* Stream.runCollect(client.status))], [last])
      yield* until(() => codes.length === 2)
      assert.deepStrictEqual(codes, [1000, 4000])
    })
  )
})
