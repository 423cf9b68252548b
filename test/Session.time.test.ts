/**
 * How long sessions live, by the test's clock, in a store and in cookies.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sealed from "../src/Sealed.ts"
import * as Session from "../src/Session.ts"
import * as Testing from "../src/testing/Testing.ts"

class Visit extends Session.Service<Visit>()("Visit", {
  fields: { count: Schema.Int },
  empty: { count: 0 },
  identity: Schema.String
}) {}

const says = (f: (visit: typeof Visit.Service) => Effect.Effect<unknown, Session.SessionError>) =>
  Effect.gen(function* () {
    const visit = yield* Visit
    yield* f(visit)
    const who = Option.getOrElse(yield* visit.identity, () => "nobody")
    return Response.text(`${(yield* visit.get).count} ${who}`)
  })
const routes = {
  read: Route.get(
    "/read",
    says(() => Effect.void)
  ),
  count: Route.get(
    "/count",
    says((visit) => visit.update(({ count }) => ({ count: count + 1 })))
  ),
  same: Route.get(
    "/same",
    says((visit) => visit.update((data) => ({ ...data })))
  ),
  login: Route.get(
    "/login",
    says((visit) => visit.rotate("ada"))
  ),
  stay: Route.get(
    "/stay",
    says((visit) => visit.rotate("ada", { remember: true }))
  ),
  plain: Route.get("/plain", Effect.succeed(Response.text("")))
}

/** Counts what is written. */
const counted = () => {
  const inner = RecordStore.memory()
  let writes = 0
  const store: RecordStore.RecordStore = {
    ...inner,
    put: (key, value, options) =>
      Effect.suspend(() => {
        writes++
        return inner.put(key, value, options)
      })
  }
  return { store, writes: () => writes }
}

const keys = Sealed.keys("0123456789abcdef0123456789abcdef")
const start = <E>(store: Session.Options<E, never>["store"], options?: Partial<Session.Options<E, never>>) =>
  Effect.gen(function* () {
    const app = App.make(routes).pipe(App.use(Session.make(Visit, { ...options, store })))
    // What a store of these tests fails with knows its response.
    const client = yield* Testing.client(app as App.App<never, never, typeof routes, never>)
    return (path: string) =>
      Effect.map(
        Effect.flatMap(client.get(path), (response) => Effect.map(response.text, (text) => ({ response, text }))),
        ({ response, text }) => ({ text, cookies: Cookies.toSetCookieHeaders(response.cookies) })
      )
  })

describe.each([
  ["a store", () => RecordStore.memory()],
  ["cookies", () => Session.cookie({ keys })]
] as const)("a session in %s", (_, store) => {
  it.effect("is gone when nobody has asked for it for two hours", () =>
    Effect.gen(function* () {
      const get = yield* start(store())
      yield* get("/count")
      yield* TestClock.adjust("119 minutes")
      assert.strictEqual((yield* get("/read")).text, "1 nobody")
      yield* TestClock.adjust("119 minutes")
      assert.strictEqual((yield* get("/read")).text, "1 nobody")
      yield* TestClock.adjust("2 hours")
      assert.strictEqual((yield* get("/read")).text, "0 nobody")
    })
  )

  it.effect("is not kept alive by requests that do not ask for it", () =>
    Effect.gen(function* () {
      const get = yield* start(store())
      yield* get("/count")
      yield* TestClock.adjust("119 minutes")
      yield* get("/plain")
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual((yield* get("/read")).text, "0 nobody")
    })
  )

  it.effect("is gone a day after it began, however busy it is", () =>
    Effect.gen(function* () {
      const get = yield* start(store())
      for (let hour = 0; hour < 24; hour++) {
        assert.strictEqual((yield* get("/count")).text, `${hour + 1} nobody`)
        yield* TestClock.adjust("1 hour")
      }
      assert.strictEqual((yield* get("/count")).text, "1 nobody")
    })
  )

  it.effect("has its day from its login on", () =>
    Effect.gen(function* () {
      const get = yield* start(store(), { idleTimeout: "1 day" })
      yield* get("/count")
      yield* TestClock.adjust("23 hours")
      yield* get("/login")
      yield* TestClock.adjust("23 hours")
      assert.strictEqual((yield* get("/read")).text, "1 ada")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* get("/read")).text, "0 nobody")
    })
  )

  it.effect("that is remembered lives for 30 days, 14 of them idle, in a cookie that outlives the browser", () =>
    Effect.gen(function* () {
      const get = yield* start(store())
      const [usual = ""] = (yield* get("/count")).cookies
      assert.notInclude(usual, "Max-Age")
      const [cookie = ""] = (yield* get("/stay")).cookies
      assert.include(cookie, `Max-Age=${30 * 86_400};`)
      yield* TestClock.adjust("13 days")
      assert.strictEqual((yield* get("/read")).text, "1 ada")
      yield* TestClock.adjust("13 days")
      assert.strictEqual((yield* get("/read")).text, "1 ada")
      yield* TestClock.adjust("4 days")
      assert.strictEqual((yield* get("/read")).text, "0 nobody")
    })
  )

  it.effect("has the times that it was given", () =>
    Effect.gen(function* () {
      const get = yield* start(store(), { idleTimeout: "1 minute", maxAge: "2 minutes", cookie: { persistent: true } })
      assert.include((yield* get("/count")).cookies.join(), "Max-Age=120;")
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* get("/count")).text, "2 nobody")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* get("/count")).text, "1 nobody")
    })
  )
})

describe("a session that is read", () => {
  it.effect("is written only when a quarter of its idle time has passed", () =>
    Effect.gen(function* () {
      const { store, writes } = counted()
      const get = yield* start(store)
      yield* get("/count")
      yield* TestClock.adjust("29 minutes")
      assert.deepStrictEqual((yield* get("/read")).cookies, [])
      assert.strictEqual(writes(), 1)
      yield* TestClock.adjust("1 minute")
      yield* get("/read")
      assert.strictEqual(writes(), 2)
      yield* get("/read")
      assert.strictEqual(writes(), 2)
    })
  )

  it.effect("and set to what it was is not written", () =>
    Effect.gen(function* () {
      const { store, writes } = counted()
      const get = yield* start(store)
      yield* get("/count")
      yield* get("/same")
      assert.strictEqual(writes(), 1)
    })
  )

  it.effect("of a new visitor is neither written nor given a cookie, not when it is set to what is empty either", () =>
    Effect.gen(function* () {
      const { store, writes } = counted()
      const get = yield* start(store)
      assert.deepStrictEqual((yield* get("/read")).cookies, [])
      assert.deepStrictEqual((yield* get("/same")).cookies, [])
      assert.strictEqual(writes(), 0)
    })
  )
})

describe("times that are none", () => {
  const rows = [
    [{ idleTimeout: 0 }, /idleTimeout/],
    [{ maxAge: "0 seconds" }, /maxAge/],
    [{ maxAge: "Infinity" }, /a maxAge that ends/],
    [{ idleTimeout: "7 days" }, /an idleTimeout of 7d is longer than its maxAge of 1d; give a longer maxAge too/],
    [{ remember: { idleTimeout: "60 days" } }, /an idleTimeout of 60d is longer than its maxAge of 30d/],
    [{ remember: { maxAge: "-1 seconds" } }, /Session "Visit"/]
  ] as const
  for (const [options, wanted] of rows) {
    it(`${JSON.stringify(options)} throws`, () => {
      assert.throws(() => Session.make(Visit, { store: RecordStore.memory(), ...options } as never), wanted)
    })
  }
})
