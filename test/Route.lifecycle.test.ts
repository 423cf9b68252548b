/**
 * `Route.onDisconnect` and `Route.onDrain`: what becomes of a handler whose client leaves, or whose server stops.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import type * as Middleware from "../src/Middleware.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as Wire from "./conformance/wire.ts"
import { both, get, turns, until } from "./server/both.ts"

const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))
let gate = Deferred.makeUnsafe<void>()
const reset = Effect.sync(() => {
  events.length = 0
  gate = Deferred.makeUnsafe()
})
const open = Effect.suspend(() => Deferred.succeed(gate, undefined))

const gated = Effect.gen(function* () {
  yield* note("started")
  yield* Effect.suspend(() => Deferred.await(gate))
  yield* note("finished")
  return Response.text("done")
}).pipe(Effect.onInterrupt(() => note("interrupted")))

const after: Middleware.Middleware = (handler) => Effect.tap(handler, () => note("after"))
const streamed = Stream.concat(Stream.make("one"), Stream.never).pipe(
  Stream.onExit((exit) => note(Exit.isSuccess(exit) ? "ended" : "cut"))
)

const app = App.make({
  interrupt: Route.get("/interrupt", gated).pipe(Route.onDisconnect("interrupt")),
  finish: Route.get("/finish", gated).pipe(Route.onDisconnect("finish")),
  within: Route.get("/within", gated).pipe(Route.onDisconnect(Route.finishWithin("10 seconds"))),
  stream: Route.get("/stream", Response.stream(streamed)).pipe(Route.onDisconnect("finish")),
  timed: Route.get("/timed", gated).pipe(Route.timeout("5 seconds"), Route.onDisconnect("finish")),
  plain: Route.get("/plain", gated),
  probe: Route.get("/probe", Response.text("probe"))
}).pipe(App.use(after))

const inherited = App.make({
  finish: Route.get("/finish", gated),
  interrupt: Route.get("/interrupt", gated).pipe(Route.onDisconnect("interrupt"))
}).pipe(App.policy(Route.onDisconnect("finish")))

for (const [way, leave] of [
  ["by a reset", "destroy"],
  ["by the end of its side", "end"]
] as const) {
  describe(`a client leaves ${way}`, () => {
    for (const path of ["/interrupt", "/plain"]) {
      both(`the handler of ${path} is interrupted`, app, ({ wire }) =>
        Effect.gen(function* () {
          yield* reset
          yield* wire.send(get(path))
          yield* until(() => events.length === 1)
          wire.socket[leave]()
          yield* until(() => events.length === 2)
          assert.deepStrictEqual(events, ["started", "interrupted"])
        })
      )
    }

    both(`"finish": the handler goes on, and the middleware around it`, app, ({ connect, logs, wire }) =>
      Effect.gen(function* () {
        yield* reset
        yield* wire.send(get("/finish"))
        yield* until(() => events.length === 1)
        wire.socket[leave]()
        const other = yield* connect
        yield* other.send(get("/probe"))
        assert.strictEqual((yield* other.answer()).status, 200)
        assert.deepStrictEqual(events, ["started", "after"])
        yield* open
        yield* until(() => events.length === 4)
        assert.deepStrictEqual(events, ["started", "after", "finished", "after"])
        assert.deepStrictEqual(
          logs.filter((line) => !line.startsWith("Debug")),
          []
        )
      })
    )
  })
}

both(`"finish" does not hold for a stream whose head was sent`, app, ({ wire }) =>
  Effect.gen(function* () {
    yield* reset
    yield* wire.send(get("/stream"))
    yield* wire.until("one")
    wire.socket.destroy()
    yield* until(() => events.includes("cut"))
  })
)

both("the policy of an app holds where a route has none of its own", inherited, ({ connect, wire }) =>
  Effect.gen(function* () {
    yield* reset
    const other = yield* connect
    yield* wire.send(get("/finish"))
    yield* other.send(get("/interrupt"))
    yield* until(() => events.length === 2)
    wire.socket.destroy()
    other.socket.destroy()
    yield* until(() => events.length === 3)
    assert.strictEqual(events[2], "interrupted")
    yield* open
    yield* until(() => events.length === 4)
    assert.strictEqual(events[3], "finished")
  })
)

const clients = [
  ["in memory", Testing.client],
  ["on a socket", Testing.socketClient]
] as const

for (const [way, start] of clients) {
  describe(`by the clock, ${way}`, () => {
    const left = Effect.fnUntraced(function* (path: string) {
      yield* reset
      const client = yield* start<never, never, {}, never>(app as never)
      const wire = yield* Wire.open(client)
      yield* wire.send(get(path))
      yield* until(() => events.length === 1)
      wire.socket.destroy()
      yield* turns
      // What comes after it is answered behind the end of the other connection.
      yield* client.get("/probe")
      events.splice(1)
    })

    it.effect("finishWithin: the handler is interrupted when the time is over", () =>
      Effect.gen(function* () {
        yield* left("/within")
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual(events, ["started"])
        yield* TestClock.adjust("1 second")
        yield* until(() => events.length === 2)
        assert.deepStrictEqual(events, ["started", "interrupted"])
      })
    )

    it.effect("finishWithin: the handler finishes before", () =>
      Effect.gen(function* () {
        yield* left("/within")
        yield* TestClock.adjust("9 seconds")
        yield* open
        yield* until(() => events.length === 3)
        assert.deepStrictEqual(events, ["started", "finished", "after"])
      })
    )

    it.effect("a timeout ends what goes on without its client", () =>
      Effect.gen(function* () {
        yield* left("/timed")
        yield* TestClock.adjust("5 seconds")
        yield* until(() => events.length === 2)
        assert.deepStrictEqual(events, ["started", "interrupted"])
      })
    )
  })
}

const told = Effect.gen(function* () {
  const draining = yield* Route.draining
  yield* note("started")
  yield* Effect.raceFirst(draining, Deferred.await(gate))
  yield* note("told")
  return Response.text("bye")
})

const watching = Effect.map(Route.draining, (draining) =>
  Response.stream(
    Stream.concat(Stream.interruptWhen(Stream.concat(Stream.make("one"), Stream.never), draining), Stream.make("two"))
  )
)

const drained = App.make({
  await: Route.get("/await", gated).pipe(Route.onDrain("await")),
  interrupt: Route.get("/interrupt", gated).pipe(Route.onDrain("interrupt")),
  stream: Route.get("/stream", Response.stream(streamed)).pipe(Route.onDrain("interrupt")),
  told: Route.get("/told", told).pipe(Route.onDrain("notify")),
  untold: Route.get("/untold", told),
  events: Route.get("/events", watching).pipe(Route.onDrain("notify"))
})

for (const [way, start] of clients) {
  describe(`the server stops, ${way}`, () => {
    /** A server with a request under way; gives how to read its answer, once the server has begun to stop. */
    const stopping = Effect.fnUntraced(function* (path: string, ready: (wire: Wire.Wire) => Effect.Effect<unknown>) {
      yield* reset
      const scope = yield* Scope.make()
      const made = start<never, never, {}, never>(drained as never, { shutdownTimeout: "30 seconds" })
      const client = yield* Scope.provide(made, scope)
      const wire = yield* Wire.open(client)
      yield* wire.send(get(path))
      yield* ready(wire)
      const stopped = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      return { wire, stopped }
    })
    const started = () => until(() => events.length === 1)

    it.live(`"interrupt": at once, with 503 and Retry-After`, () =>
      Effect.gen(function* () {
        const { stopped, wire } = yield* stopping("/interrupt", started)
        const { headers, status } = yield* wire.answer()
        assert.deepStrictEqual([status, headers["retry-after"], headers.connection], [503, "1", "close"])
        yield* Fiber.join(stopped)
        assert.deepStrictEqual(events, ["started", "interrupted"])
      })
    )

    it.live(`"interrupt": a stream is cut`, () =>
      Effect.gen(function* () {
        const { stopped, wire } = yield* stopping("/stream", (wire) => wire.until("one"))
        assert.notInclude(yield* wire.closed, "0\r\n\r\n")
        yield* Fiber.join(stopped)
        assert.deepStrictEqual(events, ["cut"])
      })
    )

    it.live(`"await": it is waited for`, () =>
      Effect.gen(function* () {
        const { stopped, wire } = yield* stopping("/await", started)
        yield* turns
        assert.deepStrictEqual(events, ["started"])
        yield* open
        assert.strictEqual((yield* wire.answer()).body.toString(), "done")
        yield* Fiber.join(stopped)
      })
    )

    it.live(`"notify": the handler is told, and ends by itself`, () =>
      Effect.gen(function* () {
        const { stopped, wire } = yield* stopping("/told", started)
        assert.strictEqual((yield* wire.answer()).body.toString(), "bye")
        yield* Fiber.join(stopped)
      })
    )

    it.live(`"notify": a stream ends as a whole one`, () =>
      Effect.gen(function* () {
        const { stopped, wire } = yield* stopping("/events", (wire) => wire.until("one"))
        assert.include(yield* wire.closed, "two\r\n0\r\n\r\n")
        yield* Fiber.join(stopped)
      })
    )

    it.live("a route that did not ask is not told", () =>
      Effect.gen(function* () {
        const { stopped, wire } = yield* stopping("/untold", started)
        yield* turns
        assert.deepStrictEqual(events, ["started"])
        yield* open
        assert.strictEqual((yield* wire.answer()).body.toString(), "bye")
        yield* Fiber.join(stopped)
      })
    )
  })
}

describe("under other engines", () => {
  const handler = App.toWebHandler(app)
  const leave = Effect.fnUntraced(function* (path: string) {
    yield* reset
    const controller = new AbortController()
    const answer = handler(new globalThis.Request(`http://app.test${path}`, { signal: controller.signal }))
    answer.catch(() => {})
    yield* until(() => events.includes("started"))
    controller.abort()
    yield* turns
  })

  it.live("a handler is interrupted when the client leaves", () =>
    Effect.gen(function* () {
      yield* leave("/plain")
      yield* until(() => events.length === 2)
      assert.deepStrictEqual(events, ["started", "interrupted"])
    })
  )

  it.live(`"finish": it goes on`, () =>
    Effect.gen(function* () {
      yield* leave("/finish")
      assert.deepStrictEqual(events, ["started"])
      yield* open
      yield* until(() => events.length === 3)
      assert.deepStrictEqual(events, ["started", "finished", "after"])
    })
  )
})
