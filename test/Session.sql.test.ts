/**
 * Sessions in a database that the handlers use too: SQLite has one connection for all.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Session from "../src/Session.ts"
import * as Sqlite from "../src/server/Sqlite.ts"
import * as Testing from "../src/testing/Testing.ts"

class Visit extends Session.Service<Visit>()("Visit", { fields: { count: Schema.Int }, empty: { count: 0 } }) {}
const visits = Session.make(Visit, { store: RecordStore.sql() })

const increment = Effect.gen(function* () {
  const { count } = yield* (yield* Visit).update(({ count }) => ({ count: count + 1 }))
  return Response.text(String(count))
})
const failing = Effect.andThen(increment, Effect.fail(new HttpError.Conflict()))

/** What a request gets, and how many sessions are kept then. */
const asks = (client: Testing.Client) => (path: string) =>
  Effect.gen(function* () {
    const response = yield* client.get(path)
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ value: string }>`SELECT value FROM effect_web_records`
    return [response.status, row === undefined ? undefined : JSON.parse(row.value).d.count]
  })

it.effect("that is asked for in a transaction is read in it, and saved when that is over", () =>
  Effect.gen(function* () {
    const app = App.make({
      plain: Route.get("/plain", increment),
      inside: Route.get("/inside", increment).pipe(Route.transactional),
      failing: Route.get("/failing", failing).pipe(Route.transactional)
    })
    const ask = asks(yield* Testing.client(app.pipe(App.use(visits))))
    assert.deepStrictEqual(yield* ask("/plain"), [200, 1])
    assert.deepStrictEqual(yield* ask("/inside"), [200, 2])
    assert.deepStrictEqual(yield* ask("/failing"), [409, 3])
  }).pipe(Effect.provide(Sqlite.layer({ filename: ":memory:" })))
)

it.effect("that is inside of a transaction is part of it", () =>
  Effect.gen(function* () {
    const inside = App.make({
      increment: Route.get("/increment", increment).pipe(Route.use(visits), Route.transactional),
      failing: Route.get("/failing", failing).pipe(Route.use(visits), Route.transactional)
    })
    const ask = asks(yield* Testing.client(inside))
    assert.deepStrictEqual(yield* ask("/increment"), [200, 1])
    assert.deepStrictEqual(yield* ask("/failing"), [409, 1])
    assert.deepStrictEqual(yield* ask("/increment"), [200, 2])
  }).pipe(Effect.provide(Sqlite.layer({ filename: ":memory:" })))
)
