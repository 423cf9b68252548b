/**
 * Node's SQLite behind Effect's SqlClient.
 */
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import * as Sqlite from "../../src/server/Sqlite.ts"
import * as Folder from "../folder.ts"

const memory = Sqlite.layer({ filename: ":memory:" })
const numbers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE numbers (n INTEGER PRIMARY KEY, name TEXT UNIQUE)`
  yield* sql`INSERT INTO numbers ${sql.insert([
    { n: 1, name: "one" },
    { n: 2, name: "two" }
  ])}`
  return sql
})

it.effect("rows are read as objects, as arrays, and as a stream", () =>
  Effect.gen(function* () {
    const sql = yield* numbers
    const all = sql<{ n: number; name: string }>`SELECT * FROM numbers ORDER BY n`
    assert.deepStrictEqual(
      (yield* all).map(({ n, name }) => [n, name]),
      [
        [1, "one"],
        [2, "two"]
      ]
    )
    assert.deepStrictEqual(yield* all.values, [
      [1, "one"],
      [2, "two"]
    ])
    assert.deepStrictEqual(yield* Stream.runCollect(Stream.map(all.stream, ({ name }) => name)), ["one", "two"])
    assert.lengthOf(yield* sql`SELECT * FROM numbers WHERE ${sql.in("n", [2, 3])}`, 1)
    assert.lengthOf((yield* all.raw) as ReadonlyArray<unknown>, 2)
    const [updated] = yield* sql<{ name: string }>`UPDATE numbers SET name = ${"deux"} WHERE n = ${2} RETURNING name`
    assert.strictEqual(updated?.name, "deux")
  }).pipe(Effect.provide(memory))
)

it.effect("a transaction that fails leaves nothing behind, and one inside another only its own part", () =>
  Effect.gen(function* () {
    const sql = yield* numbers
    const count = Effect.map(sql<{ n: number }>`SELECT COUNT(*) AS n FROM numbers`, ([row]) => row?.n)
    const add = (n: number) => sql`INSERT INTO numbers (n) VALUES (${n})`
    yield* Effect.exit(sql.withTransaction(Effect.andThen(add(3), Effect.fail("no"))))
    assert.strictEqual(yield* count, 2)
    const inner = Effect.exit(sql.withTransaction(Effect.andThen(add(4), Effect.fail("no"))))
    yield* sql.withTransaction(Effect.andThen(add(3), inner))
    assert.strictEqual(yield* count, 3)
  }).pipe(Effect.provide(memory))
)

it.effect("a statement of another fiber waits until the transaction is over", () =>
  Effect.gen(function* () {
    const sql = yield* numbers
    const [begun, go] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const transaction = sql`INSERT INTO numbers (n) VALUES (3)`.pipe(
      Effect.andThen(Deferred.succeed(begun, undefined)),
      Effect.andThen(Deferred.await(go))
    )
    const first = yield* Effect.forkChild(sql.withTransaction(transaction))
    yield* Deferred.await(begun)
    const second = yield* Effect.forkChild(sql<{ n: number }>`SELECT COUNT(*) AS n FROM numbers`)
    yield* Effect.yieldNow
    assert.isUndefined(second.pollUnsafe())
    yield* Deferred.succeed(go, undefined)
    yield* Fiber.join(first)
    assert.deepStrictEqual((yield* Fiber.join(second))[0]?.n, 3)
  }).pipe(Effect.provide(memory))
)

it.effect("what goes wrong is named by its reason", () =>
  Effect.gen(function* () {
    const sql = yield* numbers
    const reason = (text: string) => Effect.map(Effect.flip(sql.unsafe(text)), ({ reason }) => reason._tag)
    assert.strictEqual(yield* reason("INSERT INTO numbers (n, name) VALUES (9, 'one')"), "UniqueViolation")
    assert.strictEqual(yield* reason("INSERT INTO numbers (n) VALUES (1)"), "ConstraintError")
    assert.strictEqual(yield* reason("SELEC"), "UnknownError")
  }).pipe(Effect.provide(memory))
)

it.effect("a database that cannot be opened is a typed failure of the layer", () =>
  Effect.gen(function* () {
    const filename = Folder.make().at("missing/app.db")
    const error = yield* Effect.flip(Effect.provide(SqlClient.SqlClient, Sqlite.layer({ filename })))
    assert.strictEqual(error.reason._tag, "ConnectionError")
  })
)

it.effect("a file keeps what was written, under the names of the program", () =>
  Effect.gen(function* () {
    const filename = Folder.make().at("app.db")
    const names = {
      transformQueryNames: (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      transformResultNames: (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    }
    yield* SqlClient.SqlClient.use((sql) =>
      Effect.andThen(
        sql`CREATE TABLE users (first_name TEXT)`,
        sql`INSERT INTO users ${sql.insert({ firstName: "Ada" })}`
      )
    ).pipe(Effect.provide(Sqlite.layer({ filename, ...names })))
    const rows = yield* SqlClient.SqlClient.use((sql) => sql`SELECT first_name FROM users`).pipe(
      Effect.provide(Sqlite.layer({ filename, ...names }))
    )
    assert.deepStrictEqual(rows, [{ firstName: "Ada" }])
  })
)

it.effect("integers that no number holds are read as bigint where that is asked for", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const select = sql`SELECT 9007199254740993 AS n`
    assert.include(String(yield* Effect.flip(select)), "SqlError")
    const [row] = yield* Effect.provideService(select, SqlClient.SafeIntegers, true)
    assert.strictEqual(row?.n, 9007199254740993n)
  }).pipe(Effect.provide(memory))
)
