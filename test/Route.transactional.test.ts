/**
 * `Route.transactional`: all that a handler has written, or nothing of it; in SQLite and in PostgreSQL.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Middleware from "../src/Middleware.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sqlite from "../src/server/Sqlite.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as Wire from "./conformance/wire.ts"
import * as PostgresServer from "./postgresServer.ts"
import { get, until } from "./server/both.ts"

const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))

const insert = (name: string) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.orDie(sql`INSERT INTO people (name) VALUES (${name})`))
const names = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.map(Effect.orDie(sql<{ readonly name: string }>`SELECT name FROM people ORDER BY name`), (rows) =>
    rows.map(({ name }) => name)
  )
)
const fresh = Effect.gen(function* () {
  events.length = 0
  const sql = yield* SqlClient.SqlClient
  yield* Effect.orDie(sql`DROP TABLE IF EXISTS people`)
  yield* Effect.orDie(sql`CREATE TABLE people (name VARCHAR(20) UNIQUE)`)
})

const hangs = Effect.andThen(insert("lost"), Effect.andThen(note("written"), Effect.never)).pipe(
  Effect.onInterrupt(() => note("interrupted"))
)
const gone: Middleware.Middleware<never, HttpError.Gone> = (handler) =>
  Effect.flatMap(handler, () => Effect.fail(new HttpError.Gone()))

// Written once more when it is committed: PostgreSQL looks at the constraint then.
const twice = Effect.as(Effect.andThen(insert("kept"), insert("kept")), Response.text("ok"))

// What the stream sees is what anyone sees.
const everybody = Effect.map(SqlClient.SqlClient, (sql) => {
  const all = Effect.provideService(names, SqlClient.SqlClient, sql)
  return Response.stream(Stream.fromEffect(Effect.map(all, (all) => all.join())))
})

const app = App.make({
  ok: Route.post("/ok", Effect.as(insert("kept"), Response.text("ok"))).pipe(Route.transactional),
  status: Route.post("/status", Effect.as(insert("kept"), Response.text("no", { status: 409 }))).pipe(
    Route.transactional
  ),
  fails: Route.post("/fails", Effect.andThen(insert("lost"), Effect.fail(new HttpError.Conflict()))).pipe(
    Route.transactional
  ),
  dies: Route.post("/dies", Effect.andThen(insert("lost"), Effect.die("bug"))).pipe(Route.transactional),
  middleware: Route.post("/middleware", Effect.as(insert("lost"), Response.text("ok"))).pipe(
    Route.use(Middleware.before(insert("too"))),
    Route.use(gone),
    Route.transactional
  ),
  outside: Route.post("/outside", Effect.as(insert("kept"), Response.text("ok"))).pipe(
    Route.transactional,
    Route.use(gone)
  ),
  hangs: Route.get("/hangs", hangs).pipe(Route.transactional),
  timed: Route.get("/timed", hangs).pipe(Route.transactional, Route.timeout("20 millis")),
  stream: Route.get("/stream", Effect.andThen(insert("kept"), everybody)).pipe(Route.transactional),
  twice: Route.post("/twice", twice).pipe(Route.transactional)
})
const inherited = App.make({
  fails: Route.post("/fails", Effect.andThen(insert("lost"), Effect.fail(new HttpError.Conflict())))
}).pipe(App.policy(Route.transactional))

type Test = Effect.Effect<unknown, unknown, SqlClient.SqlClient | Scope.Scope>
const left = (wanted: ReadonlyArray<string>) => Effect.map(names, (all) => assert.deepStrictEqual(all, wanted))

const answered = (path: string, status: number, wanted: ReadonlyArray<string>): Test =>
  Effect.gen(function* () {
    const client = yield* Testing.client(app)
    assert.strictEqual((yield* client.post(path)).status, status)
    yield* left(wanted)
  })

const rows: ReadonlyArray<readonly [name: string, test: Test]> = [
  ["a handler that succeeds is committed", answered("/ok", 200, ["kept"])],
  ["an error status that is returned is a success", answered("/status", 409, ["kept"])],
  ["a handler that fails is rolled back, and its failure is the answer", answered("/fails", 409, [])],
  ["a handler that dies is rolled back", answered("/dies", 500, [])],
  ["the middleware applied before is part of it", answered("/middleware", 410, [])],
  ["the middleware applied after is not", answered("/outside", 410, ["kept"])],
  [
    "an app gives it to its routes",
    Effect.gen(function* () {
      const client = yield* Testing.client(inherited)
      assert.strictEqual((yield* client.post("/fails")).status, 409)
      yield* left([])
    })
  ],
  [
    "a timeout rolls it back",
    Effect.gen(function* () {
      const client = yield* Testing.client(app)
      assert.strictEqual((yield* client.get("/timed")).status, 503)
      assert.deepStrictEqual(events, ["written", "interrupted"])
      yield* left([])
    })
  ],
  [
    "a client that leaves rolls it back",
    Effect.gen(function* () {
      const wire = yield* Wire.open(yield* Testing.socketClient(app))
      yield* wire.send(get("/hangs"))
      yield* until(() => events.length === 1)
      wire.socket.destroy()
      yield* until(() => events.length === 2)
      yield* left([])
    })
  ],
  [
    "a server that stops rolls it back",
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const wire = yield* Wire.open(yield* Scope.provide(Testing.socketClient(app), scope))
      yield* wire.send(get("/hangs"))
      yield* until(() => events.length === 1)
      yield* Scope.close(scope, Exit.void)
      yield* left([])
    })
  ],
  [
    "a stream comes after the commit",
    Effect.gen(function* () {
      const client = yield* Testing.client(app)
      assert.strictEqual(yield* Effect.flatMap(client.get("/stream"), ({ text }) => text), "kept")
    })
  ]
]

const quiet = Layer.succeed(References.MinimumLogLevel, "None")

describe("in SQLite", () => {
  const memory = Layer.merge(Sqlite.layer({ filename: ":memory:" }), quiet)
  for (const [name, test] of rows) {
    it.live(name, () => Effect.provide(Effect.scoped(Effect.andThen(fresh, test)), memory))
  }
})

describe.runIf(PostgresServer.isInstalled)("in PostgreSQL", () => {
  layer(Layer.merge(Layer.orDie(PostgresServer.layerOwn), quiet), {
    timeout: "60 seconds",
    excludeTestServices: true
  })((it) => {
    for (const [name, test] of rows) it.effect(name, () => Effect.scoped(Effect.andThen(fresh, test)))

    it.effect("what cannot be committed is 503", () =>
      Effect.gen(function* () {
        yield* fresh
        const sql = yield* SqlClient.SqlClient
        yield* sql`ALTER TABLE people ADD CONSTRAINT late UNIQUE (name) DEFERRABLE INITIALLY DEFERRED`
        yield* sql`ALTER TABLE people DROP CONSTRAINT people_name_key`
        const client = yield* Testing.client(app)
        assert.strictEqual((yield* client.post("/twice")).status, 503)
        yield* left([])
      })
    )

    it.effect("a query that is under way when the time is over is cancelled in the database", () =>
      Effect.gen(function* () {
        const sleep = Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.orDie(sql`SELECT pg_sleep(60)`))
        const app = App.make({
          sleep: Route.get("/", Effect.as(sleep, Response.text(""))).pipe(
            Route.transactional,
            Route.timeout("50 millis")
          )
        })
        const client = yield* Testing.client(app)
        assert.strictEqual((yield* client.get("/")).status, 503)
        const sql = yield* SqlClient.SqlClient
        const running = sql`SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'`
        assert.deepStrictEqual(yield* running, [])
      })
    )
  })

  it.live(
    "a database that is gone is 503, and comes back",
    () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer.make
        yield* Effect.provide(
          Effect.gen(function* () {
            yield* fresh
            const client = yield* Testing.client(app)
            yield* server.kill
            assert.strictEqual((yield* client.post("/ok")).status, 503)
            yield* server.start
            // What was written last may be lost: the server is without durability.
            yield* fresh
            assert.strictEqual((yield* client.post("/ok")).status, 200)
          }),
          Layer.merge(PostgresServer.layer(server), quiet)
        )
      }).pipe(Effect.scoped),
    60_000
  )
})
