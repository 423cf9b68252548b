import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cookies from "effect/http/Cookies"
import * as Option from "effect/Option"
import * as Persistence from "effect/persistence/Persistence"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sealed from "../src/Sealed.ts"
import * as Session from "../src/Session.ts"
import * as Sqlite from "../src/server/Sqlite.ts"
import { served } from "../src/testing/Served.ts"
import type * as Testing from "../src/testing/Testing.ts"

class Visit extends Session.Service<Visit>()("Visit", {
  fields: { count: Schema.Int, seen: Schema.optionalKey(Schema.Date) },
  empty: { count: 0 },
  identity: Schema.String,
  flash: { notice: Schema.String }
}) {}

const count = Effect.gen(function* () {
  const visit = yield* Visit
  const { count } = yield* visit.update((v) => ({ ...v, count: v.count + 1 }))
  return Response.text(String(count))
})
const routes = {
  plain: Route.get("/plain", Effect.succeed(Response.text("plain"))),
  count: Route.get("/count", count),
  read: Route.get(
    "/read",
    Effect.gen(function* () {
      const visit = yield* Visit
      const { count } = yield* visit.get
      const identity = Option.getOrElse(yield* visit.identity, () => "nobody")
      return Response.text(`${count} ${identity} ${(yield* visit.isNew) ? "new" : "known"}`)
    })
  ),
  login: Route.post(
    "/login",
    Effect.gen(function* () {
      const visit = yield* Visit
      yield* visit.rotate("ada")
      yield* visit.flash({ notice: "Welcome" })
      return Response.redirect("/", { status: 303 })
    })
  ),
  notice: Route.get(
    "/notice",
    Effect.gen(function* () {
      const { notice = "none" } = yield* (yield* Visit).flashed
      return Response.text(notice)
    })
  ),
  logout: Route.post(
    "/logout",
    Effect.gen(function* () {
      yield* (yield* Visit).invalidate
      return Response.text("bye")
    })
  ),
  failed: Route.get("/failed", Effect.andThen(count, Effect.fail(new HttpError.Conflict()))),
  died: Route.get("/died", Effect.andThen(count, Effect.die("oh")))
}

const keys = Sealed.keys("0123456789abcdef0123456789abcdef")
const stores = [
  ["memory", () => RecordStore.memory()],
  ["cookie", () => Session.cookie({ keys })]
] as const

/** Visits, a login, messages, failures, a logout. */
const story = (client: Testing.Client) =>
  Effect.gen(function* () {
    const text = (path: string) => Effect.flatMap(client.get(path), (response) => response.text)
    assert.strictEqual(yield* text("/read"), "0 nobody new")
    assert.deepStrictEqual(yield* Ref.get(client.cookies), [])
    assert.strictEqual(yield* text("/count"), "1")
    assert.strictEqual(yield* text("/count"), "2")
    assert.strictEqual(yield* text("/read"), "2 nobody known")
    yield* client.post("/login")
    assert.strictEqual(yield* text("/read"), "2 ada known")
    assert.strictEqual(yield* text("/notice"), "Welcome")
    assert.strictEqual(yield* text("/notice"), "none")
    assert.strictEqual((yield* client.get("/failed")).status, 409)
    assert.strictEqual(yield* text("/read"), "3 ada known")
    assert.strictEqual((yield* client.get("/died")).status, 500)
    assert.strictEqual(yield* text("/read"), "3 ada known")
    const out = yield* client.post("/logout")
    assert.match(Cookies.toSetCookieHeaders(out.cookies).join(), /^session=; Max-Age=0; Path=\//)
    assert.strictEqual(yield* text("/read"), "0 nobody new")
  })

for (const [name, store] of stores) {
  it.effect(`a session in a ${name} store works under the web standard, where nothing of Node is`, () =>
    Effect.gen(function* () {
      const middleware = Session.make(Visit, { store: store() as RecordStore.RecordStore })
      const fetch = App.toWebHandler(App.make(routes).pipe(App.use(middleware)))
      const get = (path: string, cookie = "") =>
        Effect.promise(() => fetch(new Request(`https://app.example${path}`, { headers: { cookie } })))
      const [cookie = ""] = (yield* get("/count")).headers.get("set-cookie")?.split(";") ?? []
      assert.match(cookie, /^__Host-session=/)
      const read = yield* get("/read", cookie)
      assert.strictEqual(yield* Effect.promise(() => read.text()), "1 nobody known")
    })
  )

  const app = App.make(routes).pipe(App.use(Session.make(Visit, { store: store() as RecordStore.RecordStore })))
  served(`a session in a ${name} store`, app, story)
}

const inSql = App.make(routes).pipe(App.use(Session.make(Visit, { store: RecordStore.sql() })))
served("a session in SQLite", inSql, story, { layer: Sqlite.layer({ filename: ":memory:" }) })

const behind = App.make(routes).pipe(App.use(Session.make(Visit, { store: RecordStore.persistence() })))
served("a session behind Effect's Persistence", behind, story, { layer: Persistence.layerBackingMemory })

let decoded = 0
const counted = Schema.String.check(Schema.makeFilter(() => ++decoded > 0))

class Cart extends Session.Service<Cart>()("Cart", {
  fields: { items: Schema.mutable(Schema.Array(counted)), since: Schema.optionalKey(Schema.Date) },
  empty: { items: [] }
}) {}

// Tries to change what it was given, as it was not meant.
const change = Effect.gen(function* () {
  const { items, since } = yield* (yield* Cart).get
  const before = `${items.join()} ${since?.getUTCFullYear()}`
  since?.setUTCFullYear(1970)
  const pushed = yield* Effect.exit(Effect.sync(() => items.push("more")))
  return Response.text(`${before} ${Exit.isFailure(pushed) ? "refused" : "changed"}`)
})
const put = (since?: Date) =>
  Effect.gen(function* () {
    yield* (yield* Cart).set({ items: ["a"], ...(since && { since }) })
    return Response.text("put")
  })

served(
  "what a handler does to what it was given reaches no other request",
  App.make({
    change: Route.get("/change", change),
    put: Route.get("/put", put()),
    dated: Route.get("/dated", put(new Date("2026-11-26T12:00:00Z")))
  }).pipe(App.use(Session.make(Cart, { store: Session.cookie({ keys }) }))),
  (client) =>
    Effect.gen(function* () {
      const text = (path: string) => Effect.flatMap(client.get(path), (response) => response.text)
      assert.strictEqual(yield* text("/change"), " undefined refused")
      yield* text("/put")
      assert.strictEqual(yield* text("/change"), "a undefined refused")
      decoded = 0
      assert.strictEqual(yield* text("/change"), "a undefined refused")
      assert.strictEqual(decoded, 0, "a cookie that came before is not read again")
      // A Date can be set, so each request has its own.
      yield* text("/dated")
      assert.strictEqual(yield* text("/change"), "a 2026 refused")
      assert.strictEqual(yield* text("/change"), "a 2026 refused")
    })
)
