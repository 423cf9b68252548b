/**
 * Overload: who is next, who is refused, and that every place is given back.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as Deadline from "../../src/Deadline.ts"
import * as HttpError from "../../src/HttpError.ts"
import { LoopDelay } from "../../src/internal/overload/loopDelay.ts"
import * as Overload from "../../src/middleware/Overload.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { leaveAfter } from "../leaving.ts"
import { asking } from "./backend.ts"

/** One at a time, and what else is said. */
const one = <E = never, R = never>(options: Overload.Options<E, R> = {}) =>
  Overload.make({ minLimit: 1, maxLimit: 1, wait: "5 seconds", ...options })

const byWho = Effect.map(HttpServerRequest, ({ headers }) => headers["x-who"])

/** An app whose handlers begin in an order, and end when they are let go. */
const gated = (overload: ReturnType<typeof one>) => {
  const begun: Array<string> = []
  const gates = new Map<string, Deferred.Deferred<void>>()
  const gate = (id: string) => {
    const known = gates.get(id) ?? Deferred.makeUnsafe<void>()
    gates.set(id, known)
    return known
  }
  const work = ({ params }: { readonly params: { readonly id: string } }) =>
    Effect.suspend(() => {
      begun.push(params.id)
      return Effect.as(Deferred.await(gate(params.id)), Response.text(params.id))
    })
  const app = App.make({
    critical: Route.get("/critical/{id}", work).pipe(Route.priority("critical")),
    high: Route.get("/high/{id}", work).pipe(Route.priority("high")),
    normal: Route.get("/normal/{id}", work),
    sheddable: Route.get("/sheddable/{id}", work).pipe(Route.priority("sheddable"))
  }).pipe(App.use(overload), App.use(Deadline.accept()))
  const ask = (path: string, headers: Record<string, string> = {}) =>
    Effect.forkChild(asking(app, path, headers), { startImmediately: true })
  const asks = (paths: ReadonlyArray<string>) => Effect.forEach(paths, (path) => ask(path))
  /** Lets one go after the other, and says in which order they began. */
  const order = Effect.gen(function* () {
    for (let at = 0; at < begun.length; at++) {
      yield* Deferred.succeed(gate(begun[at] as string), undefined)
      yield* TestClock.adjust(0)
    }
    return begun.join(" ")
  })
  return { ask, asks, begun, order }
}

const status = <E>(fiber: Fiber.Fiber<{ readonly status: number }, E>) =>
  Effect.map(Fiber.join(fiber), ({ status }) => status)

describe("of those that wait", () => {
  it.effect("the highest priority is next, and in it who came first", () =>
    Effect.gen(function* () {
      const { asks, order } = gated(one({ queue: 10 }))
      yield* asks(["/normal/0", "/sheddable/1", "/normal/2", "/high/3", "/normal/4", "/high/5", "/sheddable/6"])
      assert.strictEqual(yield* order, "0 3 5 2 4 1 6")
    })
  )

  it.effect("each key has its turn", () =>
    Effect.gen(function* () {
      const { ask, order } = gated(one({ queue: 10, key: byWho }))
      for (const id of ["a0", "a1", "a2", "a3", "b1", "c1", "b2"]) {
        yield* ask(`/normal/${id}`, { "x-who": id.slice(0, 1) })
      }
      assert.strictEqual(yield* order, "a0 a1 b1 c1 a2 b2 a3")
    })
  )

  it.effect("the last that came is next when the queue has been there for long", () =>
    Effect.gen(function* () {
      const { ask, begun, order } = gated(one({ queue: 10 }))
      yield* ask("/normal/0")
      const [late] = [yield* ask("/normal/1")]
      yield* TestClock.adjust("3 seconds")
      yield* ask("/normal/2")
      yield* TestClock.adjust("3 seconds")
      yield* ask("/normal/3")
      assert.strictEqual(yield* status(late), 503)
      assert.strictEqual(yield* order, "0 3 2")
      assert.notInclude(begun, "1")
    })
  )
})

describe("with a full queue", () => {
  it.effect("what is less important makes room", () =>
    Effect.gen(function* () {
      const { ask, order } = gated(one({ queue: 2 }))
      yield* ask("/normal/0")
      const sheddable = [yield* ask("/sheddable/1"), yield* ask("/sheddable/2")]
      const more = yield* ask("/sheddable/3")
      yield* ask("/normal/4")
      const normal = yield* ask("/normal/5")
      const last = yield* ask("/normal/6")
      yield* ask("/high/7")
      assert.deepStrictEqual(
        yield* Effect.forEach([more, last, normal, ...sheddable], status),
        [503, 503, 503, 503, 503]
      )
      assert.strictEqual(yield* order, "0 7 4")
    })
  )

  it.effect("a key that does not come is waited for no longer than for a place", () =>
    Effect.gen(function* () {
      const { ask, begun, order } = gated(one({ queue: 10, key: Effect.never }))
      yield* ask("/normal/first")
      const refused = yield* ask("/normal/second")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(refused.pollUnsafe()?._tag, "Success")
      assert.strictEqual((yield* Fiber.join(refused)).status, 503)
      assert.deepStrictEqual(begun, ["first"])
      yield* order
      yield* ask("/normal/third")
      assert.strictEqual(yield* order, "first third")
    })
  )

  it.effect("what the key takes counts as waiting", () =>
    Effect.gen(function* () {
      const { ask } = gated(one({ queue: 10, key: Effect.as(Effect.sleep("3 seconds"), "me") }))
      yield* ask("/normal/first")
      const refused = yield* ask("/normal/second")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(refused)).status, 503)
    })
  )

  it.effect("the key that has most in it makes room, and of two that have as much none", () =>
    Effect.gen(function* () {
      const { ask, order } = gated(one({ queue: 4, key: byWho }))
      const flood = yield* Effect.forEach(["0", "1", "2", "3", "4", "5"], (id) =>
        ask(`/normal/a${id}`, { "x-who": "a" })
      )
      yield* ask("/normal/b1", { "x-who": "b" })
      yield* ask("/normal/c1", { "x-who": "c" })
      const third = yield* ask("/normal/d1", { "x-who": "d" })
      const second = yield* ask("/normal/b2", { "x-who": "b" })
      assert.strictEqual(yield* status(second), 503)
      assert.strictEqual(yield* order, "a0 a1 b1 c1 d1")
      assert.strictEqual(yield* status(third), 200)
      assert.deepStrictEqual(yield* Effect.forEach(flood, status), [200, 200, 503, 503, 503, 503])
    })
  )

  it.effect("nobody waits where there is no queue", () =>
    Effect.gen(function* () {
      const { ask, order } = gated(one({ queue: 0 }))
      yield* ask("/normal/0")
      assert.strictEqual(yield* status(yield* ask("/high/1")), 503)
      assert.strictEqual(yield* order, "0")
    })
  )
})

describe("a wait", () => {
  it.effect("that is over is a 503 that says when to come back", () =>
    Effect.gen(function* () {
      const { ask } = gated(one({ retryAfter: "10 seconds" }))
      yield* ask("/normal/0")
      const fiber = yield* ask("/normal/1")
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const { headers, status } = yield* Fiber.join(fiber)
      assert.strictEqual(status, 503)
      assert.isTrue(Number(headers["retry-after"]) >= 10 && Number(headers["retry-after"]) <= 20)
    })
  )

  it.effect("is not longer than the deadline allows, and none where that comes too soon", () =>
    Effect.gen(function* () {
      const app = App.make({
        slow: Route.get("/", Effect.as(Effect.sleep("2 seconds"), Response.text("slow")))
      }).pipe(App.use(one()), App.use(Deadline.accept()))
      const ask = (headers: Record<string, string> = {}) =>
        Effect.forkChild(asking(app, "/", headers), { startImmediately: true })
      // By then it is known what the route takes.
      for (let i = 0; i < 20; i++) {
        yield* ask()
        yield* TestClock.adjust("2 seconds")
      }
      yield* ask()
      const short = yield* ask({ "x-request-timeout-ms": "1000" })
      assert.strictEqual(yield* status(short), 503)
      const long = yield* ask({ "x-request-timeout-ms": "3500" })
      yield* TestClock.adjust("1499 millis")
      assert.isUndefined(long.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* status(long), 503)
    })
  )
})

describe("what is critical", () => {
  it.effect("is never refused, and takes nobody's place", () =>
    Effect.gen(function* () {
      const { ask, asks, begun } = gated(one({ queue: 0 }))
      yield* asks(["/critical/1", "/critical/2", "/normal/3", "/critical/4"])
      assert.deepStrictEqual(begun, ["1", "2", "3", "4"])
      assert.strictEqual(yield* status(yield* ask("/normal/5")), 503)
    })
  )
})

describe("a place is given back", () => {
  const app = App.make({
    ok: Route.get("/ok", Effect.succeed(Response.text("ok"))),
    fails: Route.get("/fails", Effect.fail(new HttpError.Conflict())),
    dies: Route.get("/dies", Effect.die("bug")),
    slow: Route.get("/slow", Effect.as(Effect.sleep("1 second"), Response.text("slow"))),
    stream: Route.get("/stream", () => Response.stream(Stream.never as Stream.Stream<string>))
  })
  const ok = (app: App.Any) => Effect.map(asking(app, "/ok"), ({ status }) => assert.strictEqual(status, 200))

  it.effect("by what fails, dies, or answers with a stream that is still open", () =>
    Effect.gen(function* () {
      const limited = app.pipe(App.use(one({ queue: 0 })))
      const found = yield* Effect.forEach(["/fails", "/dies", "/stream", "/nowhere", "/ok"], (path) =>
        Effect.map(asking(limited, path), ({ status }) => status)
      )
      assert.deepStrictEqual(found, [409, 500, 200, 404, 200])
    })
  )

  it.effect("by who leaves, at any step", () =>
    Effect.gen(function* () {
      const limited = app.pipe(App.use(one({ queue: 0 })))
      for (let turns = 0; turns < 30; turns++) {
        yield* leaveAfter(turns, asking(limited, "/slow"))
        yield* ok(limited)
      }
    })
  )

  it.effect("by who leaves the queue, at any step", () =>
    Effect.gen(function* () {
      const limited = app.pipe(App.use(one({ queue: 1, key: Effect.as(Effect.yieldNow, "me") })))
      for (let turns = 0; turns < 40; turns++) {
        const slow = yield* Effect.forkChild(asking(limited, "/slow"), { startImmediately: true })
        yield* leaveAfter(turns, asking(limited, "/slow"))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* status(slow), 200)
        yield* ok(limited)
      }
    })
  )

  it.effect("by who leaves in the moment in which it gets one", () =>
    Effect.gen(function* () {
      const limited = app.pipe(App.use(one({ queue: 1 })))
      for (let turns = 0; turns < 20; turns++) {
        yield* Effect.forkChild(asking(limited, "/slow"), { startImmediately: true })
        const waits = yield* Effect.forkChild(asking(limited, "/slow"), { startImmediately: true })
        const leaves = yield* Effect.forkChild(
          Effect.andThen(
            Effect.sleep("1 second"),
            Effect.andThen(
              Effect.forEach(Array(turns), () => Effect.yieldNow),
              Fiber.interrupt(waits)
            )
          ),
          { startImmediately: true }
        )
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(leaves)
        yield* ok(limited)
      }
    })
  )
})

describe("a late event loop", () => {
  const app = App.make({
    critical: Route.get("/critical", Response.text("")).pipe(Route.priority("critical")),
    high: Route.get("/high", Response.text("")).pipe(Route.priority("high")),
    normal: Route.get("/normal", Response.text("")),
    sheddable: Route.get("/sheddable", Response.text("")).pipe(Route.priority("sheddable"))
  })
  const limited = app.pipe(App.use(Overload.make({ eventLoopDelay: "50 millis" })))
  const unlimited = app.pipe(App.use(Overload.make({ eventLoopDelay: "Infinity" })))
  const paths = ["/critical", "/high", "/normal", "/sheddable"]

  it.effect.each<[turn: ReadonlyArray<number>, passes: string]>([
    [[0, 10], "/critical /high /normal /sheddable"],
    [[10, 20, 30, 35], "/critical /high /normal /sheddable"],
    // Who waited for one slow request is answered next.
    [[300], "/critical /high /normal /sheddable"],
    [[1, 2, 300, 310], "/critical /high /normal /sheddable"],
    [[10, 20, 30, 40], "/critical /high /normal"],
    [[10, 20, 30, 40, 50, 60, 62], "/critical /high"],
    [[10, 310, 370], "/critical /high"],
    [[300, 401], "/critical"]
  ])("with requests at %j ms of its turn these pass then: %s", ([times, passes]) =>
    Effect.gen(function* () {
      let [number, turn] = [0, 0]
      const late = { turn: () => turn, number: () => number }
      const ask = (app: App.Any, path: string) =>
        Effect.map(Effect.provideService(asking(app, path), LoopDelay, late), ({ status }) => status === 200)
      const passed = (app: App.Any) =>
        Effect.filter(paths, (path) => {
          // Another turn, in which as much has happened.
          number++
          const before = Effect.forEach(times, (time) => {
            turn = time
            return ask(app, "/high")
          })
          return Effect.andThen(before, ask(app, path))
        })
      assert.strictEqual((yield* passed(limited)).join(" "), passes)
      assert.deepStrictEqual(yield* passed(unlimited), paths)
    })
  )
})

it.effect("what was refused is counted, by priority and reason", () =>
  Effect.gen(function* () {
    const { ask } = gated(one({ queue: 0 }))
    yield* ask("/normal/0")
    for (let i = 0; i < 3; i++) yield* Fiber.join(yield* ask("/sheddable/1"))
    const shed = Metric.withAttributes(
      Metric.counter("overload.shed", { description: "Requests that were refused", incremental: true }),
      {
        priority: "sheddable",
        reason: "queue"
      }
    )
    assert.strictEqual((yield* Metric.value(shed)).count, 3)
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
)

describe("the type", () => {
  class User extends Context.Service<User, { readonly id: string }>()("test/User") {}

  it("has the failure, and what the key needs and fails with", () => {
    const home = Route.get("/", Response.text(""))
    const plain = App.make({ home }).pipe(App.use(Overload.make()))
    expectTypeOf<(typeof plain)["~E"]>().toEqualTypeOf<Overload.Overloaded>()
    expectTypeOf<(typeof plain)["~R"]>().toEqualTypeOf<never>()
    const key = Effect.flatMap(User, ({ id }) => (id === "" ? new HttpError.Forbidden() : Effect.succeed(id)))
    const keyed = App.make({ home }).pipe(App.use(Overload.make({ key })))
    expectTypeOf<(typeof keyed)["~E"]>().toEqualTypeOf<Overload.Overloaded | HttpError.Forbidden>()
    expectTypeOf<(typeof keyed)["~R"]>().toEqualTypeOf<User>()
  })

  it("a policy is in the table of routes, and that of the route is nearer than that of the app", () => {
    const app = App.make({
      a: Route.get("/a", Response.text("")),
      b: Route.get("/b", Response.text("")).pipe(Route.priority("high"))
    }).pipe(App.policy(Route.priority("sheddable")))
    assert.deepStrictEqual(
      App.routes(app).map(({ policies }) => policies.priority),
      ["sheddable", "high"]
    )
  })

  it.each<[options: Overload.Options, message: string]>([
    [{ minLimit: 0 }, "Overload.make: minLimit is 0; write a whole number from 1"],
    [{ maxLimit: 1.5 }, "Overload.make: maxLimit is 1.5; write a whole number from 1"],
    [{ minLimit: 9, maxLimit: 8 }, "Overload.make: minLimit is 9; write at most maxLimit, 8"],
    [{ initialLimit: 2 }, "Overload.make: initialLimit is 2; write from 4 to 1000"],
    [{ queue: -1 }, "Overload.make: queue is -1; write a whole number from 0"],
    [{ tolerance: 0.9 }, "Overload.make: tolerance is 0.9; write 1 or more"],
    [{ wait: 0 }, 'Overload.make: wait is 0; write more than zero, as "1 second"'],
    [{ retryAfter: "Infinity" }, 'Overload.make: retryAfter is for ever; write a time, as "1 second"'],
    [{ unreadyAfter: "soon" as never }, 'Overload.make: unreadyAfter is "soon"; write more than zero, as "1 second"']
  ])("%o is refused when it is declared", (options, message) =>
    assert.throws(() => Overload.make(options), TypeError, message)
  )

  it("so is a priority that is none", () =>
    assert.throws(
      () => Route.priority("urgent" as never),
      TypeError,
      'Route.priority: "urgent" is none; write one of "critical", "high", "normal", "sheddable"'
    ))
})
