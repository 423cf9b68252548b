/**
 * Attacks on the admission: who floods wants to be served before the others, or not at all to be counted.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as HttpError from "../../src/HttpError.ts"
import { Limit } from "../../src/internal/overload/limit.ts"
import { FairQueue } from "../../src/internal/overload/queue.ts"
import * as Overload from "../../src/middleware/Overload.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { asking, Backend, clients } from "../middleware/backend.ts"
import { both, get, turns } from "../server/both.ts"
import { attacks } from "./attacks.ts"

const byWho = Effect.map(HttpServerRequest, ({ headers }) => headers["x-who"])
const fixed = (limit: number, options: Overload.Options<never, HttpServerRequest> = {}) =>
  Overload.make({ minLimit: limit, maxLimit: limit, initialLimit: limit, ...options })

/** Of 40 requests of a polite client, how many were answered beside 60 of a flood. */
const beside = (path: string, who: string, app: App.Any) =>
  Effect.gen(function* () {
    yield* clients(60, asking(app, path, { "x-who": who }))
    yield* TestClock.adjust("2 seconds")
    let answered = 0
    for (let i = 0; i < 40; i++) {
      const polite = yield* Effect.forkChild(asking(app, "/", { "x-who": "polite" }), { startImmediately: true })
      yield* TestClock.adjust("100 millis")
      // One that takes longer still counts, but the next waits for it.
      while (polite.pollUnsafe() === undefined) yield* TestClock.adjust("50 millis")
      if ((yield* Fiber.join(polite)).status === 200) answered++
    }
    return answered
  })

attacks("the admission", [
  {
    attack: "one key floods with 60 clients at a time",
    stoppedBy: "each key has its turn: the other is answered",
    run: Effect.gen(function* () {
      const backend = new Backend(10, 100)
      const app = App.make({ home: Route.get("/", backend.work) }).pipe(App.use(fixed(10, { key: byWho })))
      assert.strictEqual(yield* beside("/", "flood", app), 40)
    })
  },
  {
    attack: "what is sheddable is asked for by 60 clients at a time",
    stoppedBy: "what matters more is next, and makes it leave the queue",
    run: Effect.gen(function* () {
      const backend = new Backend(10, 100)
      const app = App.make({
        home: Route.get("/", backend.work),
        search: Route.get("/search", backend.work).pipe(Route.priority("sheddable"))
      }).pipe(App.use(fixed(10)))
      assert.strictEqual(yield* beside("/search", "anyone", app), 40)
    })
  },
  {
    attack: "each request has another key, to fill the memory",
    stoppedBy: "keys are kept as long as one of theirs waits, and no more wait than the queue has room for",
    run: Effect.sync(() => {
      const queue = new FairQueue(3)
      for (let i = 0; i < 100_000; i++) queue.add(`key ${i}`, i % 3, 20)
      assert.strictEqual(queue.size, 20)
      while (queue.next(false) !== undefined);
      assert.strictEqual(queue.size, 0)
    })
  },
  {
    attack: "requests that fail at once, so that the limit thinks that all is fast",
    stoppedBy: "what fails is no measure",
    run: Effect.gen(function* () {
      const backend = new Backend(10, 100)
      const app = App.make({
        home: Route.get(
          "/",
          Effect.flatMap(
            HttpServerRequest,
            ({ headers }): Effect.Effect<HttpServerResponse, HttpError.BadRequest> =>
              headers["x-who"] === "bad" ? Effect.fail(new HttpError.BadRequest()) : backend.work
          )
        )
      }).pipe(App.use(Overload.make()))
      yield* clients(40, asking(app, "/"))
      yield* Effect.forkChild(
        Effect.forever(Effect.andThen(asking(app, "/", { "x-who": "bad" }), Effect.sleep("10 millis")))
      )
      yield* TestClock.adjust("10 seconds")
      let most = 0
      for (let i = 0; i < 40; i++) {
        yield* TestClock.adjust("100 millis")
        most = Math.max(most, backend.inFlight)
      }
      assert.isBelow(most, 24)
    })
  },
  {
    attack: "one request a window that takes for ever, so that nobody else is admitted",
    stoppedBy: "it counts by its route, and for ten times as slow at most",
    run: Effect.sync(() => {
      const limit = new Limit({ min: 4, max: 100, initial: 50, tolerance: 1.5 })
      const random = () => 0.5
      let now = 0
      for (let window = 0; window < 100; window++) {
        const began = now
        now += 200
        limit.begin(50)
        for (let i = 0; i < 60; i++) limit.sample("fast", began, began + 20, random)
        limit.sample("slow", began, began + (window < 10 ? 20 : 200_000), random)
      }
      assert.isAbove(limit.current, 40)
    })
  }
])

const app = App.make({
  work: Route.get("/work", Effect.never as Effect.Effect<HttpServerResponse>),
  text: Route.get("/text", Response.text("text"))
}).pipe(App.use(fixed(2, { queue: 1 })))

both("an Upgrade field takes no request past the limit", app, ({ client, connect }) =>
  Effect.gen(function* () {
    for (let i = 0; i < 2; i++) {
      const wire = yield* connect
      yield* wire.send(get("/work", "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"))
      yield* turns
    }
    const waits = yield* connect
    yield* waits.send(get("/work"))
    yield* turns
    assert.strictEqual((yield* client.get("/text")).status, 503)
  })
)

both("a client that leaves again and again takes no place with it", app, ({ client, connect }) =>
  Effect.gen(function* () {
    for (let i = 0; i < 20; i++) {
      const wire = yield* connect
      yield* wire.send(get("/work"))
      yield* turns
      wire.socket.destroy()
      yield* turns
    }
    assert.strictEqual((yield* client.get("/text")).status, 200)
  })
)

const sum = Effect.map(Body.bytes(), (bytes) => Response.text(String(bytes.length)))
const uploads = App.make({ sum: Route.post("/sum", sum), text: Route.get("/text", Response.text("text")) }).pipe(
  App.use(fixed(2, { queue: 0 }))
)

both(
  "bodies that come byte by byte take no place: their handlers wait for the client",
  uploads,
  ({ client, connect }) =>
    Effect.gen(function* () {
      const slow = yield* Effect.forEach(Array.from({ length: 10 }), () => connect)
      for (const wire of slow) {
        yield* wire.send("POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
        yield* turns
      }
      assert.strictEqual((yield* client.get("/text")).status, 200)
      for (const wire of slow) yield* wire.send("bc")
      for (const wire of slow) assert.strictEqual((yield* wire.answer()).body.toString(), "3")
      assert.strictEqual((yield* client.get("/text")).status, 200)
    })
)
