/**
 * Event streams while they last: when they begin, what is sent when nothing happens, and how they end.
 */
import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Compression from "../src/middleware/Compression.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sse from "../src/Sse.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as Wire from "./conformance/wire.ts"
import { both, get, standstill, turns, until } from "./server/both.ts"
import { start, took } from "./server/started.ts"

const appOf = (response: HttpServerResponse.HttpServerResponse) => App.make({ it: Route.get("/it", response) })

/** What is offered to the queue are the events. */
const queued = (options?: Sse.Options) => {
  const queue = Effect.runSync(Queue.unbounded<string>())
  return { app: appOf(Sse.response(Stream.fromQueue(queue), options)), queue }
}

describe("while nothing happens", () => {
  const { app, queue } = queued({ retry: "2 seconds" })
  served("the stream is open, and a comment is sent every 15 seconds after what was sent last", app, (client) =>
    Effect.gen(function* () {
      const wire = yield* Wire.open(client)
      yield* wire.send(get("/it"))
      yield* wire.until("text/event-stream")
      yield* wire.until("retry: 2000\n\n\r\n")
      yield* TestClock.adjust("14 seconds")
      Queue.offerUnsafe(queue, "one")
      yield* wire.until("data: one\n\n\r\n")
      yield* TestClock.adjust("14 seconds")
      yield* turns
      assert.strictEqual(wire.rest(), "")
      for (const _ of [1, 2, 3]) {
        yield* TestClock.adjust("15 seconds")
        assert.match(yield* wire.until(":\n\n\r\n"), /^3\r\n/)
      }
    })
  )

  const often = queued({ keepAlive: "1 second" })
  served("the comments come as often as is asked for", often.app, (client) =>
    Effect.gen(function* () {
      const wire = yield* Wire.open(client)
      yield* wire.send(get("/it"))
      yield* wire.until(":\n\n\r\n")
      yield* TestClock.adjust("1 second")
      yield* wire.until(":\n\n\r\n")
    })
  )

  const never = queued({ keepAlive: "Infinity" })
  served("no comment is sent where none is wanted", never.app, (client) =>
    Effect.gen(function* () {
      const wire = yield* Wire.open(client)
      yield* wire.send(get("/it"))
      yield* wire.until(":\n\n\r\n")
      yield* TestClock.adjust("1 day")
      yield* turns
      assert.strictEqual(wire.rest(), "")
    })
  )
})

describe("a stream that fails", () => {
  const slow = Effect.andThen(Effect.sleep("20 millis"), new HttpError.NotFound({ text: "No such room" }))
  const late = Stream.fromEffect(slow)
  both("before there is an event is answered as any failure", appOf(Sse.response(late)), ({ logs, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/it"))
      const answer = yield* wire.answer()
      assert.deepStrictEqual(
        [answer.line, answer.headers["cache-control"], answer.headers["content-type"]],
        ["404 Not Found", undefined, "application/problem+json"]
      )
      assert.include(answer.body.toString(), "No such room")
      assert.deepStrictEqual(logs, [])
    })
  )

  const broken = ["Error A response broke off after its head was sent (GET /it)"]
  let gate = Deferred.makeUnsafe<string, Error>()
  const gated = Stream.fromEffect(Effect.suspend(() => Deferred.await(gate)))
  both("after that is cut, and says why in the log only", appOf(Sse.response(gated)), ({ logs, wire }) =>
    Effect.gen(function* () {
      gate = Deferred.makeUnsafe()
      yield* wire.send(get("/it"))
      yield* wire.until(":\n\n\r\n")
      yield* Deferred.fail(gate, new Error("x"))
      assert.strictEqual(yield* wire.closed, "")
      assert.deepStrictEqual(logs, broken)
    })
  )

  const bad = Stream.concat(
    Stream.make("one"),
    Stream.suspend(() => Stream.make(Sse.event("a", { id: "a\nb" })))
  )
  both("by an event that cannot be sent is cut", appOf(Sse.response(bad)), ({ logs, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/it"))
      yield* wire.until("data: one\n\n\r\n")
      assert.strictEqual(yield* wire.closed, "")
      assert.deepStrictEqual(logs, broken)
    })
  )
})

describe("a stream that has ended", () => {
  both("ends the answer, and its connection goes on", appOf(Sse.response(Stream.make("one"))), ({ wire }) =>
    Effect.gen(function* () {
      for (const _ of [1, 2]) {
        yield* wire.send(get("/it"))
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.framing, answer.body.toString()], ["chunked", ":\n\ndata: one\n\n"])
      }
    })
  )
  both("ends the connection under HTTP/1.0", appOf(Sse.response(Stream.make("one"))), ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send("GET /it HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      const answer = yield* wire.answer()
      assert.deepStrictEqual(
        [answer.framing, answer.headers.connection, answer.body.toString()],
        ["close", "close", ":\n\ndata: one\n\n"]
      )
      assert.isFalse(wire.isReset())
    })
  )
})

const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))
const watched = Stream.make("one").pipe(
  Stream.concat(Stream.never),
  Stream.onStart(note("started")),
  Stream.ensuring(Effect.andThen(Effect.yieldNow, note("released")))
)

describe("HEAD", () => {
  both("has the headers, and the stream is not run", appOf(Sse.response(watched)), ({ wire }) =>
    Effect.gen(function* () {
      events.length = 0
      yield* wire.send("HEAD /it HTTP/1.1\r\nHost: a\r\n\r\n")
      const { headers, status } = yield* wire.answer("HEAD")
      assert.deepStrictEqual([status, headers["content-type"]], [200, "text/event-stream"])
      assert.deepStrictEqual(events, [])
    })
  )
})

describe("a client that leaves", () => {
  for (const way of ["destroy", "end"] as const) {
    both(`by ${way} stops the stream, whose finalizers run`, appOf(Sse.response(watched)), ({ logs, wire }) =>
      Effect.gen(function* () {
        events.length = 0
        yield* wire.send(get("/it"))
        yield* wire.until("data: one")
        wire.socket[way]()
        yield* until(() => events.length === 2)
        assert.deepStrictEqual(events, ["started", "released"])
        assert.deepStrictEqual(logs, [])
      })
    )
  }
  both("before the stream is open stops it", appOf(Sse.response(Stream.drain(watched))), ({ wire }) =>
    Effect.gen(function* () {
      events.length = 0
      yield* wire.send(get("/it"))
      yield* until(() => events.length === 1)
      wire.socket.destroy()
      yield* until(() => events.length === 2)
      assert.deepStrictEqual(events, ["started", "released"])
    })
  )
})

let produced = 0
const large = "x".repeat(64 * 1024)
const flood = Stream.map(Stream.rechunk(Stream.range(1, 2000), 1), (n) => {
  produced++
  return Sse.event(large, { id: String(n) })
})

describe("a client that does not read", () => {
  both("stops the stream, and gets everything when it reads on", appOf(Sse.response(flood)), ({ client }) =>
    Effect.gen(function* () {
      produced = 0
      const socket = yield* client.connect
      socket.write(get("/it", "Connection: close\r\n"))
      yield* standstill(() => produced)
      assert.isBelow(produced, 1000)
      const { body } = Wire.answerIn(yield* Wire.readAll(socket))
      assert.strictEqual(produced, 2000)
      const ids = body.toString().match(/^id: \d+$/gm)
      assert.deepStrictEqual(
        ids,
        Array.from({ length: 2000 }, (_, n) => `id: ${n + 1}`)
      )
    })
  )

  served("is sent no comments that pile up", appOf(Sse.response(flood, { keepAlive: "1 second" })), (client) =>
    Effect.gen(function* () {
      produced = 0
      const socket = yield* client.connect
      socket.write(get("/it", "Connection: close\r\n"))
      yield* standstill(() => produced)
      yield* TestClock.adjust("1 hour")
      const { body } = Wire.answerIn(yield* Wire.readAll(socket))
      assert.isBelow(body.toString().match(/^:$/gm)?.length ?? 0, 5)
    })
  )
})

describe("when the server stops", () => {
  const inMemory = Effect.fnUntraced(function* (app: ReturnType<typeof appOf>) {
    const scope = yield* Scope.make()
    const client = yield* Scope.provide(Testing.client(app, { shutdownTimeout: "30 seconds" }), scope)
    return { connect: Wire.open(client), stop: Effect.forkDetach(Scope.close(scope, Exit.void)) }
  })
  const places = [
    ["in memory", inMemory],
    ["on a socket", (app: ReturnType<typeof appOf>) => start(app)]
  ] as const
  for (const [place, make] of places) {
    const { app } = queued({ retry: "7 seconds" })
    it.live(`the stream ends at once and clean, with a last word on when to come again, ${place}`, () =>
      Effect.gen(function* () {
        const { connect, stop } = yield* make(app)
        const wire = yield* connect
        yield* wire.send(get("/it"))
        yield* wire.until("retry: 7000\n\n\r\n")
        const stopping = yield* stop
        assert.strictEqual(yield* wire.closed, "d\r\nretry: 7000\n\n\r\n0\r\n\r\n")
        assert.isFalse(wire.isReset())
        assert.isBelow(yield* took(stopping), 1000)
      }).pipe(Effect.scoped)
    )

    it.live(`an event that has come goes out before it, ${place}`, () =>
      Effect.gen(function* () {
        events.length = 0
        const { app, queue } = queued()
        const { connect, stop } = yield* make(app)
        const wire = yield* connect
        yield* wire.send(get("/it"))
        yield* wire.until(":\n\n\r\n")
        Queue.offerUnsafe(queue, "last")
        yield* stop
        assert.match(yield* wire.closed, /data: last\n\n(?:\r\nd\r\n)?retry: 3000\n\n\r\n0\r\n\r\n$/)
      }).pipe(Effect.scoped)
    )

    it.live(`a client that does not read is cut after a second, ${place}`, () =>
      Effect.gen(function* () {
        produced = 0
        const { connect, stop } = yield* make(appOf(Sse.response(flood)))
        const wire = yield* connect
        wire.socket.pause()
        yield* wire.send(get("/it"))
        yield* standstill(() => produced)
        assert.isBelow(yield* took(yield* stop), 5000)
        wire.socket.resume()
        assert.notInclude(yield* wire.closed, "0\r\n\r\n")
      }).pipe(Effect.scoped)
    )
  }

  it.live("the finalizers of the stream run, and nothing is left", () =>
    Effect.gen(function* () {
      events.length = 0
      const { connect, server, stop } = yield* start(appOf(Sse.response(watched)))
      const wires = yield* Effect.all(Array.from({ length: 20 }, () => connect))
      for (const wire of wires) yield* wire.send(get("/it"))
      for (const wire of wires) yield* wire.until("data: one")
      assert.isBelow(yield* took(yield* stop), 2000)
      assert.strictEqual(events.filter((text) => text === "released").length, 20)
      assert.strictEqual(server.connections(), 0)
    }).pipe(Effect.scoped)
  )
})

describe("behind Compression", () => {
  const { app, queue } = queued()
  both("it is not compressed, and events come at once", app.pipe(App.use(Compression.make())), ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/it", "Accept-Encoding: br, gzip\r\n"))
      assert.notInclude((yield* wire.until("\r\n\r\n")).toLowerCase(), "content-encoding")
      yield* wire.until(":\n\n\r\n")
      Queue.offerUnsafe(queue, "one")
      yield* wire.until("data: one\n\n\r\n")
    })
  )

  const open = queued()
  const compressed = App.make({
    it: Route.get(
      "/it",
      Sse.response(Stream.fromQueue(open.queue)).pipe(Response.setHeader("cache-control", "no-cache"))
    )
  }).pipe(App.use(Compression.make({ algorithms: ["gzip"] })))
  both("it is compressed where its headers allow it, and events come at once too", compressed, ({ client }) =>
    Effect.gen(function* () {
      const socket = yield* client.connect
      // By HTTP/1.0 there are no chunks around the bytes.
      socket.write("GET /it HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
      let text = ""
      const unzip = Zlib.createGunzip({ flush: Zlib.constants.Z_SYNC_FLUSH }).on("data", (bytes) => {
        text += bytes
      })
      let head = Buffer.alloc(0)
      socket.on("data", (bytes: Buffer) => {
        const end = head.indexOf("\r\n\r\n")
        head = Buffer.concat([head, bytes])
        const at = head.indexOf("\r\n\r\n")
        if (at !== -1) unzip.write(end === -1 ? head.subarray(at + 4) : bytes)
      })
      yield* until(() => text === ":\n\n")
      for (const event of ["one", "two"]) {
        text = ""
        Queue.offerUnsafe(open.queue, event)
        yield* until(() => text === `data: ${event}\n\n`)
      }
      socket.destroy()
    })
  )

  let gate = Deferred.makeUnsafe<string, Error>()
  const gated = Stream.concat(Stream.make("one"), Stream.fromEffect(Effect.suspend(() => Deferred.await(gate))))
  const failing = App.make({
    it: Route.get("/it", Sse.response(gated).pipe(Response.setHeader("cache-control", "no-cache")))
  }).pipe(App.use(Compression.make()))
  both("a compressed one that fails is cut too", failing, ({ wire }) =>
    Effect.gen(function* () {
      gate = Deferred.makeUnsafe()
      yield* wire.send(get("/it", "Accept-Encoding: gzip\r\n"))
      assert.include((yield* wire.until("\r\n\r\n")).toLowerCase(), "content-encoding: gzip")
      yield* wire.until("\r\n")
      yield* Deferred.fail(gate, new Error("x"))
      assert.notInclude(yield* wire.closed, "\r\n0\r\n\r\n")
    })
  )
})

describe("under the web standard", () => {
  it.live("events come as they are, and a client that leaves stops them", () =>
    Effect.gen(function* () {
      events.length = 0
      const handle = App.toWebHandler(appOf(Sse.response(watched)))
      const response = yield* Effect.promise(() => handle(new globalThis.Request("http://a/it")))
      assert.strictEqual(response.headers.get("content-type"), "text/event-stream")
      const reader = response.body!.getReader()
      const { value } = yield* Effect.promise(() => reader.read())
      assert.include(new TextDecoder().decode(value), ":\n\n")
      yield* Effect.promise(() => reader.cancel())
      yield* until(() => events.length === 2)
      assert.deepStrictEqual(events, ["started", "released"])
    })
  )
})
