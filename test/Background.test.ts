/**
 * Background work: named, bounded, restarted, and awaited by the stop; TestClock drives it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Background from "../src/Background.ts"
import * as RequestId from "../src/middleware/RequestId.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import { get, until } from "./server/both.ts"
import { start } from "./server/started.ts"

/** What was logged: the level, the message without its cause, the task and the id of the request. */
const recorder = () => {
  const logs: Array<readonly [string, string, unknown, unknown]> = []
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    const { requestId, task } = fiber.getRef(References.CurrentLogAnnotations)
    logs.push([logLevel, String([message].flat()[0]), task, requestId])
  })
  return { logs, layer: Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "All")) }
}

const turns = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 5)))

describe("a task", () => {
  const events: Array<string> = []
  const note = (text: string) => Effect.sync(() => void events.push(text))
  const app = App.make({
    fork: Route.get(
      "/",
      Effect.as(
        Background.fork("later", Effect.andThen(Effect.sleep("1 minute"), note("later"))),
        Response.text("begun")
      )
    ),
    after: Route.get(
      "/after",
      Effect.andThen(Background.afterResponse(note("after")), Effect.as(note("answered"), Response.text("ok")))
    )
  })
  served("outlives its request, and one that waits for the answer runs when that has left", app, (client) =>
    Effect.gen(function* () {
      events.length = 0
      yield* (yield* client.get("/")).text
      assert.deepStrictEqual(events, [])
      yield* TestClock.adjust("1 minute")
      yield* until(() => events.length === 1)
      yield* (yield* client.get("/after")).text
      yield* until(() => events.length === 3)
      assert.deepStrictEqual(events, ["later", "answered", "after"])
    })
  )

  it.live("that waits for the answer runs under the web standard too", () =>
    Effect.gen(function* () {
      events.length = 0
      const answer = yield* Effect.promise(() => App.toWebHandler(app)(new globalThis.Request("http://a/after")))
      yield* Effect.promise(() => answer.text())
      yield* until(() => events.length === 2)
      assert.deepStrictEqual(events, ["answered", "after"])
    })
  )

  it.effect("beyond the limit of its name is Full, a 503, or waits for room", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const limited = App.make({
        fail: Route.get(
          "/fail",
          Effect.as(Background.fork("one", Deferred.await(gate), { limit: 1 }), Response.text("begun"))
        ),
        wait: Route.get(
          "/wait",
          Effect.as(Background.fork("one", Effect.void, { limit: 1, whenFull: "wait" }), Response.text("begun"))
        )
      })
      const client = yield* Testing.client(limited)
      assert.strictEqual((yield* client.get("/fail")).status, 200)
      const full = yield* client.get("/fail")
      assert.deepStrictEqual([full.status, full.headers["retry-after"]], [503, "1"])
      const waiting = yield* Effect.forkChild(client.get("/wait"), { startImmediately: true })
      yield* turns
      assert.isUndefined(waiting.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(waiting)).status, 200)
    })
  )

  it.effect("that fails is logged once, with its name and the id of the request", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const failing = App.make({
        fork: Route.get("/", Effect.as(Background.fork("mail", Effect.fail("no server")), Response.text("begun")))
      }).pipe(App.use(RequestId.make({ accept: true })))
      const client = yield* Testing.client(failing)
      yield* client.get("/", { headers: { "x-request-id": "mine" } })
      yield* turns
      assert.deepStrictEqual(logs, [["Error", 'The background task "mail" failed', "mail", "mine"]])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("with a schedule starts again when it fails or dies, and each time is a warning", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      let runs = 0
      const work = Effect.suspend(() => {
        runs++
        return runs === 1 ? Effect.fail("lost") : runs === 2 ? Effect.die("bug") : Effect.never
      })
      const app = App.make({}).pipe(
        App.onStart(Background.fork("feed", work, { restart: Schedule.spaced("1 second") }))
      )
      yield* Testing.client(app)
      for (const wanted of [1, 2, 3]) {
        yield* until(() => runs === wanted)
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(
        logs.map(([level, text]) => `${level} ${text}`),
        Array.from({ length: 2 }, () => 'Warn The background task "feed" failed; it starts again')
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.effect("whose schedule has ended is an error, once", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const work = Background.fork("feed", Effect.fail("lost"), { restart: Schedule.recurs(1) })
      yield* Testing.client(App.make({}).pipe(App.onStart(work)))
      yield* turns
      assert.deepStrictEqual(
        logs.map(([level]) => level),
        ["Warn", "Error"]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})

describe("a cron job", () => {
  it.effect("runs at its times, one run at a time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      let runs = 0
      const job = Effect.andThen(
        Effect.sync(() => runs++),
        Effect.sleep("90 minutes")
      )
      yield* Testing.client(App.make({}).pipe(App.onStart(Background.cron("purge", "0 * * * *", job))))
      const seen: Array<number> = []
      for (let hour = 0; hour < 6; hour++) {
        yield* TestClock.adjust("1 hour")
        yield* turns
        seen.push(runs)
      }
      // What came due while the job ran is left out.
      assert.deepStrictEqual(seen, [1, 1, 2, 2, 3, 3])
    })
  )

  it("is refused when declared, with the cure", () => {
    assert.throws(() => Background.cron("purge", "at four", Effect.void), /"at four" of "purge" is no cron expression/)
  })
})

describe("the stop", () => {
  it.live(
    "awaits what may finish and what waits for the answer, interrupts what goes on for ever, and counts it",
    () => {
      const { layer, logs } = recorder()
      return Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const events: Array<string> = []
        const note = (text: string) => Effect.sync(() => void events.push(text))
        const app = App.make({
          home: Route.get(
            "/",
            Effect.gen(function* () {
              yield* Background.afterResponse(Effect.andThen(Effect.sleep("20 millis"), note("after")))
              yield* note("asked")
              yield* Deferred.await(gate)
              return Response.text("through")
            })
          )
        }).pipe(
          App.onStart(
            Background.fork(
              "feed",
              Effect.onInterrupt(Effect.never, () => note("feed ends")),
              {
                restart: Schedule.forever
              }
            )
          ),
          App.onStart(Background.fork("mail", Effect.andThen(Deferred.await(gate), note("mail"))))
        )
        const { connect, stop } = yield* start(app)
        const wire = yield* connect
        yield* wire.send(get("/"))
        yield* until(() => events.length === 1)
        const stopping = yield* stop
        yield* until(() => events.includes("feed ends"))
        yield* Deferred.succeed(gate, undefined)
        yield* wire.answer()
        yield* Fiber.join(stopping)
        assert.deepStrictEqual([...events].sort(), ["after", "asked", "feed ends", "mail"])
        assert.match(
          String(logs[0]),
          /^Info,.*: 1 of 1 request finished; 2 of 3 background tasks finished, 1 interrupted by onDrain/
        )
      }).pipe(Effect.scoped, Effect.provide(layer))
    }
  )

  it.live("interrupts what does not finish in time, and names what does not end at all", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const app = App.make({}).pipe(
        App.onStart(Background.fork("slow", Effect.never)),
        App.onStart(Background.fork("stuck", Effect.uninterruptible(Deferred.await(gate))))
      )
      const { stop } = yield* start(app, { shutdownTimeout: "10 millis", interruptGrace: "20 millis" })
      const stopping = yield* stop
      yield* until(() => logs.length === 1)
      assert.match(
        String(logs[0]),
        /^Warn,Stopped in .*: 0 of 1 background task finished, 1 interrupted; task stuck still runs after/
      )
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(stopping)
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})

describe("without a server", () => {
  it.live("a task is the process's, and outlives its scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      let isDone = false
      const work = Effect.andThen(
        Effect.sleep("5 millis"),
        Effect.sync(() => (isDone = true))
      )
      yield* Scope.provide(Background.fork("alone", work), scope)
      yield* Scope.close(scope, Exit.void)
      yield* until(() => isDone)
    })
  )
})
