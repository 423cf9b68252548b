/**
 * The limit finds itself: a backend in test time, with more clients than it can serve.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as Overload from "../../src/middleware/Overload.ts"
import * as Route from "../../src/Route.ts"
import { asking, Backend, clients } from "./backend.ts"

const around = (backend: Backend, options: Overload.Options = {}) =>
  App.make({ work: Route.get("/", backend.work) }).pipe(App.use(Overload.make(options)))

/** How many were in flight and served in each of so many seconds. */
const watch = (backend: Backend, seconds: number) =>
  Effect.gen(function* () {
    let [most, least] = [0, Number.POSITIVE_INFINITY]
    const before = backend.served
    for (let step = 0; step < seconds * 5; step++) {
      yield* TestClock.adjust("200 millis")
      most = Math.max(most, backend.inFlight)
      least = Math.min(least, backend.inFlight)
    }
    return { most, least, served: (backend.served - before) / seconds }
  })

const within = (value: number, low: number, high: number, what: string) =>
  assert.isTrue(value >= low && value <= high, `${what}: ${value} is not within ${low} and ${high}`)

describe("with 120 clients", () => {
  // With all of them in flight, an answer of a backend of 20 would take 6 times as long.
  it.effect.each<[capacity: number, initial: number]>([
    [20, 20],
    [20, 4],
    [20, 100],
    [50, 20],
    [8, 20]
  ])("a backend for %s gets less than twice as many, from a limit of %s", ([capacity, initialLimit]) =>
    Effect.gen(function* () {
      const backend = new Backend(capacity, 50)
      const app = around(backend, { initialLimit })
      yield* clients(120, asking(app, "/"))
      yield* watch(backend, 20)
      const { most, served } = yield* watch(backend, 10)
      within(most, capacity, capacity * 2.2, "in flight")
      // It is as busy as it can be.
      within(served, capacity * 19, capacity * 20.1, "served in a second")
    })
  )

  it.effect("the limit falls with a backend that gets worse, and comes back with it", () =>
    Effect.gen(function* () {
      const backend = new Backend(40, 50)
      const app = around(backend)
      yield* clients(120, asking(app, "/"))
      within((yield* watch(backend, 30)).most, 40, 90, "at first")
      backend.capacity = 8
      yield* watch(backend, 10)
      within((yield* watch(backend, 10)).most, 8, 24, "while it can do less")
      backend.capacity = 40
      yield* watch(backend, 15)
      within((yield* watch(backend, 10)).most, 40, 90, "afterwards")
    })
  )

  it.effect("a backend that becomes slower, not smaller, is used in full again", () =>
    Effect.gen(function* () {
      const backend = new Backend(20, 20)
      const app = around(backend)
      yield* clients(120, asking(app, "/"))
      yield* watch(backend, 20)
      backend.base = 100
      yield* watch(backend, 40)
      within((yield* watch(backend, 10)).served, 180, 201, "served in a second")
    })
  )
})

it.effect("a limit that is not used does not grow, and what is served by few clients is not refused", () =>
  Effect.gen(function* () {
    const backend = new Backend(100, 50)
    const app = around(backend)
    yield* clients(10, asking(app, "/"))
    within((yield* watch(backend, 60)).served, 195, 200, "served in a second")
    // A burst finds the limit where it was, and not far above.
    yield* clients(190, asking(app, "/"))
    within((yield* watch(backend, 1)).most, 20, 60, "in flight")
  })
)

it.effect("slow and fast routes have measures of their own", () =>
  Effect.gen(function* () {
    const [fast, slow] = [new Backend(50, 5), new Backend(50, 500)]
    const app = App.make({ fast: Route.get("/fast", fast.work), slow: Route.get("/slow", slow.work) }).pipe(
      App.use(Overload.make({ initialLimit: 40 }))
    )
    yield* clients(10, asking(app, "/fast"))
    yield* clients(20, asking(app, "/slow"))
    yield* watch(fast, 60)
    // Nothing is slower than it has to be, and so nothing waits.
    within((yield* watch(slow, 10)).served, 39, 40, "slow ones in a second")
  })
)

it.effect("the bounds hold", () =>
  Effect.gen(function* () {
    const [small, large] = [new Backend(1, 50), new Backend(1000, 50)]
    yield* clients(60, asking(around(small, { minLimit: 10, maxLimit: 30 }), "/"))
    yield* clients(60, asking(around(large, { minLimit: 10, maxLimit: 30 }), "/"))
    yield* watch(large, 35)
    assert.strictEqual((yield* watch(large, 2)).most, 30)
    assert.isAtLeast((yield* watch(small, 20)).least, 10)
  })
)
