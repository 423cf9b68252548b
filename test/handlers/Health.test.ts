/**
 * Liveness and readiness: what is answered when checks pass, fail, hang, and when the server stops.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as Health from "../../src/handlers/Health.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { get, recorder, until } from "../server/both.ts"
import { start } from "../server/started.ts"

class Db extends Context.Service<Db, { readonly ping: Effect.Effect<void, string> }>()("test/Db") {}

const mounted = <R>(health: App.App<never, R, App.Routes>) => App.make({ health: Route.mount("/health", health) })

/** What is answered, without times. */
const ask = (client: Testing.Client, path: string) =>
  Effect.gen(function* () {
    const answer = yield* client.get(path)
    const body = (yield* answer.text).replace(/"time":"[\d:.TZ-]+","observedValue":\d+/g, '"time":0')
    return [answer.status, JSON.parse(body)]
  })

const bodyOf = (status: string, output?: string) => [
  { status, time: 0, observedUnit: "ms", ...(output === undefined ? undefined : { output }) }
]

served(
  "answers as the draft has it, and caches store nothing",
  mounted(Health.make({ checks: { db: Effect.void, cache: { check: Effect.void } } })),
  (client) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ask(client, "/health/live"), [200, { status: "pass" }])
      assert.deepStrictEqual(yield* ask(client, "/health/ready"), [
        200,
        { status: "pass", checks: { db: bodyOf("pass"), cache: bodyOf("pass") } }
      ])
      const { headers } = yield* client.get("/health/ready")
      assert.deepStrictEqual(
        [headers["content-type"], headers["cache-control"]],
        ["application/health+json", "no-store"]
      )
      const head = yield* client.head("/health/ready")
      assert.deepStrictEqual([head.status, yield* head.text], [200, ""])
    })
)

describe("checks", () => {
  it("say what they need", () => {
    const health = Health.make({ checks: { db: Db.use(({ ping }) => ping), fixed: Effect.void } })
    expectTypeOf<(typeof health)["~R"]>().toEqualTypeOf<Db>()
    expectTypeOf<(typeof health)["~E"]>().toEqualTypeOf<never>()
    const slow = Health.make({ live: { db: { check: Db.use(({ ping }) => ping), timeout: "1 second" } } })
    expectTypeOf<(typeof slow)["~R"]>().toEqualTypeOf<Db>()
  })

  it.effect("that fail are a 503 that tells no secret, and are logged once, as their recovery is", () => {
    const { layer, logs } = recorder()
    let isUp = false
    const ping = Effect.suspend(() => (isUp ? Effect.void : Effect.fail("postgres://admin:secret@db")))
    return Effect.gen(function* () {
      const client = yield* Testing.client(mounted(Health.make({ checks: { db: Db.use(({ ping }) => ping) } })))
      for (const _ of [1, 2, 3]) {
        assert.deepStrictEqual(yield* ask(client, "/health/ready"), [
          503,
          { status: "fail", checks: { db: bodyOf("fail", "failed") } }
        ])
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(yield* ask(client, "/health/live"), [200, { status: "pass" }])
      isUp = true
      assert.strictEqual((yield* ask(client, "/health/ready"))[0], 200)
      assert.deepStrictEqual(
        logs.filter((line) => !line.startsWith("Debug")).map((line) => line.slice(0, 30)),
        ['Warn The check "db" fails', 'Info The check "db" passes aga']
      )
    }).pipe(Effect.scoped, Effect.provide(layer), Effect.provideService(Db, Db.of({ ping })))
  })

  it.effect("that are not critical are a warning, and those of liveness are its own", () =>
    Effect.gen(function* () {
      const health = Health.make({
        checks: { cache: { check: Effect.die("bug"), critical: false } },
        live: { loop: Effect.fail("stuck") }
      })
      const client = yield* Testing.client(mounted(health))
      assert.deepStrictEqual(yield* ask(client, "/health/ready"), [
        200,
        { status: "warn", checks: { cache: bodyOf("warn", "failed") } }
      ])
      assert.deepStrictEqual(yield* ask(client, "/health/live"), [
        503,
        { status: "fail", checks: { loop: bodyOf("fail", "failed") } }
      ])
    })
  )

  it.effect("run at the same time, each with its timeout, also one that cannot be interrupted", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const health = Health.make({
        checks: {
          slow: Effect.never,
          stubborn: Effect.uninterruptible(Deferred.await(gate)),
          quick: { check: Effect.never, timeout: "500 millis" }
        }
      })
      const client = yield* Testing.client(mounted(health))
      const asking = yield* Effect.forkChild(ask(client, "/health/ready"), { startImmediately: true })
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* Fiber.join(asking), [
        503,
        {
          status: "fail",
          checks: {
            slow: bodyOf("fail", "took longer than 2s"),
            stubborn: bodyOf("fail", "took longer than 2s"),
            quick: bodyOf("fail", "took longer than 500ms")
          }
        }
      ])
      yield* Deferred.succeed(gate, undefined)
    })
  )

  it.effect("are shared by all that ask within a second, also when the first of them leaves", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let runs = 0
      const check = Effect.andThen(
        Effect.sync(() => runs++),
        Deferred.await(gate)
      )
      const client = yield* Testing.client(mounted(Health.make({ checks: { check } })))
      const [first, second] = [
        yield* Effect.forkChild(ask(client, "/health/ready"), { startImmediately: true }),
        yield* Effect.forkChild(ask(client, "/health/ready"), { startImmediately: true })
      ]
      yield* until(() => runs === 1)
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(second))[0], 200)
      yield* ask(client, "/health/ready")
      assert.strictEqual(runs, 1)
      yield* TestClock.adjust("1 second")
      yield* ask(client, "/health/ready")
      assert.strictEqual(runs, 2)
    })
  )
})

describe("a server that stops", () => {
  it.live("is not ready from then on, while listeners are still open, and alive", () =>
    Effect.gen(function* () {
      let runs = 0
      const health = Health.make({ checks: { db: Effect.sync(() => runs++) } })
      const { connect, stop } = yield* start(mounted(health), { drainDelay: "300 millis" })
      const stopping = yield* stop
      const [ready, live] = [yield* connect, yield* connect]
      yield* ready.send(get("/health/ready"))
      const answer = yield* ready.answer()
      assert.deepStrictEqual(
        [answer.status, answer.headers.connection, JSON.parse(answer.body.toString())],
        [503, "close", { status: "fail", output: "The server stops" }]
      )
      yield* live.send(get("/health/live"))
      assert.strictEqual((yield* live.answer()).status, 200)
      assert.strictEqual(runs, 0)
      yield* Fiber.join(stopping)
    })
  )

  it.live("interrupts a check that is under way, and says that it stops", () =>
    Effect.gen(function* () {
      const events: Array<string> = []
      const check = Effect.onInterrupt(
        Effect.andThen(
          Effect.sync(() => events.push("asked")),
          Effect.never
        ),
        () => Effect.sync(() => events.push("interrupted"))
      )
      const { connect, stop } = yield* start(mounted(Health.make({ checks: { check } })))
      const wire = yield* connect
      yield* wire.send(get("/health/ready"))
      yield* until(() => events.length === 1)
      const stopping = yield* stop
      const answer = yield* wire.answer()
      assert.deepStrictEqual([answer.status, JSON.parse(answer.body.toString()).output], [503, "The server stops"])
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(events, ["asked", "interrupted"])
    })
  )
})

it.effect("stands at the root beside other routes, and under the web standard", () =>
  Effect.gen(function* () {
    const app = App.make({ home: Route.get("/", Response.text("home")), health: Route.mount("/", Health.make()) })
    const handle = App.toWebHandler(app)
    for (const path of ["/", "/live", "/ready"]) {
      const answer = yield* Effect.promise(() => handle(new globalThis.Request(`http://a${path}`)))
      assert.strictEqual(answer.status, 200)
    }
  })
)
