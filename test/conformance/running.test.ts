/**
 * What comes while an answer is going out never gets into it.
 *
 * @spec RFC 9112 §9.3.2, §2.2
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { both, get, post, until } from "../server/both.ts"
import { start } from "../server/started.ts"
import * as Wire from "./wire.ts"

let gate = Deferred.makeUnsafe<void>()
let taken = 0

const gated = Stream.concat(
  Stream.make("one"),
  Stream.fromEffect(Effect.suspend(() => Effect.as(Deferred.await(gate), "two")))
)

const app = App.make({
  gated: Route.get(
    "/gated",
    Effect.sync(() => Response.stream(gated))
  ),
  echo: Route.post(
    "/echo",
    Effect.map(Effect.context<never>(), (context) =>
      Response.stream(Stream.provideContext(Body.stream(), context as never))
    )
  ),
  whole: Route.post(
    "/whole",
    Effect.map(Body.bytes(), ({ length }) => Response.text(String(length)))
  ),
  slow: Route.post(
    "/slow",
    Effect.as(
      Stream.runForEach(Body.stream({ limit: "1 GB" }), (chunk) =>
        Effect.suspend(() => {
          taken += chunk.length
          return Deferred.await(gate)
        })
      ),
      Response.text("done")
    )
  ),
  megabyte: Route.get("/megabyte/{digit}", ({ params }) =>
    Effect.succeed(
      Response.stream(Stream.rechunk(Stream.fromIterable(Array(10).fill(params.digit.repeat(100_000))), 1))
    )
  ),
  number: Route.get("/number/{number}", ({ params }) => Effect.succeed(Response.text(params.number)))
})

const fresh = Effect.sync(() => {
  gate = Deferred.makeUnsafe<void>()
  taken = 0
})

const refusals: ReadonlyArray<readonly [name: string, bytes: string, line: string]> = [
  ["junk", "\0\0\0", "400 Bad Request"],
  ["a head that is too large", `GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}`, "431 Request Header Fields Too Large"],
  ["a bad chunk", "POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400 Bad Request"],
  ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "405 Method Not Allowed"],
  ["a head without Host", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request"]
]

describe("while a stream is going out", () => {
  for (const [name, bytes, line] of refusals) {
    both(`${name} is refused when it has ended`, app, ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* fresh
        yield* wire.send(get("/gated"))
        yield* wire.until("one\r\n")
        yield* wire.send(bytes)
        yield* Effect.repeat(turn, { times: 20 })
        assert.strictEqual(wire.rest(), "")
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual(yield* wire.until("0\r\n\r\n"), "3\r\ntwo\r\n0\r\n\r\n")
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.line, answer.headers.connection], [line, "close"])
        assert.strictEqual(yield* wire.closed, "")
        assert.deepStrictEqual(
          logs.filter((line) => !line.startsWith("Debug")),
          []
        )
      })
    )
  }

  both("a bad chunk of its own request cuts it", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
      yield* wire.until("3\r\nabc\r\n")
      yield* wire.send("x\r\n")
      assert.strictEqual(yield* wire.closed, "")
    })
  )
})

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

describe("a flood", () => {
  both("of 5000 requests in one packet is answered in order", app, ({ wire }) =>
    Effect.gen(function* () {
      const count = 5000
      yield* wire.send(Array.from({ length: count }, (_, number) => get(`/number/${number}`)).join(""))
      for (let number = 0; number < count; number++) {
        assert.strictEqual((yield* wire.answer()).body.toString(), String(number))
      }
    })
  )

  both("of 100 requests for a megabyte each is answered in order", app, ({ client }) =>
    Effect.gen(function* () {
      const socket = yield* client.connect
      const requests = Array.from({ length: 100 }, (_, number) => get(`/megabyte/${number % 10}`))
      socket.write(requests.join("") + get("/number/1", "Connection: close\r\n"))
      const bytes = yield* Wire.readAll(socket)
      const order = Array.from(
        bytes.toString("latin1").matchAll(/\r\n\r\n[0-9a-f]+\r\n([0-9])\1\1\1/g),
        ([, digit]) => digit
      )
      assert.strictEqual(order.join(""), "0123456789".repeat(10))
      assert.isAbove(bytes.length, 100 * 1_000_000)
    })
  )

  both("of uploads behind an answer that waits is answered in order", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* fresh
      const body = "x".repeat(200_000)
      yield* wire.send(get("/gated") + post("/echo", body).repeat(5))
      yield* wire.until("one\r\n")
      yield* Effect.repeat(turn, { times: 20 })
      yield* Deferred.succeed(gate, undefined)
      yield* wire.until("0\r\n\r\n")
      for (let count = 0; count < 5; count++) assert.strictEqual((yield* wire.answer()).body.toString(), body)
    })
  )

  it.live("of a million chunks of one byte does not keep them apart", () =>
    Effect.gen(function* () {
      const { connect } = yield* start(app)
      const { socket } = yield* connect
      const total = 1_000_000
      const head = "POST /whole HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
      const bytes = Buffer.from(`${head}${"1\r\nx\r\n".repeat(total)}0\r\n\r\n`)
      const used = () => process.memoryUsage().heapUsed + process.memoryUsage().external
      let most = 0
      const before = used()
      const timer = setInterval(() => {
        most = Math.max(most, used() - before)
      }, 5)
      socket.write(bytes)
      const { body } = Wire.answerIn(yield* Wire.readAll(socket))
      clearInterval(timer)
      assert.strictEqual(body.toString(), String(total))
      assert.isBelow(most, 130_000_000)
    })
  )

  it.live("of an upload waits for its handler", () =>
    Effect.gen(function* () {
      yield* fresh
      const { connect } = yield* start(app, { shutdownTimeout: 0 })
      const wire = yield* connect
      const total = 100_000_000
      yield* wire.send(`POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`)
      let sent = false
      wire.socket.write(Buffer.alloc(total), () => {
        sent = true
      })
      yield* until(() => taken > 0)
      // Nothing tells that something will not happen: the kernel's buffers fill in this time, and 100 MB would be through.
      yield* Effect.sleep("300 millis")
      assert.isFalse(sent)
      assert.isBelow(taken, 1_000_000)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* wire.answer()).body.toString(), "done")
      assert.strictEqual(taken, total)
    })
  )
})
