/**
 * Clients that are slow or large: they get an answer, and never hold a connection for ever.
 *
 * @spec RFC 9110 §15.5.9, §15.5.14; RFC 9112 §9.5, §9.6
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { get, until } from "../server/both.ts"
import { start } from "../server/started.ts"
import type * as Wire from "./wire.ts"

const events: Array<string> = []

const app = App.make({
  home: Route.get("/", Effect.succeed(Response.text("home"))),
  echo: Route.post(
    "/echo",
    Effect.map(Body.bytes(), (bytes) => Response.bytes(bytes)).pipe(
      Effect.onInterrupt(() => Effect.sync(() => void events.push("interrupted")))
    )
  ),
  slow: Route.get("/slow", Effect.as(Effect.sleep("2500 millis"), Response.text("slow")))
})

const refused = Effect.fnUntraced(function* (wire: Wire.Wire, line: string) {
  const answer = yield* wire.answer()
  assert.deepStrictEqual([answer.line, answer.headers.connection], [line, "close"])
  assert.strictEqual(JSON.parse(answer.body.toString()).status, answer.status)
  assert.strictEqual(yield* wire.closed, "")
})

const timeout = "408 Request Timeout"

// Node looks after its connections once a second.
describe.concurrent("a client that is slow", () => {
  const options = {
    headersTimeout: "200 millis",
    requestTimeout: "400 millis",
    keepAliveTimeout: "200 millis"
  } as const

  it.live("with its head gets a 408", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app, options)).connect
      yield* wire.send("GET / HTTP/1.1\r\nHost: a\r\n")
      yield* refused(wire, timeout)
    })
  )

  it.live("with its head, byte by byte, gets a 408", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app, options)).connect
      yield* wire.send("GET / HTTP/1.1\r\nHost: a\r\nx: ")
      yield* Effect.forkScoped(Effect.repeat(wire.send("x"), Schedule.spaced("20 millis")))
      yield* refused(wire, timeout)
    })
  )

  it.live("with the head of its second request gets a 408", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app, options)).connect
      yield* wire.send(get("/"))
      yield* wire.answer()
      yield* wire.send("GET / HT")
      yield* refused(wire, timeout)
    })
  )

  it.live("with its body gets a 408, and its handler is interrupted", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app, options)).connect
      yield* wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
      yield* refused(wire, timeout)
      yield* until(() => events.includes("interrupted"))
    })
  )

  it.live("to begin is closed", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app, options)).connect
      yield* refused(wire, timeout)
    })
  )

  it.live("to ask again is closed, without a word", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app, options)).connect
      yield* wire.send(get("/"))
      yield* wire.answer()
      assert.strictEqual(yield* wire.closed, "")
    })
  )

  it.live("never: a handler that is slow has no limit", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app, options)).connect
      yield* wire.send(get("/slow"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "slow")
    })
  )
})

describe("a client that sends 50 MB where 1 MiB is the limit", () => {
  const head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n"
  const tooLarge = "413 Content Too Large"

  it.live("gets its 413 when it reads only after it has sent all", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app)).connect
      wire.socket.pause()
      yield* wire.send(head)
      yield* Effect.callback<void>((resume) => {
        wire.socket.write(Buffer.alloc(50_000_000), () => resume(Effect.void))
      })
      wire.socket.resume()
      yield* refused(wire, tooLarge)
    })
  )

  it.live("gets its 413 when it sends for two seconds and reads only then", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app)).connect
      wire.socket.pause()
      yield* wire.send(head)
      yield* Effect.repeat(Effect.andThen(wire.send(Buffer.alloc(50_000)), Effect.sleep("200 millis")), { times: 10 })
      wire.socket.resume()
      yield* refused(wire, tooLarge)
    })
  )

  it.live("gets its 413 when it sends in chunks", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app)).connect
      yield* wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
      const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536), Buffer.from("\r\n")])
      for (let count = 0; count < 760; count++) yield* wire.send(chunk)
      const answer = yield* wire.answer()
      assert.strictEqual(answer.line, tooLarge)
      assert.strictEqual(yield* wire.closed, "")
    })
  )
})

describe("a client that ends its side after its request", () => {
  it.live("gets the answer that is there at once", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app)).connect
      wire.socket.end(get("/"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "home")
      assert.strictEqual(yield* wire.closed, "")
    })
  )

  it.live("in the middle of a head gets a 400", () =>
    Effect.gen(function* () {
      const wire = yield* (yield* start(app)).connect
      wire.socket.end("GET / HTTP/1.1\r\nHo")
      yield* refused(wire, "400 Bad Request")
    })
  )
})
