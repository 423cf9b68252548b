/**
 * Bodies that do not come, or too slowly: in memory by a test's clock, and on sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../../src/App.ts"
import * as Body from "../../../src/Body.ts"
import * as Cors from "../../../src/middleware/Cors.ts"
import type { Outcome } from "../../../src/Outcome.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import type * as Server from "../../../src/server/Server.ts"
import * as Testing from "../../../src/testing/Testing.ts"
import * as Wire from "../../conformance/wire.ts"
import { both, get, recorder } from "../both.ts"
import { start } from "../started.ts"

const events: Array<string> = []

const length = Effect.map(Body.bytes({ limit: "1 GB" }), (bytes) => Response.text(String(bytes.length)))

const app = App.make({
  home: Route.get("/", Response.text("home")),
  bytes: Route.post("/bytes", length),
  chunks: Route.post(
    "/chunks",
    Effect.map(Stream.runCount(Body.stream({ limit: "1 GB" })), (count) => Response.text(`${count > 0}`)).pipe(
      Effect.onError(() => Effect.sync(() => void events.push("failed")))
    )
  ),
  lazy: Route.post("/lazy", Effect.andThen(Effect.sleep("2 minutes"), length)),
  rescued: Route.post(
    "/rescued",
    Effect.catch(length, ({ status }) => Effect.succeed(Response.text(`given up: ${status}`)))
  ),
  echo: Route.post(
    "/echo",
    Effect.map(HttpServerRequest.HttpServerRequest, ({ stream }) => Response.stream(stream))
  )
}).pipe(App.use(Cors.make({ origins: ["https://a.test"] })))

const announce = (path: string, head = "") =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nOrigin: https://a.test\r\nContent-Length: 100000\r\n${head}\r\n`

/** More than the second after which the server has looked. */
const look = Effect.callback<void>((resume) => void setTimeout(() => resume(Effect.void), 1200))
const pass = (time: "59 seconds" | "4 seconds" | "2 seconds" | "1 minute") =>
  Effect.andThen(TestClock.adjust(time), look)

const inMemory = (options: Testing.Options = {}) => Effect.flatMap(Testing.client(app, options), Wire.open)
const noRate = { minBodyRate: 0 }

describe.concurrent("a body that does not come", () => {
  it.effect("is a 408 after a minute of silence, and not before", () =>
    Effect.gen(function* () {
      const wire = yield* inMemory(noRate)
      yield* wire.send(`${announce("/bytes")}some`)
      yield* pass("59 seconds")
      assert.strictEqual(wire.rest(), "")
      yield* pass("2 seconds")
      const answer = yield* wire.answer()
      assert.strictEqual(answer.line, "408 Request Timeout")
      assert.strictEqual(JSON.parse(answer.body.toString()).detail, "The body did not arrive in time")
      assert.strictEqual(answer.headers.connection, "close")
      // The middleware around the handler has seen the failure, and the page its answer.
      assert.strictEqual(answer.headers["access-control-allow-origin"], "https://a.test")
    })
  )

  it.effect("is a 408 after five seconds where it has a rate, and not before", () =>
    Effect.gen(function* () {
      const wire = yield* inMemory()
      yield* wire.send(`${announce("/bytes")}some`)
      yield* pass("4 seconds")
      assert.strictEqual(wire.rest(), "")
      yield* pass("2 seconds")
      assert.strictEqual((yield* wire.answer()).status, 408)
    })
  )

  it.effect("has all the time that its handler lets it wait", () =>
    Effect.gen(function* () {
      const wire = yield* inMemory()
      yield* wire.send(`${announce("/lazy")}some`)
      yield* pass("1 minute")
      yield* pass("59 seconds")
      assert.strictEqual(wire.rest(), "")
      yield* pass("2 seconds")
      assert.strictEqual(wire.rest(), "")
      yield* wire.send("x".repeat(100_000 - 4))
      assert.strictEqual((yield* wire.answer()).body.toString(), "100000")
    })
  )

  it.effect("is none that never ends where there is no limit", () =>
    Effect.gen(function* () {
      const wire = yield* inMemory({ minBodyRate: 0, bodyTimeout: "Infinity" })
      yield* wire.send(`${announce("/bytes")}some`)
      yield* pass("1 minute")
      yield* pass("1 minute")
      yield* wire.send("x".repeat(100_000 - 4))
      assert.strictEqual((yield* wire.answer()).body.toString(), "100000")
    })
  )

  it.effect("behind an answer that did not wait for it costs the connection", () =>
    Effect.gen(function* () {
      const wire = yield* inMemory()
      yield* wire.send(`${announce("/nowhere")}some`)
      assert.strictEqual((yield* wire.answer()).status, 404)
      yield* pass("4 seconds")
      assert.isFalse(wire.isOver())
      yield* pass("2 seconds")
      assert.strictEqual(yield* wire.closed, "")
    })
  )
})

const short = { bodyTimeout: "500 millis" } satisfies Server.Options

const slow: ReadonlyArray<readonly [string, string]> = [
  ["a reader of bytes", announce("/bytes")],
  ["a reader of chunks", announce("/chunks")],
  ["one that is decoded", announce("/bytes", "Content-Encoding: gzip\r\n")],
  ["one in chunks", "POST /bytes HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["one that was waited for by 100 Continue", announce("/bytes", "Expect: 100-continue\r\n")]
]

for (const [name, head] of slow) {
  both(
    `the silence behind the head of ${name}`,
    app,
    ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(head)
        const answer = yield* wire.answer()
        assert.strictEqual(answer.line, "408 Request Timeout")
        assert.strictEqual(yield* wire.closed, "")
        assert.deepStrictEqual(
          logs.filter((line) => /^(?:Warn|Error|Fatal)/.test(line)),
          []
        )
      }),
    short
  )
}

both(
  "a handler that knows what to do without the body",
  app,
  ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(announce("/rescued"))
      const answer = yield* wire.answer()
      assert.deepStrictEqual([answer.body.toString(), answer.headers.connection], ["given up: 408", "close"])
      assert.strictEqual(yield* wire.closed, "")
    }),
  short
)

both(
  "a body that stops behind the head of its answer",
  app,
  ({ logs, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(`${announce("/echo")}some`)
      yield* wire.until("some")
      yield* wire.closed
      assert.isTrue(wire.isReset())
      assert.deepStrictEqual(
        logs.filter((line) => /^(?:Warn|Error|Fatal)/.test(line)),
        []
      )
    }),
  short
)

describe.concurrent("on a socket", () => {
  it.live(
    "a byte in a tenth of a second is too slow after five seconds, and a whole body that comes in pieces is not",
    () =>
      Effect.gen(function* () {
        const outcomes: Array<Outcome> = []
        const accessLog = ({ outcome }: { readonly outcome: Outcome }) => {
          outcomes.push(outcome)
          return ""
        }
        const { connect } = yield* start(app, { accessLog })
        const [trickle, steady] = [yield* connect, yield* connect]
        yield* trickle.send(announce("/chunks"))
        yield* Effect.forkScoped(Effect.repeat(trickle.send("x"), Schedule.spaced("100 millis")))
        yield* steady.send(announce("/bytes"))
        const sent = yield* Effect.forkScoped(
          Effect.repeat(steady.send("x".repeat(1000)), { times: 99, schedule: Schedule.spaced("80 millis") })
        )
        yield* Effect.sleep("4500 millis")
        assert.strictEqual(trickle.rest(), "")
        assert.strictEqual((yield* trickle.answer()).status, 408)
        yield* Fiber.join(sent)
        assert.strictEqual((yield* steady.answer()).body.toString(), "100000")
        assert.deepStrictEqual(
          outcomes.map(({ error, result, status }) => [status, result, error]),
          [
            [408, "timedOut", "RequestTimeout"],
            [200, "completed", undefined]
          ]
        )
        assert.isTrue(events.includes("failed"))
        yield* steady.send(get("/"))
        assert.strictEqual((yield* steady.answer()).body.toString(), "home")
      }).pipe(Effect.provide(recorder().layer))
  )
})
