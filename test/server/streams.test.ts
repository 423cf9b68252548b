/**
 * Streamed responses: backpressure, how they end, and how they break off.
 */
import * as Crypto from "node:crypto"
import { Readable } from "node:stream"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import type { Handler } from "../../src/Handler.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Wire from "../conformance/wire.ts"
import { both, get, standstill, until } from "./both.ts"

const appOf = <E>(handler: Handler<E>) => App.make({ it: Route.get("/it", handler) })
const succeed = (response: HttpServerResponse.HttpServerResponse) => Effect.succeed(response)
const broken = "Error A response broke off after its head was sent (GET /it)"
const one = Stream.make("one")

describe("a stream that breaks off after its first chunk is cut, and logged", () => {
  type Row = readonly [name: string, handler: Handler]
  const rows: ReadonlyArray<Row> = [
    ["by a failure", succeed(Response.stream(Stream.concat(one, Stream.fail(new Error("x")))))],
    [
      "by a failure that knows an answer",
      succeed(Response.stream(Stream.concat(one, Stream.fail(new HttpError.Forbidden()))))
    ],
    ["by a defect", succeed(Response.stream(Stream.concat(one, Stream.die(new Error("x")))))],
    [
      "by an exception",
      succeed(
        Response.stream(
          Stream.concat(
            one,
            Stream.suspend(() => {
              throw new Error("x")
            })
          )
        )
      )
    ],
    [
      "by a chunk that is no bytes",
      succeed(HttpServerResponse.stream(Stream.make(Buffer.from("one"), 1 as never).pipe(Stream.rechunk(1))))
    ],
    [
      "by an error of a Node stream",
      Effect.sync(() =>
        HttpServerResponse.raw(
          Readable.from(
            (async function* () {
              yield "one"
              throw new Error("x")
            })()
          )
        )
      )
    ],
    ["by its end before its length", succeed(Response.stream(one, { contentLength: 4 }))],
    [
      "by its end after its length",
      succeed(Response.stream(Stream.make("one", "two").pipe(Stream.rechunk(1)), { contentLength: 4 }))
    ]
  ]
  for (const [name, handler] of rows) {
    both(name, appOf(handler), ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        const head = yield* wire.until("\r\n\r\n")
        assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
        const body = yield* wire.closed
        assert.include(["3\r\none\r\n", "one"], body)
        assert.deepStrictEqual(logs, [broken])
      })
    )
  }

  both(
    "under HTTP/1.0 by a reset, for the end would be a clean one",
    appOf(succeed(Response.stream(Stream.concat(one, Stream.fail(new Error("x")))))),
    ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send("GET /it HTTP/1.0\r\n\r\n")
        yield* wire.closed
        assert.isTrue(wire.isReset())
        assert.deepStrictEqual(logs, [broken])
      })
  )
})

describe("a stream that fails before its first chunk", () => {
  both(
    "with an HTTP error is answered with it",
    appOf(succeed(Response.stream(Stream.fail(new HttpError.Forbidden())))),
    ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        assert.strictEqual((yield* wire.answer()).line, "403 Forbidden")
        assert.deepStrictEqual(logs, [])
      })
  )
})

describe("a stream under HTTP/1.0", () => {
  const app = appOf(succeed(Response.stream(Stream.make("one", "two"))))
  both("ends with its connection", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send("GET /it HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      const answer = yield* wire.answer()
      assert.deepStrictEqual(
        [answer.framing, answer.body.toString(), answer.headers.connection],
        ["close", "onetwo", "close"]
      )
      assert.isFalse(wire.isReset())
    })
  )
  both(
    "with a length keeps its connection",
    appOf(succeed(Response.stream(Stream.make("one", "two"), { contentLength: 6 }))),
    ({ wire }) =>
      Effect.gen(function* () {
        for (const _ of [1, 2]) {
          yield* wire.send("GET /it HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
          const answer = yield* wire.answer()
          assert.deepStrictEqual([answer.framing, answer.body.toString()], ["length", "onetwo"])
        }
      })
  )
})

describe("bodies of the platform", () => {
  const text = "It is a truth universally acknowledged"
  type Row = readonly [name: string, body: () => unknown, framing?: "length"]
  const rows: ReadonlyArray<Row> = [
    ["a string", () => text, "length"],
    ["bytes", () => Buffer.from(text), "length"],
    ["a Node stream of bytes", () => Readable.from([Buffer.from(text.slice(0, 5)), Buffer.from(text.slice(5))])],
    ["a Node stream of strings", () => Readable.from([text.slice(0, 5), text.slice(5)])],
    [
      "an async iterable",
      () =>
        (async function* () {
          yield text
        })()
    ],
    ["a web stream", () => new Blob([text]).stream()],
    ["a Blob", () => new Blob([text])],
    ["an ArrayBuffer", () => new TextEncoder().encode(text).buffer],
    ["a DataView", () => new DataView(new TextEncoder().encode(text).buffer)],
    ["a Response of the web", () => new globalThis.Response(text)],
    ["a Response of the web that streams", () => new globalThis.Response(new Blob([text]).stream())]
  ]
  for (const [name, body, framing = "chunked"] of rows) {
    const app = App.make({
      it: Route.get(
        "/it",
        Effect.sync(() => HttpServerResponse.raw(body()))
      )
    })
    both(name, app, ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.status, answer.body.toString(), answer.framing], [200, text, framing])
        yield* wire.send("HEAD /it HTTP/1.1\r\nHost: a\r\n\r\n")
        assert.strictEqual((yield* wire.answer("HEAD")).status, 200)
        assert.deepStrictEqual(logs, [])
      })
    )
  }

  const web = () => {
    const headers = new Headers([
      ["x", "inner"],
      ["y", "inner"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"]
    ])
    return HttpServerResponse.raw(new globalThis.Response("made", { status: 201, headers }), {
      headers: { x: "outer" }
    })
  }
  both(
    "a Response of the web keeps its status, headers and cookies",
    App.make({ it: Route.get("/it", Effect.sync(web)) }),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        const { headers, line } = yield* wire.answer()
        assert.deepStrictEqual(
          [line, headers.x, headers.y, headers["set-cookie"]],
          ["201 Created", "outer", "inner", "a=1, b=2"]
        )
      })
  )

  const closed: Array<string> = []
  const opened = Effect.sync(() =>
    HttpServerResponse.raw(
      new Readable({
        read() {},
        destroy(_, done) {
          closed.push("closed")
          done(null)
        }
      })
    )
  )
  both("a Node stream that nobody reads is closed", App.make({ it: Route.get("/it", opened) }), ({ wire }) =>
    Effect.gen(function* () {
      closed.length = 0
      yield* wire.send("HEAD /it HTTP/1.1\r\nHost: a\r\n\r\n")
      yield* wire.answer("HEAD")
      assert.deepStrictEqual(closed, ["closed"])
    })
  )

  const form = new FormData()
  form.append("name", "Ada")
  both(
    "a form",
    App.make({
      it: Route.get(
        "/it",
        Effect.sync(() => HttpServerResponse.formData(form))
      )
    }),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        const { body, headers } = yield* wire.answer()
        assert.match(headers["content-type"] ?? "", /^multipart\/form-data; boundary=/)
        assert.include(body.toString(), 'name="name"\r\n\r\nAda\r\n')
      })
  )
})

describe("a client that does not read", () => {
  let produced = 0
  const total = 2000
  const chunk = Buffer.alloc(64 * 1024, 7)
  const many = Stream.map(Stream.rechunk(Stream.range(1, total), 1), () => {
    produced++
    return chunk
  })
  const sum = Crypto.createHash("sha1")
  for (let count = 0; count < total; count++) sum.update(chunk)
  const wanted = sum.digest("hex")

  both(
    "stops the producer, and gets everything when it reads on",
    appOf(succeed(HttpServerResponse.stream(many))),
    ({ client }) =>
      Effect.gen(function* () {
        produced = 0
        const socket = yield* client.connect
        socket.write(get("/it", "Connection: close\r\n"))
        yield* standstill(() => produced)
        assert.isAbove(produced, 0)
        assert.isBelow(produced, total / 2)
        const { body } = Wire.answerIn(yield* Wire.readAll(socket))
        assert.strictEqual(body.length, total * chunk.length)
        assert.strictEqual(Crypto.createHash("sha1").update(body).digest("hex"), wanted)
        assert.strictEqual(produced, total)
      })
  )
})

describe("what a stream has taken is released", () => {
  const events: Array<string> = []
  const note = (text: string) => Effect.sync(() => void events.push(text))
  const scoped = (stream: Stream.Stream<string>) =>
    Effect.gen(function* () {
      events.length = 0
      yield* Effect.addFinalizer(() => note("request"))
      return Response.stream(Stream.ensuring(Stream.concat(one, stream), note("stream")))
    })

  both(
    "when it has ended, before the request",
    App.make({ it: Route.get("/it", scoped(Stream.fromEffect(Effect.as(note("pulled"), "two")))) }),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        yield* wire.answer()
        assert.deepStrictEqual(events, ["pulled", "stream", "request"])
      })
  )

  both("when the client leaves", App.make({ it: Route.get("/it", scoped(Stream.never)) }), ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/it"))
      yield* wire.until("one")
      wire.socket.destroy()
      yield* until(() => events.length === 2)
      assert.deepStrictEqual(events, ["stream", "request"])
    })
  )
})
