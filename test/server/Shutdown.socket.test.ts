/**
 * The graceful stop, on sockets: what is refused, what finishes, what is interrupted, and that nothing is left.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Site from "../../src/server/Site.ts"
import { get, post, recorder, until } from "./both.ts"
import { connectTo, start, took, tryConnect } from "./started.ts"

/** An app whose handlers wait until the test opens their gate. */
const gated = Effect.gen(function* () {
  const gate = yield* Deferred.make<void>()
  const events: Array<string> = []
  const note = (text: string) => Effect.sync(() => void events.push(text))
  const released = (text: string) => Effect.addFinalizer(() => note(text))
  const app = App.make({
    probe: Route.get("/probe", Effect.succeed(Response.text("probe"))),
    echo: Route.post(
      "/echo",
      Effect.map(Body.bytes(), (bytes) => Response.bytes(bytes))
    ),
    gate: Route.get(
      "/gate",
      Effect.gen(function* () {
        yield* released("released")
        yield* note("waiting")
        yield* Deferred.await(gate)
        return Response.text("through")
      })
    ),
    stream: Route.get(
      "/stream",
      Effect.succeed(
        Response.stream(Stream.concat(Stream.make("one,"), Stream.fromEffect(Effect.as(Deferred.await(gate), "two"))))
      )
    ),
    cleanup: Route.get(
      "/cleanup",
      Effect.onInterrupt(Effect.andThen(note("waiting"), Effect.never), () =>
        Effect.andThen(Effect.sleep("100 millis"), note("cleaned"))
      )
    ),
    stubborn: Route.get("/stubborn", Effect.uninterruptible(Effect.andThen(note("waiting"), Effect.never)))
  })
  return { app, events, open: Deferred.succeed(gate, undefined) }
})

const idle = (server: { readonly connections: () => number }) =>
  Effect.sync(() => assert.strictEqual(server.connections(), 0))

describe("when the server stops", () => {
  it.live("new connections are refused at once, while a request in flight goes on and says that it closes", () =>
    Effect.gen(function* () {
      const { app, events, open } = yield* gated
      const { connect, server, stop } = yield* start(app)
      const wire = yield* connect
      yield* wire.send(get("/gate"))
      yield* until(() => events.length === 1)
      const stopping = yield* stop
      const port = server.addresses[0]?.port ?? 0
      assert.strictEqual(yield* Effect.flip(tryConnect(port)), "ECONNREFUSED")
      yield* open
      const answer = yield* wire.answer()
      assert.deepStrictEqual([answer.body.toString(), answer.headers.connection], ["through", "close"])
      assert.strictEqual(yield* wire.closed, "")
      assert.isBelow(yield* took(stopping), 1000)
      yield* idle(server)
      assert.deepStrictEqual(events, ["waiting", "released"])
    })
  )

  it.live("connections on which nothing goes on are closed at once: fresh ones, and those between requests", () =>
    Effect.gen(function* () {
      const { app, events, open } = yield* gated
      const { connect, server, stop } = yield* start(app)
      const [busy, fresh, used, posted] = [yield* connect, yield* connect, yield* connect, yield* connect]
      yield* busy.send(get("/gate"))
      yield* used.send(get("/probe"))
      yield* used.answer()
      yield* posted.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
      yield* posted.until("100 Continue\r\n\r\n")
      yield* posted.send("abc")
      yield* posted.answer()
      yield* until(() => events.length === 1 && server.connections() === 4)
      const stopping = yield* stop
      assert.deepStrictEqual([yield* fresh.closed, yield* used.closed, yield* posted.closed], ["", "", ""])
      assert.isFalse(busy.isOver())
      yield* open
      yield* busy.answer()
      yield* Fiber.join(stopping)
      yield* idle(server)
    })
  )

  it.live("a head that is half received may complete, and is answered", () =>
    Effect.gen(function* () {
      const { app } = yield* gated
      const { connect, received, server, stop } = yield* start(app)
      const [fresh, used] = [yield* connect, yield* connect]
      yield* used.send(get("/probe"))
      yield* used.answer()
      for (const wire of [fresh, used]) yield* wire.send("GET /probe HTTP/1.1\r\nHo")
      yield* received(get("/probe").length + 2 * "GET /probe HTTP/1.1\r\nHo".length)
      const stopping = yield* stop
      for (const wire of [fresh, used]) {
        yield* wire.send("st: a\r\n\r\n")
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.body.toString(), answer.headers.connection], ["probe", "close"])
      }
      assert.isBelow(yield* took(stopping), 1000)
      yield* idle(server)
    })
  )

  it.live("an upload that is half received may complete, and is answered", () =>
    Effect.gen(function* () {
      const { app } = yield* gated
      const { connect, server, stop } = yield* start(app)
      const wire = yield* connect
      yield* wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n")
      yield* wire.until("100 Continue\r\n\r\n")
      yield* wire.send("abc")
      const stopping = yield* stop
      yield* wire.send("def")
      const answer = yield* wire.answer()
      assert.deepStrictEqual([answer.body.toString(), answer.headers.connection], ["abcdef", "close"])
      assert.isBelow(yield* took(stopping), 1000)
      yield* idle(server)
    })
  )

  it.live("a stream that has begun ends, and its connection with it", () =>
    Effect.gen(function* () {
      const { app, open } = yield* gated
      const { connect, server, stop } = yield* start(app)
      const wire = yield* connect
      yield* wire.send(get("/stream"))
      yield* wire.until("one,")
      const stopping = yield* stop
      yield* open
      assert.include(yield* wire.closed, "two\r\n0\r\n\r\n")
      assert.isBelow(yield* took(stopping), 1000)
      yield* idle(server)
    })
  )

  it.live("requests that wait in a pipeline are answered up to the first that closes", () =>
    Effect.gen(function* () {
      const { app, events, open } = yield* gated
      const { connect, server, stop } = yield* start(app)
      const wire = yield* connect
      yield* wire.send(get("/gate") + get("/probe"))
      yield* until(() => events.length === 1)
      const stopping = yield* stop
      yield* open
      assert.strictEqual((yield* wire.answer()).headers.connection, "close")
      assert.strictEqual(yield* wire.closed, "")
      yield* Fiber.join(stopping)
      yield* idle(server)
    })
  )
})

describe("an answer that is still going out", () => {
  it.live("is not cut short, however slowly its client reads", () =>
    Effect.gen(function* () {
      const size = 30_000_000
      const { received, server, stop } = yield* start(
        App.make({ big: Route.get("/big", Response.text("x".repeat(size))) })
      )
      const socket = yield* Effect.acquireRelease(tryConnect(server.addresses[0]?.port ?? 0), (socket) =>
        Effect.sync(() => socket.destroy())
      )
      socket.write(get("/big"))
      yield* received(get("/big").length)
      yield* Effect.sleep("20 millis")
      const stopping = yield* stop
      let bytes = 0
      socket.on("data", (chunk) => (bytes += chunk.length))
      yield* until(() => socket.readableEnded)
      assert.isAbove(bytes, size)
      yield* Fiber.join(stopping)
      yield* idle(server)
    })
  )
})

describe("a handler whose client has left", () => {
  it.live("is awaited with its finalizers", () =>
    Effect.gen(function* () {
      const { app, events } = yield* gated
      const { connect, server, stop } = yield* start(app)
      const wire = yield* connect
      yield* wire.send(get("/cleanup"))
      yield* until(() => events.length === 1)
      wire.socket.destroy()
      yield* until(() => server.connections() === 0)
      yield* Fiber.join(yield* stop)
      assert.deepStrictEqual(events, ["waiting", "cleaned"])
    })
  )
})

describe("after shutdownTimeout", () => {
  it.live("what is left is interrupted: 503 with Retry-After, and its finalizers are awaited", () =>
    Effect.gen(function* () {
      const { app, events } = yield* gated
      const { connect, server, stop } = yield* start(app, { shutdownTimeout: "50 millis" })
      const wire = yield* connect
      yield* wire.send(get("/cleanup"))
      yield* until(() => events.length === 1)
      const stopping = yield* stop
      const answer = yield* wire.answer()
      assert.strictEqual(answer.line, "503 Service Unavailable")
      assert.deepStrictEqual([answer.headers.connection, answer.headers["retry-after"]], ["close", "1"])
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(events, ["waiting", "cleaned"])
      yield* idle(server)
    })
  )

  it.live("a stream is cut", () =>
    Effect.gen(function* () {
      const { app } = yield* gated
      const { connect, server, stop } = yield* start(app, { shutdownTimeout: "50 millis" })
      const wire = yield* connect
      yield* wire.send(get("/stream"))
      yield* wire.until("one,")
      const stopping = yield* stop
      assert.notInclude(yield* wire.closed, "0\r\n")
      yield* Fiber.join(stopping)
      yield* idle(server)
    })
  )

  it.live("half received heads and uploads are closed", () =>
    Effect.gen(function* () {
      const { app } = yield* gated
      const { connect, received, server, stop } = yield* start(app, { shutdownTimeout: "50 millis" })
      const [head, upload] = [yield* connect, yield* connect]
      const half = post("/echo", "abc").replace("Length: 3", "Length: 4")
      yield* head.send("GET /probe HTTP/1.1\r\nHo")
      yield* upload.send(half)
      yield* received("GET /probe HTTP/1.1\r\nHo".length + half.length)
      const stopping = yield* stop
      assert.strictEqual((yield* upload.answer()).status, 503)
      assert.deepStrictEqual([yield* head.closed, yield* upload.closed], ["", ""])
      assert.isBelow(yield* took(stopping), 2000)
      yield* idle(server)
    })
  )

  it.live("a handler that cannot be interrupted holds the stop no longer than interruptGrace", () =>
    Effect.gen(function* () {
      const { app, events } = yield* gated
      const { connect, server, stop } = yield* start(app, {
        shutdownTimeout: "50 millis",
        interruptGrace: "100 millis"
      })
      const wire = yield* connect
      yield* wire.send(get("/stubborn"))
      yield* until(() => events.length === 1)
      const stopping = yield* stop
      assert.strictEqual(yield* wire.closed, "")
      assert.isBelow(yield* took(stopping), 2000)
      yield* idle(server)
    })
  )

  it.live("several sites stop at the same time", () =>
    Effect.gen(function* () {
      const { app, events } = yield* gated
      const site = Site.tcp({ host: "127.0.0.1", port: 0 })
      const { server, stop } = yield* start(app, { sites: [site, site, site], shutdownTimeout: "300 millis" })
      for (const { port = 0 } of server.addresses) yield* (yield* connectTo(port)).send(get("/gate"))
      yield* until(() => events.length === 3)
      assert.isBelow(yield* took(yield* stop), 800)
      yield* idle(server)
      assert.deepStrictEqual(events.slice(3), ["released", "released", "released"])
    })
  )

  it.live("nothing is logged above debug but the report", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const { app, events } = yield* gated
      const { connect, stop } = yield* start(app, { shutdownTimeout: "10 millis" })
      const [gate, stream] = [yield* connect, yield* connect]
      yield* gate.send(get("/gate"))
      yield* stream.send(get("/stream"))
      yield* stream.until("one,")
      yield* until(() => events.length === 1)
      yield* Fiber.join(yield* stop)
      assert.deepStrictEqual(
        logs
          .filter((line) => !line.startsWith("Debug"))
          .map((line) => line.replace(/ in \d+.*?: /, " ").replace(/;.*/, "")),
        ["Warn Stopped 0 of 2 requests finished, 2 interrupted"]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})
