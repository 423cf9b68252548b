/**
 * Requests of one session at the same time: those that are held have read it and not saved it yet.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Cookies from "effect/http/Cookies"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Request from "../src/Request.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Session from "../src/Session.ts"
import * as Testing from "../src/testing/Testing.ts"

class Cart extends Session.Service<Cart>()("Cart", {
  fields: { items: Schema.Array(Schema.String) },
  empty: { items: [] },
  identity: Schema.String,
  flash: { notice: Schema.String, error: Schema.String }
}) {}

type Held = Effect.Effect<unknown, Session.SessionError>

const start = Effect.gen(function* () {
  const latch = yield* Latch.make()
  let waiting = 0
  const held = Effect.suspend(() => {
    waiting++
    return latch.await
  })
  const handler = (f: (cart: typeof Cart.Service, item: string) => Held) =>
    Effect.gen(function* () {
      const cart = yield* Cart
      const { item = "" } = yield* Request.params
      yield* f(cart, item)
      if ((yield* Request.queryString) === "held") yield* held
      const who = Option.getOrElse(yield* cart.identity, () => "nobody")
      return Response.text(`${(yield* cart.get).items.toSorted().join(" ")} ${who}`.trim())
    })
  const app = App.make({
    read: Route.get(
      "/read",
      handler((cart) => cart.get)
    ),
    add: Route.get(
      "/add/{item}",
      handler((cart, item) => cart.update(({ items }) => ({ items: [...items, item] })))
    ),
    empty: Route.get(
      "/empty",
      handler((cart) => cart.set({ items: [] }))
    ),
    login: Route.get(
      "/login/{item}",
      handler((cart, item) => cart.rotate(item))
    ),
    logout: Route.get(
      "/logout",
      handler((cart) => cart.invalidate)
    ),
    leave: Route.get(
      "/leave/{item}",
      handler((cart, item) => cart.flash({ [item]: item }))
    ),
    take: Route.get(
      "/take",
      Effect.gen(function* () {
        const flashed = yield* (yield* Cart).flashed
        if ((yield* Request.queryString) === "held") yield* held
        return Response.json(flashed)
      })
    )
  }).pipe(App.use(Session.make(Cart, { store: RecordStore.memory() })))
  const client = yield* Testing.client(app)
  const get = (path: string) =>
    Effect.flatMap(client.get(path), (response) =>
      Effect.map(response.text, (text) => ({ text, cookies: Cookies.toSetCookieHeaders(response.cookies) }))
    )
  /** Begins the requests one after the other; the effect lets them end and gives the answers. */
  const hold = Effect.fnUntraced(function* (...paths: ReadonlyArray<string>) {
    waiting = 0
    latch.closeUnsafe()
    const fibers: Array<Fiber.Fiber<{ readonly text: string; readonly cookies: ReadonlyArray<string> }, unknown>> = []
    for (const path of paths) {
      fibers.push(yield* Effect.forkScoped(get(`${path}?held`)))
      while (waiting < fibers.length) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return Effect.andThen(latch.open, Fiber.joinAll(fibers))
  })
  return { get, hold }
})

describe("of requests that change one session at the same time", () => {
  it.effect("no update is lost", () =>
    Effect.gen(function* () {
      const { get, hold } = yield* start
      yield* get("/add/apple")
      const all = Array.from("bcdefghijklmnop")
      yield* yield* hold(...all.map((item) => `/add/${item}`))
      assert.strictEqual((yield* get("/read")).text, `apple ${all.join(" ")} nobody`)
    })
  )

  it.effect("the one that empties it has ended it, also for an update that comes later", () =>
    Effect.gen(function* () {
      const { get, hold } = yield* start
      yield* get("/add/apple")
      const release = yield* hold("/add/pear")
      assert.match((yield* get("/empty")).cookies.join(), /^session=; Max-Age=0/)
      const [pear] = yield* release
      assert.deepStrictEqual(pear?.cookies, [])
      assert.strictEqual((yield* get("/read")).text, "nobody")
    })
  )

  it.effect("a message that one leaves is not taken by another that has not seen it", () =>
    Effect.gen(function* () {
      const { get, hold } = yield* start
      yield* get("/leave/notice")
      const release = yield* hold("/take")
      yield* get("/leave/error")
      assert.strictEqual((yield* release)[0]?.text, `{"notice":"notice"}`)
      assert.strictEqual((yield* get("/take")).text, `{"error":"error"}`)
      assert.strictEqual((yield* get("/take")).text, "{}")
    })
  )

  it.effect("a login takes the updates that were saved before it along", () =>
    Effect.gen(function* () {
      const { get, hold } = yield* start
      yield* get("/add/apple")
      const release = yield* hold("/login/ada")
      yield* get("/add/pear")
      yield* release
      assert.strictEqual((yield* get("/read")).text, "apple pear ada")
    })
  )

  it.effect("one from before a login changes nothing, and does not take the new cookie away", () =>
    Effect.gen(function* () {
      const { get, hold } = yield* start
      yield* get("/add/apple")
      const release = yield* hold("/add/pear")
      yield* get("/login/ada")
      assert.deepStrictEqual((yield* release)[0]?.cookies, [])
      assert.strictEqual((yield* get("/read")).text, "apple ada")
    })
  )

  it.effect("one from before a logout does not bring the session back", () =>
    Effect.gen(function* () {
      const { get, hold } = yield* start
      yield* get("/add/apple")
      yield* get("/login/ada")
      const release = yield* hold("/add/pear")
      assert.match((yield* get("/logout")).cookies.join(), /^session=; Max-Age=0/)
      assert.deepStrictEqual((yield* release)[0]?.cookies, [])
      assert.strictEqual((yield* get("/read")).text, "nobody")
    })
  )

  it.effect("of two logins both are logins, and the last answer has the browser", () =>
    Effect.gen(function* () {
      const { get, hold } = yield* start
      yield* get("/add/apple")
      const release = yield* hold("/login/ada")
      yield* get("/login/grace")
      assert.strictEqual((yield* release)[0]?.cookies.length, 1)
      assert.strictEqual((yield* get("/read")).text, "ada")
    })
  )

  it.effect("a logout ends what the others have changed", () =>
    Effect.gen(function* () {
      const { get, hold } = yield* start
      yield* get("/login/ada")
      const release = yield* hold("/logout")
      yield* get("/add/pear")
      assert.match((yield* release)[0]?.cookies.join() ?? "", /^session=; Max-Age=0/)
      assert.strictEqual((yield* get("/read")).text, "nobody")
    })
  )
})

/** A store that is asked over a network: each call takes a turn of the event loop. */
const distant = () => {
  const calls = { get: 0, put: 0 }
  const memory = RecordStore.memory()
  const asked = (name: keyof typeof calls) =>
    Effect.promise(() => new Promise<void>((resolve) => setImmediate(() => resolve(void calls[name]++))))
  const store: RecordStore.RecordStore = {
    ...memory,
    get: (key) => Effect.andThen(asked("get"), memory.get(key)),
    put: (...args) => Effect.andThen(asked("put"), memory.put(...args))
  }
  return { calls, store }
}

it.effect(
  "three hundred requests that change one session at the same time are all answered, and ask its store for each twice",
  () =>
    Effect.gen(function* () {
      const { calls, store } = distant()
      const latch = yield* Latch.make()
      let waiting = 0
      const add = Effect.gen(function* () {
        const { item = "" } = yield* Request.params
        yield* (yield* Cart).update(({ items }) => ({ items: [...items, item] }))
        waiting++
        yield* latch.await
        return Response.empty()
      })
      const read = Cart.use(({ get }) => Effect.map(get, ({ items }) => Response.text(String(items.length))))
      const app = App.make({ add: Route.get("/add/{item}", add), read: Route.get("/read", read) })
      const client = yield* Testing.client(app.pipe(App.use(Session.make(Cart, { store }))))
      latch.openUnsafe()
      yield* client.get("/add/first")
      latch.closeUnsafe()
      Object.assign(calls, { get: 0, put: 0 })
      waiting = 0
      const all = Array.from({ length: 300 }, (_, n) => n)
      const fiber = yield* Effect.forkScoped(
        Effect.forEach(all, (n) => client.get(`/add/${n}`), { concurrency: "unbounded" })
      )
      while (waiting < 300) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* latch.open
      const statuses = new Set((yield* Fiber.join(fiber)).map(({ status }) => status))
      assert.deepStrictEqual([...statuses], [204])
      assert.deepStrictEqual(calls, { get: 599, put: 300 })
      assert.strictEqual(yield* (yield* client.get("/read")).text, "301")
    })
)
