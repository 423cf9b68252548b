/**
 * Clients of HTTP/2 that do not take an answer: they lose it, and the other requests of their session lose nothing.
 */
import type * as Http2 from "node:http2"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../../../src/App.ts"
import type { Outcome } from "../../../src/Outcome.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import { until } from "../both.ts"
import { ask, test } from "./client.ts"

const large = Buffer.alloc(30 * 1024 * 1024, "x")
const text = "\u00e4".repeat(1_000_000)
const chunks = Stream.map(Stream.range(1, 30), (n) => Buffer.alloc(100_000, n))

const app = App.make({
  home: Route.get("/", Response.text("home")),
  large: Route.get("/large", Response.bytes(large)),
  text: Route.get("/text", Response.text(text)),
  chunks: Route.get("/chunks", () => Response.stream(chunks))
})

const stalled = (client: Http2.ClientHttp2Session, path: string): Http2.ClientHttp2Stream =>
  client
    .request({ ":path": path })
    .on("error", () => {})
    .pause()

test("a large answer arrives whole", app, (client) =>
  Effect.gen(function* () {
    assert.isTrue((yield* ask(client, { ":path": "/large" })).body.equals(large))
    assert.strictEqual(String((yield* ask(client, { ":path": "/text" })).body), text)
    const { body } = yield* ask(client, { ":path": "/chunks" })
    assert.deepStrictEqual([body.length, body[99_999], body[100_000], body.at(-1)], [3_000_000, 1, 2, 30])
  })
)

test("one that is not taken refuses no other request of its session", app, (client) =>
  Effect.gen(function* () {
    stalled(client, "/large")
    for (let count = 0; count < 50; count++) {
      const { body, status } = yield* ask(client, { ":path": "/" })
      assert.deepStrictEqual([status, String(body)], [200, "home"])
    }
  })
)

const outcomes: Array<Outcome> = []
const accessLog = ({ outcome }: { readonly outcome: Outcome }) => {
  outcomes.push(outcome)
  return ""
}

test(
  "one that is not taken is reset in time, whatever else its session is answered",
  app,
  (client) =>
    Effect.gen(function* () {
      outcomes.length = 0
      const stream = stalled(client, "/large")
      const asking = Effect.delay(ask(client, { ":path": "/" }), "200 millis")
      yield* Effect.raceFirst(
        Effect.forever(asking),
        until(() => stream.closed)
      )
      const late = outcomes.filter(({ route }) => route === "large")
      assert.deepStrictEqual(
        late.map(({ error, result }) => [result, error]),
        [["timedOut", "WriteTimeout"]]
      )
      assert.strictEqual((yield* ask(client, { ":path": "/" })).status, 200)
    }),
  { writeTimeout: "2 seconds", accessLog }
)
