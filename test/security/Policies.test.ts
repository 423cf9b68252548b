/**
 * Attacks on the policies of routes: to hold places, to keep work running, to change how long it may take.
 */
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Deadline from "../../src/Deadline.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"
import { get, turns, until } from "../server/both.ts"
import { attacks } from "./attacks.ts"

/** A server with one place, and what runs in it. */
const started = Effect.gen(function* () {
  const state = { running: 0, begun: 0 }
  const gate = yield* Deferred.make<void>()
  const work = Effect.acquireUseRelease(
    Effect.sync(() => {
      state.running++
      state.begun++
    }),
    () => Deferred.await(gate),
    () => Effect.sync(() => void state.running--)
  )
  const done = Effect.as(work, Response.text("done"))
  const one = Route.concurrency({ limit: 1, queue: 1, wait: "10 seconds" })
  const client = yield* Testing.client(
    App.make({
      work: Route.get("/work", done).pipe(one),
      upload: Route.post("/upload", Effect.as(Body.bytes(), Response.text("read"))).pipe(Route.timeout("5 seconds")),
      finish: Route.get("/finish", done).pipe(
        Route.concurrency({ limit: 2, queue: 0 }),
        Route.onDisconnect(Route.finishWithin("5 seconds"))
      ),
      timed: Route.get("/timed", done).pipe(Route.timeout("5 seconds")),
      accepts: Route.get("/accepts", done).pipe(Route.timeout("5 seconds"), Route.use(Deadline.accept())),
      probe: Route.get("/probe", Response.text("probe"))
    })
  )
  const connect = (path: string) =>
    Effect.tap(Wire.open(client), (wire) =>
      Effect.andThen(wire.send(get(path)), Effect.andThen(turns, client.get("/probe")))
    )
  return { client, connect, gate, state }
})

attacks("policies of routes", [
  {
    attack: "a hundred connections that ask for the one place and leave at once",
    stoppedBy: "who leaves is forgotten, and the place goes to who is there",
    run: Effect.gen(function* () {
      const { client, connect, gate, state } = yield* started
      yield* connect("/work")
      for (let i = 0; i < 100; i++) (yield* connect("/work")).socket.destroy()
      yield* turns
      const honest = yield* Effect.forkChild(client.get("/work"), { startImmediately: true })
      yield* turns
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(honest)).status, 200)
      assert.deepStrictEqual([state.running, state.begun], [0, 2])
    })
  },
  {
    attack: "a queue that is filled by who waits for ever",
    stoppedBy: "503 with Retry-After for the next, and for those when their wait is over",
    run: Effect.gen(function* () {
      const { client, connect } = yield* started
      yield* connect("/work")
      const waits = yield* connect("/work")
      assert.strictEqual((yield* client.get("/work")).headers["retry-after"], "1")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* waits.answer()).status, 503)
    })
  },
  {
    attack: "requests whose work goes on when the client has left, to pile it up",
    stoppedBy: "it keeps its place, so the limit holds, and ends when its time is over",
    run: Effect.gen(function* () {
      const { client, connect, state } = yield* started
      for (let i = 0; i < 10; i++) (yield* connect("/finish")).socket.destroy()
      assert.deepStrictEqual([state.running, state.begun], [2, 2])
      assert.strictEqual((yield* client.get("/finish")).status, 503)
      yield* TestClock.adjust("5 seconds")
      yield* until(() => state.running === 0)
    })
  },
  {
    attack: "a body that never comes to its end",
    stoppedBy: "the timeout of the route, which interrupts the reader",
    run: Effect.gen(function* () {
      const { client } = yield* started
      const wire = yield* Wire.open(client)
      yield* wire.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
      yield* turns
      yield* client.get("/probe")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* wire.answer()).status, 503)
    })
  },
  {
    attack: "a header that asks for more time, where none is taken and where it is",
    stoppedBy: "it is not read, or can only shorten what the route says",
    run: Effect.gen(function* () {
      const { client, state } = yield* started
      for (const path of ["/timed", "/accepts"]) {
        const headers = { "x-request-timeout-ms": "999999999" }
        const begun = state.begun
        const asked = yield* Effect.forkChild(client.get(path, { headers }), { startImmediately: true })
        yield* until(() => state.begun > begun)
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(asked)).status, 503)
      }
    })
  }
])
