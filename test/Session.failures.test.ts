/**
 * Stores that fail, and sessions of other times.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Middleware from "../src/Middleware.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sealed from "../src/Sealed.ts"
import * as Session from "../src/Session.ts"
import * as Testing from "../src/testing/Testing.ts"
import { recorder } from "./server/both.ts"

class Visit extends Session.Service<Visit>()("Visit", {
  fields: { count: Schema.Int },
  empty: { count: 0 },
  identity: Schema.String
}) {}

/** A store that can be broken, and what it holds. */
const breakable = () => {
  const inner = RecordStore.memory()
  const state = { broken: "" }
  const or = <A>(name: string, effect: Effect.Effect<A>) =>
    Effect.suspend((): Effect.Effect<A, RecordStore.RecordStoreError> => {
      return state.broken.includes(name) ? Effect.fail(new RecordStore.RecordStoreError({ cause: "down" })) : effect
    })
  const store: RecordStore.RecordStore<RecordStore.RecordStoreError> = {
    get: (key) => or("get", inner.get(key)),
    put: (key, value, options) => or("put", inner.put(key, value, options)),
    remove: (key, options) => or("remove", inner.remove(key, options))
  }
  return { state, store }
}

const increment = Effect.flatMap(Visit, (visit) => visit.update(({ count }) => ({ count: count + 1 })))
const routes = {
  plain: Route.get("/plain", Response.text("plain")),
  read: Route.get(
    "/read",
    Effect.map(
      Effect.flatMap(Visit, (visit) => visit.get),
      ({ count }) => Response.text(String(count))
    )
  ),
  count: Route.get(
    "/count",
    Effect.map(increment, ({ count }) => Response.text(String(count)))
  ),
  conflict: Route.get("/conflict", Effect.andThen(increment, Effect.fail(new HttpError.Conflict()))),
  died: Route.get("/died", Effect.andThen(increment, Effect.die("oh"))),
  invalid: Route.get(
    "/invalid",
    Effect.flatMap(Visit, (visit) => Effect.as(visit.set({ count: 0.5 }), Response.text("saved")))
  ),
  login: Route.get(
    "/login",
    Effect.flatMap(Visit, (visit) => Effect.as(visit.rotate("ada"), Response.text("hello")))
  ),
  logout: Route.get(
    "/logout",
    Effect.flatMap(Visit, (visit) => Effect.as(visit.invalidate, Response.text("bye")))
  )
}

describe("with a store that is down", () => {
  const rows: ReadonlyArray<readonly [broken: string, path: string, status: number]> = [
    ["get", "/plain", 200],
    ["get", "/read", 503],
    ["get", "/count", 503],
    ["put", "/read", 200],
    ["put", "/count", 503],
    ["put", "/conflict", 503],
    ["put", "/died", 500],
    ["put", "/login", 503],
    ["remove", "/logout", 503],
    ["put", "/logout", 200]
  ]
  it.effect.each(rows)("(%s) %s is %s, and what fails is typed", ([broken, path, status]) =>
    Effect.gen(function* () {
      const { state, store } = breakable()
      const app = App.make(routes).pipe(App.use(Session.make(Visit, { store })))
      const seen: Array<string> = []
      const { layer, logs } = recorder()
      const watched = app.pipe(
        App.use(
          Middleware.catch(RecordStore.RecordStoreError, (error) => {
            seen.push(error._tag)
            return Effect.fail(error)
          })
        )
      )
      const client = yield* Effect.provide(Testing.client(watched), layer)
      yield* client.get("/count")
      state.broken = broken
      const response = yield* client.get(path)
      assert.strictEqual(response.status, status)
      assert.deepStrictEqual(seen, status === 503 ? ["RecordStoreError"] : [])
      assert.strictEqual(response.headers["set-cookie"] === undefined, path !== "/logout" || status !== 200)
      const errors = logs.filter((line) => line.startsWith("Error"))
      assert.deepStrictEqual(errors, status === 500 ? ["Error The handler died (GET /died)"] : [])
    })
  )
})

describe("a handler that", () => {
  it.effect("dies leaves the session as it was; what it sets that is none of the fields is a defect too", () =>
    Effect.gen(function* () {
      const app = App.make(routes).pipe(App.use(Session.make(Visit, { store: RecordStore.memory() })))
      const client = yield* Testing.client(app)
      yield* client.get("/count")
      assert.strictEqual((yield* client.get("/died")).status, 500)
      assert.strictEqual((yield* client.get("/invalid")).status, 500)
      assert.strictEqual(yield* (yield* client.get("/read")).text, "1")
    })
  )

  it.effect("is interrupted, because its client has left, leaves the session as it was", () =>
    Effect.gen(function* () {
      const begun = yield* Deferred.make<void>()
      const ended = yield* Deferred.make<void>()
      const hang = Effect.andThen(increment, Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)).pipe(
        Effect.onInterrupt(() => Deferred.succeed(ended, undefined))
      )
      const app = App.make({ ...routes, hang: Route.get("/hang", hang) }).pipe(
        App.use(Session.make(Visit, { store: RecordStore.memory() }))
      )
      const client = yield* Testing.client(app)
      yield* client.get("/count")
      const hanging = yield* Effect.forkChild(client.get("/hang"))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(hanging)
      yield* Deferred.await(ended)
      assert.strictEqual(yield* (yield* client.get("/read")).text, "1")
    })
  )
})

describe("a session of another version", () => {
  const fields = { count: Schema.Int }
  const empty = { count: 0 }
  class Old extends Session.Service<Old>()("V", { fields: { n: Schema.String }, empty: { n: "" } }) {}
  class Mid extends Session.Service<Mid>()("V", {
    fields: { n: Schema.Int, since: Schema.Date },
    empty: { n: 0, since: new Date(0) },
    migrations: [Session.migration({ n: Schema.String }, ({ n }) => ({ n: Number(n), since: new Date(1000) }))]
  }) {}
  const one = Session.migration({ n: Schema.String }, ({ n }) => {
    if (n === "bad") throw new Error("a secret")
    return { n: Number(n), since: new Date(1000) }
  })
  const two = Session.migration({ n: Schema.Int, since: Schema.Date }, ({ n, since }) => ({
    count: n + since.getTime()
  }))
  class New extends Session.Service<New>()("V", { fields, empty, migrations: [one, two] }) {}
  class Newest extends Session.Service<Newest>()("V", { fields, empty, version: 4, migrations: [] }) {}

  // Its only need is the session.
  const served = (app: App.Any) => Testing.client(app as App.App<never, never, {}, never>)
  const stored = <I, A>(kind: Session.Class<I, "V", A, never, {}>, set: A, store: RecordStore.RecordStore) =>
    served(
      App.make({
        set: Route.get(
          "/set",
          Effect.flatMap(kind, (session) => Effect.as(session.set(set), Response.text("")))
        ),
        get: Route.get(
          "/get",
          Effect.flatMap(kind, (session) => Effect.map(session.get, Response.json))
        )
      }).pipe(App.use(Session.make(kind, { store })))
    )

  const store = RecordStore.memory()
  const at = new Date(5)
  const rows = [
    ["is migrated step by step", stored(Old, { n: "7" }, store), stored(New, empty, store), { count: 1007 }, 0],
    ["is migrated by one step", stored(Mid, { n: 7, since: at }, store), stored(New, empty, store), { count: 12 }, 0],
    ["that cannot be migrated is a new one", stored(Old, { n: "bad" }, store), stored(New, empty, store), empty, 1],
    ["that gives no data is a new one", stored(Old, { n: "x" }, store), stored(New, empty, store), empty, 1],
    [
      "for which there is no step any more is a new one",
      stored(Old, { n: "7" }, store),
      stored(Newest, empty, store),
      empty,
      1
    ],
    [
      "that comes from the future is a new one",
      stored(New, { count: 7 }, store),
      stored(Old, { n: "" }, store),
      { n: "" },
      1
    ]
  ] as const
  for (const [name, before, after, wanted, refused] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const old = yield* before
        const { cookies } = yield* old.get("/set")
        const cookie = Object.values(cookies.cookies)
          .map(({ name, value }) => `${name}=${value}`)
          .join("; ")
        const { layer, logs } = recorder()
        const client = yield* Effect.provide(after, layer)
        const response = yield* client.get("/get", { headers: { cookie } })
        assert.deepStrictEqual(yield* response.json, wanted)
        const said = logs.filter(
          (line) => line === "Debug A session was not accepted: Its data is not what any version has"
        )
        assert.strictEqual(said.length, refused)
        assert.notInclude(logs.join(), "secret")
      })
    )
  }
})

describe("why a cookie stands for nothing is logged at debug", () => {
  const keys = Sealed.keys("a secret of at least 32 bytes, for tests")
  const records = RecordStore.memory()
  const seal = (purpose: string) => Sealed.make({ schema: Schema.Unknown, keys, purpose }).seal(["id", {}])
  const rows: ReadonlyArray<
    readonly [store: typeof records | Session.CookieStore, Effect.Effect<string>, says: string]
  > = [
    [records, Effect.succeed("x".repeat(24)), "The store has none of its id"],
    [records, Effect.succeed("forged"), "Its cookie has no id"],
    [Session.cookie({ keys }), Effect.succeed("forged"), "Its cookie is malformed"],
    [Session.cookie({ keys }), seal("another"), "Its cookie is forged"],
    [Session.cookie({ keys }), seal("session Visit"), "It is no session"]
  ]
  it.effect.each(rows)("%o %o %s", ([store, cookie, says]) => {
    const log = recorder()
    return Effect.gen(function* () {
      const client = yield* Testing.client(App.make(routes).pipe(App.use(Session.make(Visit, { store }))))
      const response = yield* client.get("/read", { headers: { cookie: `session=${yield* cookie}` } })
      assert.deepStrictEqual([response.status, yield* response.text], [200, "0"])
      assert.deepStrictEqual(log.logs, [`Debug A session was not accepted: ${says}`])
    }).pipe(Effect.provide(log.layer))
  })
})
