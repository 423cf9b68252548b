/**
 * Overload on connections: what is answered and logged, what takes no place, and what becomes of the readiness.
 */
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as Health from "../../src/handlers/Health.ts"
import * as AccessLog from "../../src/middleware/AccessLog.ts"
import * as Cors from "../../src/middleware/Cors.ts"
import * as Overload from "../../src/middleware/Overload.ts"
import * as RequestId from "../../src/middleware/RequestId.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import { both, get, turns, until } from "../server/both.ts"

let gate = Deferred.makeUnsafe<void>()
let called = 0
const reset = Effect.sync(() => {
  gate = Deferred.makeUnsafe<void>()
  called = 0
  outcomes.length = 0
})
const outcomes: Array<string> = []
const one = (options: Overload.Options = {}) => Overload.make({ minLimit: 1, maxLimit: 1, ...options })

const routes = {
  work: Route.get(
    "/work",
    Effect.suspend(() => {
      called++
      return Effect.as(Deferred.await(gate), Response.text("done"))
    })
  ),
  plain: Route.get("/plain", () => {
    called++
    return Response.text("plain")
  }),
  stream: Route.get("/stream", () => Response.stream(Stream.concat(Stream.make("a"), Stream.never))),
  socket: Route.websocket(
    "/socket",
    WebSocket.raw({}, () => Effect.never)
  ),
  narrow: Route.get(
    "/narrow",
    Effect.suspend(() => Effect.as(Deferred.await(gate), Response.text("")))
  ).pipe(Route.concurrency({ limit: 1, queue: 0 }), Route.priority("critical")),
  health: Route.mount("/health", Health.make())
}
const log = AccessLog.make({
  format: ({ outcome }) => `${outcome.pattern} ${outcome.result} ${outcome.error} ${outcome.status}`,
  write: (lines) => outcomes.push(...lines.trim().split("\n"))
})
const limited = (overload: ReturnType<typeof one>) =>
  App.make(routes).pipe(
    App.use(overload),
    App.use(Cors.make({ origins: ["https://a.test"] })),
    App.use(RequestId.make()),
    App.use(log)
  )

both(
  "who is refused gets 503, when to come back, and what others have too",
  limited(one({ queue: 0 })),
  ({ client, logs, wire }) =>
    Effect.gen(function* () {
      yield* reset
      yield* wire.send(get("/work"))
      yield* until(() => called === 1)
      for (let i = 0; i < 20; i++) {
        const { headers, json, status } = yield* client.get("/plain", { headers: { origin: "https://a.test" } })
        assert.strictEqual(status, 503)
        assert.match(headers["retry-after"] ?? "", /^[12]$/)
        assert.deepStrictEqual(
          [headers["access-control-allow-origin"], headers["content-type"]],
          ["https://a.test", "application/problem+json"]
        )
        assert.deepStrictEqual(yield* json, {
          type: "about:blank",
          title: "Service Unavailable",
          status: 503,
          detail: "The server has too much to do: come back later",
          requestId: headers["x-request-id"] ?? "",
          _tag: "Overloaded"
        })
      }
      // Nothing of the handlers has run.
      assert.strictEqual(called, 1)
      for (const path of ["/health/live", "/health/ready"]) assert.strictEqual((yield* client.get(path)).status, 200)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* wire.answer()).body.toString(), "done")
      assert.strictEqual((yield* client.get("/plain")).status, 200)
      yield* until(() => outcomes.length >= 24)
      assert.strictEqual(outcomes.filter((line) => line === "/plain shed Overloaded 503").length, 20)
      assert.deepStrictEqual(
        logs.filter((line) => !line.startsWith("Debug")),
        ["Warn Too much to do: 1 request was refused (1 at a time of 1, 0 wait)"]
      )
    })
)

both("who is refused by Route.concurrency is shed too", limited(Overload.make()), ({ client, logs, wire }) =>
  Effect.gen(function* () {
    yield* reset
    yield* wire.send(get("/narrow"))
    yield* turns
    for (let i = 0; i < 3; i++) assert.strictEqual((yield* client.get("/narrow")).status, 503)
    yield* until(() => outcomes.length >= 3)
    assert.deepStrictEqual(outcomes, Array(3).fill("/narrow shed ServiceUnavailable 503"))
    assert.deepStrictEqual(
      logs.filter((line) => !line.startsWith("Debug")),
      ["Warn Too much to do: 1 request was refused (Route.concurrency: 1 at a time, 0 wait)"]
    )
  })
)

both("who waits is forgotten when its client leaves", limited(one({ queue: 1 })), ({ client, connect, wire }) =>
  Effect.gen(function* () {
    yield* reset
    yield* wire.send(get("/work"))
    yield* until(() => called === 1)
    for (let i = 0; i < 3; i++) {
      const leaves = yield* connect
      yield* leaves.send(get("/work"))
      yield* turns
      leaves.socket.destroy()
      yield* turns
    }
    const waits = yield* connect
    yield* waits.send(get("/plain"))
    yield* turns
    yield* Deferred.succeed(gate, undefined)
    assert.strictEqual((yield* waits.answer()).body.toString(), "plain")
    assert.strictEqual((yield* client.get("/plain")).status, 200)
  })
)

both("streams and sockets that are open take no place", limited(one({ queue: 0 })), ({ client, connect }) =>
  Effect.gen(function* () {
    for (let i = 0; i < 3; i++) {
      const stream = yield* connect
      yield* stream.send(get("/stream"))
      yield* stream.until("a")
      yield* client.webSocket("/socket")
    }
    assert.strictEqual((yield* client.get("/plain")).status, 200)
  })
)

served(
  "readiness says no where it shall, when requests have been refused for so long",
  limited(one({ queue: 0, unreadyAfter: "2 seconds" })),
  (client) =>
    Effect.gen(function* () {
      yield* reset
      yield* Effect.forkScoped(client.get("/work"), { startImmediately: true })
      yield* until(() => called === 1)
      const ready = Effect.map(client.get("/health/ready"), ({ status }) => status)
      const refused = Effect.andThen(client.get("/plain"), TestClock.adjust("900 millis"))
      const seen: Array<number> = []
      for (let i = 0; i < 4; i++) {
        yield* refused
        seen.push(yield* ready)
      }
      assert.deepStrictEqual(seen, [200, 200, 503, 503])
      const { json } = yield* client.get("/health/ready")
      assert.deepStrictEqual(yield* json, { status: "fail", output: "The server has too much to do" })
      assert.strictEqual((yield* client.get("/health/live")).status, 200)
      // For a second nothing was refused.
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(yield* ready, 200)
      // And what is refused then is refused anew.
      yield* refused
      assert.strictEqual(yield* ready, 200)
    })
)
