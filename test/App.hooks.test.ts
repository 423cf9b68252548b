/**
 * The hooks of an app: in which order they run, what they need, and what their failures do.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as App from "../src/App.ts"
import * as Background from "../src/Background.ts"
import * as HttpError from "../src/HttpError.ts"
import type * as Outcome from "../src/Outcome.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Server from "../src/server/Server.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { get, recorder, until } from "./server/both.ts"
import { start } from "./server/started.ts"

class Names extends Context.Service<Names, { readonly note: (text: string) => Effect.Effect<void> }>()("test/Names") {}

const note = (text: string) => Names.use((names) => names.note(text))

const recording = () => {
  const events: Array<string> = []
  const service = Names.of({ note: (text) => Effect.sync(() => void events.push(text)) })
  return { events, provided: Effect.provideService(Names, service) }
}

const home = Route.get("/", Response.text("home"))

const named = (name: string) =>
  [App.onStart(note(`${name} starts`)), App.onDrain(note(`${name} drains`)), App.onStop(note(`${name} stops`))] as const

const inner = App.make({ home }).pipe(...named("inner"))
const host = App.make({ home }).pipe(...named("host"))
const app = App.make({
  a: Route.mount("/a", inner),
  again: Route.mount("/again", inner),
  b: Route.host("b.example", host)
}).pipe(...named("outer"))

const wanted = [
  ...["outer starts", "inner starts", "host starts", "outer drains", "inner drains", "host drains"],
  ...["host stops", "inner stops", "outer stops"]
]

describe("hooks", () => {
  for (const [place, client] of [
    ["in memory", Testing.client],
    ["on a socket", Testing.socketClient]
  ] as const) {
    it.effect(`run in order at the start, reversed at the end, each app's once: ${place}`, () => {
      const { events, provided } = recording()
      return Effect.gen(function* () {
        yield* Effect.scoped(client(app))
        assert.deepStrictEqual(events, wanted)
      }).pipe(provided)
    })
  }

  it("need what their effects need, but no scope", () => {
    const acquiring = App.make({ home }).pipe(App.onStart(Effect.acquireRelease(note("up"), () => note("down"))))
    expectTypeOf<(typeof acquiring)["~R"]>().toEqualTypeOf<Names>()
    const told = App.make({ home }).pipe(App.onOutcome(() => note("ended")))
    expectTypeOf<(typeof told)["~R"]>().toEqualTypeOf<Names>()
    const run = () => {
      // @ts-expect-error test/Names is missing
      Server.run(told)
    }
    assert.isFunction(run)
  })

  it.effect("what a start acquires is released when the server has stopped", () => {
    const { events, provided } = recording()
    const acquiring = App.make({ home }).pipe(App.onStart(Effect.acquireRelease(note("up"), () => note("down"))))
    return Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const client = yield* Testing.client(acquiring)
          yield* client.get("/")
          assert.deepStrictEqual(events, ["up"])
        })
      )
      assert.deepStrictEqual(events, ["up", "down"])
    }).pipe(provided)
  })

  it.live(
    "a start that fails is a start failure: nothing listens, what was built is released, and later hooks never run",
    () => {
      const { events, provided } = recording()
      const failing = App.make({ home }).pipe(
        App.onStart(Effect.acquireRelease(note("up"), () => note("down"))),
        App.onStop(note("first stops")),
        App.onStart(
          Background.fork(
            "feed",
            Effect.onInterrupt(Effect.never, () => note("feed ends"))
          )
        ),
        App.onStart(Effect.fail(new Error("no database"))),
        App.onStop(note("second stops")),
        App.onStart(note("never"))
      )
      return Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.scoped(Server.start(failing, { port: 0 })))
        assert.strictEqual(error._tag, "ServeError")
        assert.strictEqual(error.message, "The app does not start: its onStart 3 of 4 failed: Error: no database")
        assert.deepStrictEqual(events, ["up", "feed ends", "first stops", "down"])
      }).pipe(provided)
    }
  )

  it.live("a drain or a stop that fails is logged, and the others run", () => {
    const { layer, logs } = recorder()
    const { events, provided } = recording()
    const failing = App.make({ home }).pipe(
      App.onDrain(Effect.fail("registry")),
      App.onDrain(note("drains")),
      App.onStop(note("stops")),
      App.onStop(Effect.die("bug"))
    )
    return Effect.gen(function* () {
      yield* Effect.scoped(Server.start(failing, { host: "127.0.0.1", port: 0 }))
      assert.deepStrictEqual(events, ["drains", "stops"])
      assert.deepStrictEqual(
        logs.filter((line) => line.startsWith("Error")).map((line) => line.split(";")[0]),
        ["Error onDrain 1 of 2 failed", "Error onStop 2 of 2 failed"]
      )
    }).pipe(provided, Effect.provide(layer))
  })

  it.live("while onDrain runs requests are answered, at most for shutdownTimeout", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { connect, stop } = yield* start(App.make({ home }).pipe(App.onDrain(Deferred.await(gate))))
      const stopping = yield* stop
      const wire = yield* connect
      yield* wire.send(get("/"))
      const answer = yield* wire.answer()
      assert.deepStrictEqual([answer.status, answer.headers.connection], [200, "close"])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(stopping)
      const other = yield* start(App.make({ home }).pipe(App.onDrain(Effect.never)), { shutdownTimeout: "30 millis" })
      yield* Fiber.join(yield* other.stop)
    })
  )

  it.live("an onDrain that takes too long is interrupted with a warning that names it, and the stop goes on", () => {
    const { layer, logs } = recorder()
    const app = App.make({ home }).pipe(App.onDrain(Effect.never))
    return Effect.gen(function* () {
      const { stop } = yield* start(app, { shutdownTimeout: "30 millis" })
      yield* Fiber.join(yield* stop)
      assert.deepStrictEqual(
        logs.filter((line) => line.startsWith("Warn")),
        ["Warn onDrain has not ended within shutdownTimeout, and is interrupted; the stop goes on"]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.live("under the web standard the starts run once, at the first request", () =>
    Effect.gen(function* () {
      let starts = 0
      const handle = App.toWebHandler(App.make({ home }).pipe(App.onStart(Effect.sync(() => starts++))))
      for (const _ of [1, 2]) yield* Effect.promise(() => handle(new globalThis.Request("http://a/")))
      assert.strictEqual(starts, 1)
    })
  )
})

describe("onOutcome", () => {
  const outcomes: Array<readonly [string, number, string | undefined]> = []
  const take = ({ error, result, status }: Outcome.Outcome) =>
    Effect.sync(() => void outcomes.push([result, status, error]))
  const told = App.make({
    home,
    fails: Route.get("/fails", Effect.fail(new HttpError.Conflict())),
    dies: Route.get("/dies", Effect.die("bug")),
    socket: Route.websocket(
      "/socket",
      WebSocket.raw({}, (socket) => socket.send("ready"))
    )
  }).pipe(App.onOutcome(take))

  served("is told of every answer: errors, unknown paths and WebSockets too", told, (client) =>
    Effect.gen(function* () {
      outcomes.length = 0
      for (const path of ["/", "/fails", "/dies", "/nowhere"]) yield* (yield* client.get(path)).text
      const raw = yield* client.webSocket("/socket")
      yield* raw.closed
      yield* until(() => outcomes.length === 5)
      assert.deepStrictEqual(outcomes, [
        ["completed", 200, undefined],
        ["failed", 409, "Conflict"],
        ["defect", 500, undefined],
        ["failed", 404, "NotFound"],
        ["completed", 101, undefined]
      ])
    })
  )

  it.live("one that fails is logged and changes no answer", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const client = yield* Testing.client(App.make({ home }).pipe(App.onOutcome(() => Effect.fail("full"))))
      assert.strictEqual((yield* client.get("/")).status, 200)
      yield* until(() => logs.some((line) => line.startsWith('Error The background task "onOutcome" failed')))
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})

describe("onResponse", () => {
  const seen: Array<number> = []
  const app = App.make({
    home,
    gone: Route.get("/gone", Effect.fail(new HttpError.Gone())),
    bug: Route.get("/bug", Effect.die(new Error("a bug"))),
    socket: Route.websocket(
      "/socket",
      WebSocket.raw({}, () => Effect.void)
    )
  }).pipe(
    App.onResponse((response) => {
      seen.push(response.status)
      return Response.setHeader(response, "x-seen", "yes")
    })
  )

  served("is given every answer: errors, unknown paths and methods, and a 101", app, (client) =>
    Effect.gen(function* () {
      seen.length = 0
      for (const path of ["/", "/gone", "/bug", "/nowhere"]) {
        assert.strictEqual((yield* client.get(path)).headers["x-seen"], "yes")
      }
      assert.strictEqual((yield* client.post("/")).headers["x-seen"], "yes")
      const peer = yield* client.webSocket("/socket")
      yield* peer.close()
      assert.deepStrictEqual(seen, [200, 410, 500, 404, 405, 101])
    })
  )
})
