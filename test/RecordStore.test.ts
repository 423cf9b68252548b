/**
 * Where records are kept: one table of behaviours, for each store.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Persistence from "effect/persistence/Persistence"
import * as Redis from "effect/persistence/Redis"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import * as Statement from "effect/sql/Statement"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sqlite from "../src/server/Sqlite.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as Folder from "./folder.ts"
import * as PostgresServer from "./postgresServer.ts"
import * as RedisServer from "./redisServer.ts"
import { recorder } from "./server/both.ts"

/** A store, and how time goes by for it. */
interface Subject {
  readonly store: RecordStore.RecordStore<RecordStore.RecordStoreError>
  readonly wait: (duration: Duration.Duration) => Effect.Effect<void>
}

const long = { expected: undefined, expiresIn: "1 minute" } as const
const short = { expected: undefined, expiresIn: "100 millis" } as const
const moment = Duration.millis(150)
const fail = new Error("no version")
const written = (version: string | undefined) => (version === undefined ? Effect.die(fail) : Effect.succeed(version))

const rows: ReadonlyArray<readonly [string, (subject: Subject) => Effect.Effect<void, RecordStore.RecordStoreError>]> =
  [
    [
      "what was never written is not there, and is removed in peace",
      Effect.fnUntraced(function* ({ store }) {
        assert.isUndefined(yield* store.get("a"))
        yield* store.remove("a")
        yield* store.remove("a", { expected: "1" })
      })
    ],
    [
      "what was written is read, with its version",
      Effect.fnUntraced(function* ({ store }) {
        const version = yield* written(yield* store.put("a", "one", long))
        assert.deepStrictEqual(yield* store.get("a"), { value: "one", version })
      })
    ],
    [
      "a record that must not exist is not written over",
      Effect.fnUntraced(function* ({ store }) {
        const version = yield* written(yield* store.put("a", "one", long))
        assert.isUndefined(yield* store.put("a", "two", long))
        assert.deepStrictEqual(yield* store.get("a"), { value: "one", version })
      })
    ],
    [
      "a record is written over at the version that is expected, and at no other",
      Effect.fnUntraced(function* ({ store }) {
        const first = yield* written(yield* store.put("a", "one", long))
        const second = yield* written(yield* store.put("a", "two", { ...long, expected: first }))
        assert.notStrictEqual(second, first)
        assert.isUndefined(yield* store.put("a", "three", { ...long, expected: first }))
        assert.isUndefined(yield* store.put("b", "three", { ...long, expected: first }))
        assert.deepStrictEqual(yield* store.get("a"), { value: "two", version: second })
        assert.isUndefined(yield* store.get("b"))
      })
    ],
    [
      "a version does not come again when a record is removed and written anew",
      Effect.fnUntraced(function* ({ store }) {
        const first = yield* written(yield* store.put("a", "one", long))
        yield* store.remove("a")
        const second = yield* written(yield* store.put("a", "one", long))
        assert.isUndefined(yield* store.put("a", "two", { ...long, expected: first }))
        assert.deepStrictEqual(yield* store.get("a"), { value: "one", version: second })
      })
    ],
    [
      "a record is removed at the version that is expected, and at no other",
      Effect.fnUntraced(function* ({ store }) {
        const version = yield* written(yield* store.put("a", "one", long))
        yield* store.remove("a", { expected: `${version}0` })
        yield* store.remove("a", { expected: "" })
        assert.deepStrictEqual(yield* store.get("a"), { value: "one", version })
        yield* store.remove("a", { expected: version })
        assert.isUndefined(yield* store.get("a"))
      })
    ],
    [
      "a record that has expired is not there, and can be written anew",
      Effect.fnUntraced(function* ({ store, wait }) {
        const first = yield* written(yield* store.put("a", "one", short))
        yield* wait(moment)
        assert.isUndefined(yield* store.get("a"))
        assert.isUndefined(yield* store.put("a", "two", { ...short, expected: first }))
        yield* written(yield* store.put("a", "three", long))
        assert.strictEqual((yield* store.get("a"))?.value, "three")
      })
    ],
    [
      "each change sets the expiry anew",
      Effect.fnUntraced(function* ({ store, wait }) {
        const first = yield* written(yield* store.put("a", "one", short))
        yield* store.put("a", "two", { ...long, expected: first })
        yield* store.put("b", "three", { expected: undefined, expiresIn: Duration.infinity })
        yield* store.put("c", "four", { expected: undefined, expiresIn: Duration.zero })
        yield* wait(moment)
        const values = yield* Effect.forEach(["a", "b", "c"], (key) =>
          Effect.map(store.get(key), (found) => found?.value)
        )
        assert.deepStrictEqual(values, ["two", "three", undefined])
      })
    ],
    [
      "keys and values are any text",
      Effect.fnUntraced(function* ({ store }) {
        const texts = ["", " ", "\n", "a\nb", "it's", '"', "\\", "%", "*", "é", "💡", "$1", "x".repeat(100_000)]
        for (const text of texts) yield* store.put(text.slice(0, 1000), text, { ...long, expected: undefined })
        for (const text of texts) assert.strictEqual((yield* store.get(text.slice(0, 1000)))?.value, text)
      })
    ],
    [
      "of fifty who write at a time one wins, and no change is lost",
      Effect.fnUntraced(function* ({ store }) {
        const created = yield* Effect.forEach(fifty, (n) => store.put("a", `${n}`, long), { concurrency: "unbounded" })
        assert.lengthOf(
          created.filter((version) => version !== undefined),
          1
        )
        yield* store.remove("a")
        yield* store.put("a", "0", long)
        const add: Effect.Effect<void, RecordStore.RecordStoreError> = Effect.gen(function* () {
          const { value = "", version } = (yield* store.get("a")) ?? {}
          const next = String(Number(value) + 1)
          if ((yield* store.put("a", next, { ...long, expected: version })) === undefined) yield* add
        })
        yield* Effect.forEach(fifty, () => add, { concurrency: 10 })
        assert.strictEqual((yield* store.get("a"))?.value, "50")
      })
    ]
  ]
const fifty = Array.from({ length: 50 }, (_, n) => n)

describe("in memory", () => {
  for (const [name, run] of rows) {
    it.effect(name, () => run({ store: RecordStore.memory(), wait: TestClock.adjust }))
  }

  const kept = (store: RecordStore.RecordStore, keys: ReadonlyArray<string>) =>
    Effect.map(Effect.forEach(keys, store.get), (found) => found.flatMap((record) => record?.value ?? []))

  it.effect("when it is full, the oldest goes, and never what has just come, however soon it expires", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory({ capacity: 3 })
      const put = (key: string, seconds: number) =>
        store.put(key, key, { expected: undefined, expiresIn: Duration.seconds(seconds) })
      const all = [
        ["a", 300],
        ["b", 60],
        ["claim", 10],
        ["c", 300],
        ["d", 300]
      ] as const
      for (const [key, seconds] of all) yield* put(key, seconds)
      assert.deepStrictEqual(yield* kept(store, ["a", "b", "claim", "c", "d"]), ["claim", "c", "d"])
    })
  )

  it.effect("what has expired goes before anything else", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory({ capacity: 3 })
      const put = (key: string, seconds: number) =>
        store.put(key, key, { expected: undefined, expiresIn: Duration.seconds(seconds) })
      yield* put("a", 300)
      yield* put("b", 10)
      yield* put("c", 300)
      yield* TestClock.adjust("10 seconds")
      yield* put("d", 300)
      assert.deepStrictEqual(yield* kept(store, ["a", "b", "c", "d"]), ["a", "c", "d"])
    })
  )

  it.effect("what is asked for outlives a flood of what is not, up to half of the room", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory({ capacity: 100 })
      const put = (key: string) => store.put(key, key, long)
      const used = Array.from({ length: 60 }, (_, n) => `used ${n}`)
      for (const key of used) yield* Effect.andThen(put(key), store.get(key))
      for (let n = 0; n < 1000; n++) yield* put(`flood ${n}`)
      assert.deepStrictEqual(yield* kept(store, used), used.slice(10))
      const flood = Array.from({ length: 1000 }, (_, n) => `flood ${n}`)
      assert.deepStrictEqual(yield* kept(store, flood), flood.slice(950))
    })
  )

  it.effect("its size is bounded too", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory({ size: "1 kB" })
      for (const n of fifty) yield* store.put(`${n}`, "x".repeat(100), long)
      const found = yield* Effect.forEach(fifty, (n) => store.get(`${n}`))
      assert.deepStrictEqual(
        fifty.filter((n) => found[n] !== undefined),
        [46, 47, 48, 49]
      )
    })
  )

  it.effect("a hundred thousand changes of one record take no more room than one", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory({ capacity: 2 })
      yield* store.put("other", "", long)
      let version: string | undefined
      for (let n = 0; n < 100_000; n++) version = yield* store.put("a", `${n}`, { ...long, expected: version })
      assert.strictEqual((yield* store.get("a"))?.value, "99999")
      assert.isDefined(yield* store.get("other"))
    })
  )

  it("a capacity that holds nothing is refused", () => {
    assert.throws(() => RecordStore.memory({ capacity: 0 }), "give 1 or more")
    assert.throws(() => RecordStore.memory({ size: "much" as "1 kB" }), "is no size")
  })
})

describe("in what backs Effect's Persistence", () => {
  for (const [name, run] of rows) {
    it.effect(name, () =>
      Effect.flatMap(Effect.context<Persistence.BackingPersistence>(), (context) =>
        run({ store: provided(RecordStore.persistence(), context), wait: TestClock.adjust })
      ).pipe(Effect.provide(Persistence.layerBackingMemory))
    )
  }

  it.effect("stores of one id are one, and another id sees none of it", () =>
    Effect.gen(function* () {
      const [one, same, other] = ["a", "a", "b"].map((storeId) => RecordStore.persistence({ storeId }))
      const version = yield* one!.put("key", "one", long)
      assert.deepStrictEqual(yield* same!.get("key"), { value: "one", version })
      assert.isUndefined(yield* other!.get("key"))
      const changes = yield* Effect.forEach(
        [one!, same!],
        (store) => store.put("key", "two", { ...long, expected: version }),
        {
          concurrency: 2
        }
      )
      assert.lengthOf(
        changes.filter((version) => version !== undefined),
        1
      )
    }).pipe(Effect.provide(Persistence.layerBackingMemory))
  )

  it.effect("what fails there is a RecordStoreError, and a store that could not be opened is opened again", () =>
    Effect.gen(function* () {
      const broken = new Persistence.PersistenceError({ message: "gone" })
      let opens = 0
      const backing = Persistence.BackingPersistence.of({
        make: () => {
          opens++
          if (opens === 1) return Effect.die("not now")
          const none = Effect.fail(broken)
          return Effect.succeed({
            ...{ get: () => none, getMany: () => none, set: () => none },
            ...{ setMany: () => none, remove: () => none, clear: none }
          })
        }
      })
      const store = RecordStore.persistence()
      const found = yield* Effect.exit(store.get("a")).pipe(
        Effect.andThen(Effect.flip(store.get("a"))),
        Effect.provideService(Persistence.BackingPersistence, backing)
      )
      assert.instanceOf(found, RecordStore.RecordStoreError)
      assert.strictEqual(found.cause, broken)
      assert.strictEqual(opens, 2)
    })
  )
})

const sqlRows: ReadonlyArray<readonly [string, Effect.Effect<void, unknown, SqlClient.SqlClient>]> = [
  [
    "a table that was made in a transaction that is rolled back is made again",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const store = RecordStore.sql({ table: "rolled_back" })
      const exit = yield* Effect.exit(
        sql.withTransaction(Effect.andThen(store.put("a", "one", long), Effect.fail("no")))
      )
      assert.deepStrictEqual(exit, Exit.fail("no"))
      assert.isUndefined(yield* store.get("a"))
      yield* written(yield* store.put("a", "two", long))
    })
  ],
  [
    "who writes removes what has expired, a hundred at a time, once a minute",
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const [store, later] = [RecordStore.sql({ table: "swept" }), RecordStore.sql({ table: "swept" })]
      const count = Effect.map(sql<{ n: number }>`SELECT COUNT(*) AS n FROM swept`, ([row]) => Number(row?.n))
      for (let n = 0; n < 110; n++) yield* store.put(`${n}`, "", { expected: undefined, expiresIn: "1 millis" })
      yield* Effect.sleep(moment)
      const before = yield* count
      for (let n = 0; n < 3; n++) yield* later.put(`new${n}`, "", long)
      assert.deepStrictEqual([before >= 109, yield* count], [true, 3])
      for (let n = 0; n < 5; n++) yield* later.put(`old${n}`, "", { expected: undefined, expiresIn: "1 millis" })
      yield* Effect.sleep(moment)
      yield* later.put("last", "", long)
      assert.strictEqual(yield* count, 9)
    })
  ]
]

/** The table, each row with records of its own, over one store that is reached through a layer. */
const table = <R>(
  name: string,
  services: Layer.Layer<R, unknown>,
  make: (name: string) => RecordStore.RecordStore<RecordStore.RecordStoreError, R>,
  more: ReadonlyArray<readonly [string, Effect.Effect<void, unknown, R>]> = []
) => {
  layer(services, { excludeTestServices: true, timeout: "20 seconds" })(name, (it) => {
    for (const [index, [name, run]] of rows.entries()) {
      it.effect(name, () =>
        Effect.flatMap(Effect.context<R>(), (context) =>
          run({ store: provided(make(`t${index}`), context), wait: Effect.sleep })
        )
      )
    }
    for (const [name, run] of more) it.effect(name, () => run)
  })
}

const provided = <R>(
  { get, put, remove }: RecordStore.RecordStore<RecordStore.RecordStoreError, R>,
  context: Context.Context<R>
): RecordStore.RecordStore<RecordStore.RecordStoreError> => ({
  get: (key) => Effect.provideContext(get(key), context),
  put: (key, value, options) => Effect.provideContext(put(key, value, options), context),
  remove: (key, options) => Effect.provideContext(remove(key, options), context)
})

const behind = (storeId: string) => RecordStore.persistence({ storeId })

const redisLayer = (path: string) => NodeRedis.layer({ socket: { path, tls: false }, disableOfflineQueue: true })
const ownRedis = Layer.unwrap(Effect.map(RedisServer.make, ({ path }) => redisLayer(path)))

describe.runIf(RedisServer.isInstalled)("with redis-server", () => {
  table("in Redis", ownRedis, (prefix) => RecordStore.redis({ prefix: `${prefix}:` }))
  table("in Redis behind Effect's Persistence", Layer.provide(Persistence.layerBackingRedis, ownRedis), behind)

  it.live("records leave nothing behind in Redis, and another prefix sees none", () =>
    Effect.gen(function* () {
      const redis = yield* Redis.Redis
      const [store, other] = [RecordStore.redis(), RecordStore.redis({ prefix: "other:" })]
      yield* store.put("a", "one", long)
      assert.isUndefined(yield* other.get("a"))
      assert.deepStrictEqual(yield* redis.send("KEYS", "*"), ["effect-web:record:a"])
      assert.isAtLeast(Number(yield* redis.send("PTTL", "effect-web:record:a")), 59_000)
      yield* store.remove("a")
      assert.deepStrictEqual(yield* redis.send("KEYS", "*"), [])
    }).pipe(Effect.provide(ownRedis))
  )

  it.live("without Redis an app answers 503, and the log has the cause as a warning", () => {
    const log = recorder()
    return Effect.gen(function* () {
      const server = yield* RedisServer.make
      const context = yield* Layer.build(redisLayer(server.path))
      const client = yield* Effect.provide(Testing.client(app(RecordStore.redis())), context)
      assert.strictEqual((yield* client.get("/")).status, 200)
      yield* server.kill
      const response = yield* client.get("/")
      assert.strictEqual(response.status, 503)
      assert.deepStrictEqual(yield* response.json, unavailable)
      assert.include(log.logs.join("\n"), "The handler failed with 503 Service Unavailable")
      assert.deepStrictEqual(
        log.logs.filter((line) => line.startsWith("Error")),
        []
      )
    }).pipe(Effect.provide(log.layer))
  })
})

describe.runIf(PostgresServer.isInstalled)("with postgres", () => {
  it.live("ten processes that begin at a time make one table", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(PostgresServer.layerOwn)
      const stores = Array.from({ length: 10 }, () => provided(RecordStore.sql({ table: 'public.a "table"' }), context))
      const versions = yield* Effect.forEach(stores, (store) => store.put("a", "one", long), { concurrency: 10 })
      assert.lengthOf(
        versions.filter((version) => version !== undefined),
        1
      )
    })
  )

  it.live("a role that may not make tables uses one that is there, and is told where there is none", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make
      const admin = yield* Layer.build(PostgresServer.layer(server))
      yield* provided(RecordStore.sql(), admin).put("a", "one", long)
      const sql = Context.get(admin, SqlClient.SqlClient)
      yield* sql`CREATE ROLE guest LOGIN`
      yield* sql`GRANT SELECT, INSERT, UPDATE, DELETE ON effect_web_records TO guest`
      const guest = yield* Layer.build(PostgresServer.layer(server, "guest"))
      assert.strictEqual((yield* provided(RecordStore.sql(), guest).get("a"))?.value, "one")
      const error = yield* Effect.flip(provided(RecordStore.sql({ table: "another" }), guest).get("a"))
      assert.strictEqual(error._tag, "RecordStoreError")
      assert.include(String(Cause.pretty(Cause.fail(error))), "permission denied for schema public")
    })
  )

  it.effect("a statement that waits for a lock fails after five seconds", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make
      const context = yield* Layer.build(PostgresServer.layer(server))
      const store = provided(RecordStore.sql(), context)
      const version = written(yield* store.put("a", "one", long))
      const sql = Context.get(context, SqlClient.SqlClient)
      const locked = sql<{ waiting: boolean }>`SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted) AS waiting`
      const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      const latch = yield* Latch.make()
      const holding = Effect.andThen(sql`LOCK TABLE effect_web_records`, Effect.andThen(latch.open, Effect.never))
      const holder = yield* Effect.forkChild(sql.withTransaction(holding))
      yield* latch.await
      const put = store.put("a", "two", { expected: yield* version, expiresIn: "1 minute" })
      const waiting = yield* Effect.forkChild(Effect.flip(put))
      yield* Effect.repeat(Effect.andThen(turn, locked), { until: ([row]) => row?.waiting === true })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "RecordStoreError")
      yield* Fiber.interrupt(holder)
      assert.strictEqual((yield* store.get("a"))?.value, "one")
    })
  )

  const backing = Layer.provide(Persistence.layerBackingSqlMultiTable, PostgresServer.layerOwn)
  table("in PostgreSQL behind Effect's Persistence", backing, behind)

  table("in PostgreSQL", PostgresServer.layerOwn, (table) => RecordStore.sql({ table }), sqlRows)
})

table(
  "in SQLite",
  Sqlite.layer({ filename: Folder.make().at("records.db") }),
  (table) => RecordStore.sql({ table }),
  sqlRows
)

it.effect("another database is refused, with the cure", () =>
  Effect.gen(function* () {
    const unused = Effect.die(new Error("unused"))
    const mysql = yield* SqlClient.make({
      acquirer: unused,
      compiler: Statement.makeCompiler({
        dialect: "mysql",
        placeholder: () => "?",
        onIdentifier: (name) => name,
        onCustom: () => ["", []],
        onRecordUpdate: () => ["", []]
      }),
      driver: "mysql",
      spanAttributes: []
    })
    const get = Effect.provideService(RecordStore.sql().get("a"), SqlClient.SqlClient, mysql)
    const exit = yield* Effect.exit(get)
    assert.include(String(exit), "RecordStore.sql speaks PostgreSQL and SQLite")
  }).pipe(Effect.provide(Reactivity.layer))
)

const app = <R>(store: RecordStore.RecordStore<RecordStore.RecordStoreError, R>) =>
  App.make({
    home: Route.get(
      "/",
      Effect.map(store.get("a"), () => Response.text("fine"))
    )
  })
const unavailable = { type: "about:blank", title: "Service Unavailable", status: 503, _tag: "RecordStoreError" }
