/**
 * The limit finds itself: a backend in test time, with more clients than it can serve.
 */
import { assert, it } from "@effect/vitest"
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
    // In steps below what a request takes, so that whoever is woken has asked again before the time goes on.
    for (let step = 0; step < seconds * 50; step++) {
      yield* TestClock.adjust("20 millis")
      most = Math.max(most, backend.inFlight)
      least = Math.min(least, backend.inFlight)
    }
    return { most, least, served: (backend.served - before) / seconds }
  })

const within = (value: number, low: number, high: number, what: string) =>
  assert.isTrue(value >= low && value <= high, `${what}: ${value} is not within ${low} and ${high}`)

it.effect.each<[capacity: number, initial: number]>([
  [20, 20],
  [10, 60]
])(
  "of 60 clients a backend for %s gets less than three times as many, from a limit of %s",
  ([capacity, initialLimit]) =>
    Effect.gen(function* () {
      const backend = new Backend(capacity, 100)
      const app = around(backend, { initialLimit })
      yield* clients(60, asking(app, "/"))
      yield* watch(backend, 15)
      const { most, served } = yield* watch(backend, 10)
      within(most, capacity, capacity * 2.6, "in flight")
      // It is as busy as it can be.
      within(served, capacity * 9, capacity * 10.1, "served in a second")
    })
)

it.effect("few clients are not refused, and a burst finds the limit not far above of what they need", () =>
  Effect.gen(function* () {
    const backend = new Backend(100, 50)
    const app = around(backend)
    yield* clients(10, asking(app, "/"))
    within((yield* watch(backend, 20)).served, 190, 200, "served in a second")
    yield* clients(100, asking(app, "/"))
    within((yield* watch(backend, 1)).most, 20, 60, "in flight")
  })
)

it.effect("the upper bound holds", () =>
  Effect.gen(function* () {
    const backend = new Backend(1000, 50)
    yield* clients(40, asking(around(backend, { minLimit: 10, maxLimit: 30 }), "/"))
    yield* watch(backend, 5)
    assert.strictEqual((yield* watch(backend, 5)).most, 30)
  })
)
