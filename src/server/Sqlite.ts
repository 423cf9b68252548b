/**
 * SQLite as Effect's `SqlClient`, on the database that Node has built in: nothing to install, nothing to run.
 *
 * ```ts
 * const database = Sqlite.layer({ filename: "data/app.db" })
 * Layer.launch(Server.layer(app).pipe(Layer.provide(database)))
 * const users = yield* SqlClient.SqlClient.use((sql) => sql`SELECT name FROM users WHERE id = ${id}`)
 * ```
 *
 * There is one connection, and statements run on the thread of the program: each holds it up for as long as it takes. Written because
 * `@effect/sql-sqlite-node` has no release for Effect 4.1.
 *
 * @spec https://nodejs.org/api/sqlite.html
 */
import type * as NodeSqlite from "node:sqlite"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlConnection from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"

/** Where the database is, and how it is opened. */
export interface Options {
  /** The path of its file, which is created where there is none; ":memory:" is gone with the layer. */
  readonly filename: string
  /** How long a statement waits for another process that writes, and holds up this one; 1 second. */
  readonly busyTimeout?: Duration.Input
  /** The names in statements, from those in the program: `Statement`'s helpers write them. */
  readonly transformQueryNames?: (name: string) => string
  /** The names in rows, from those in the database. */
  readonly transformResultNames?: (name: string) => string
}

/**
 * Opens the database, in WAL mode, and closes it with the layer.
 *
 * @errors SqlError when it cannot be opened
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.provide(Layer.effect(SqlClient.SqlClient, make(options)), Reactivity.layer)

const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<SqlClient.SqlClient, SqlError.SqlError, Reactivity.Reactivity | Scope.Scope> {
  const database = yield* Effect.acquireRelease(
    attempt("connect", () => open(options)),
    (database) => Effect.sync(() => database.close())
  )
  const connection = connect(database)
  const { transformResultNames } = options
  return yield* SqlClient.make({
    ...SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: Semaphore.makeUnsafe(1),
      isTransaction: () => database.isTransaction
    }),
    compiler: Statement.makeCompilerSqlite(options.transformQueryNames),
    driver: "sqlite-effect-web",
    spanAttributes: [["db.system.name", "sqlite"]],
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    ...(transformResultNames === undefined
      ? undefined
      : { transformRows: Statement.defaultTransforms(transformResultNames).array })
  })
})

// Loaded when it is needed: Node 22 says on loading it that it is experimental.
const open = ({ busyTimeout = "1 second", filename }: Options): NodeSqlite.DatabaseSync => {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite")
  const database = new DatabaseSync(filename, { timeout: Duration.toMillis(busyTimeout) })
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
  return database
}

const attempt = <A>(operation: string, f: () => A): Effect.Effect<A, SqlError.SqlError> =>
  Effect.try({ try: f, catch: (cause) => new SqlError.SqlError({ reason: classified(cause, operation) }) })

// Node has the code of SQLite under another name than Effect looks for.
const classified = (cause: unknown, operation: string) => {
  const message = `SQLite failed to ${operation}`
  if (cause instanceof Error && "errcode" in cause) Object.assign(cause, { errno: cause.errcode })
  return SqlError.classifySqliteError(cause, { message, operation })
}

const kept = 200

const connect = (database: NodeSqlite.DatabaseSync): SqlConnection.Connection => {
  const statements = new Map<string, NodeSqlite.StatementSync>()
  const prepare = (sql: string): NodeSqlite.StatementSync => {
    const statement = statements.get(sql) ?? database.prepare(sql)
    // The one used last is the last to go.
    statements.delete(sql)
    statements.set(sql, statement)
    if (statements.size > kept) statements.delete(statements.keys().next().value as string)
    return statement
  }
  const run = (sql: string, params: ReadonlyArray<unknown>, asArrays: boolean) =>
    Effect.withFiber((fiber) =>
      attempt("execute", () => {
        const statement = prepare(sql)
        statement.setReadBigInts(fiber.getRef(SqlClient.SafeIntegers))
        statement.setReturnArrays(asArrays)
        return statement.all(...(params as ReadonlyArray<NodeSqlite.SQLInputValue>))
      })
    )
  const execute: SqlConnection.Connection["execute"] = (sql, params, transform) =>
    Effect.map(run(sql, params, false), (rows) => (transform === undefined ? rows : transform(rows)))
  // Rows are arrays then.
  const values = (sql: string, params: ReadonlyArray<unknown>) =>
    run(sql, params, true) as Effect.Effect<unknown> as Effect.Effect<
      ReadonlyArray<ReadonlyArray<unknown>>,
      SqlError.SqlError
    >
  return {
    execute,
    executeUnprepared: execute,
    executeRaw: (sql, params) => run(sql, params, false),
    executeValues: values,
    executeValuesUnprepared: values,
    executeStream: (sql, params, transform) => Stream.fromIterableEffect(execute(sql, params, transform))
  }
}
