/**
 * Records in a table of PostgreSQL or SQLite, which expire by the clock of the database.
 *
 * ```ts
 * const store = make({ table: "records" })
 * ```
 *
 * The table is made on first use. Rows that have expired are removed a few at a time, by those who write.
 *
 * @spec https://www.postgresql.org/docs/current/sql-insert.html; https://www.sqlite.org/lang_upsert.html
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlError from "effect/sql/SqlError"
import type { Fragment, Identifier } from "effect/sql/Statement"
import type { RecordStore, SqlOptions } from "../../RecordStore.ts"
import { milliseconds } from "./expiry.ts"
import { RecordStoreError } from "./failure.ts"
import * as Version from "./version.ts"

/** Makes a store. */
export const make = ({
  table = "effect_web_records"
}: SqlOptions): RecordStore<RecordStoreError, SqlClient.SqlClient> => {
  const { run, sweep } = prepared(table)
  return {
    get: (key) =>
      run(({ now, records, sql }) =>
        Effect.map(
          sql<Row>`SELECT value, version FROM ${records} WHERE id = ${key} AND expires_at > ${now}`,
          ([row]) => (row === undefined ? undefined : { value: row.value, version: row.version })
        )
      ),
    put: Effect.fnUntraced(function* (key, value, { expected, expiresIn }) {
      const version = yield* Version.next
      const written = yield* run((context) => {
        const row: NewRow = { key, value, version, expiry: milliseconds(expiresIn) }
        return expected === undefined ? insert(context, row) : update(context, row, expected)
      })
      yield* sweep
      return written.length === 0 ? undefined : version
    }),
    remove: (key, { expected } = {}) =>
      run(({ records, sql }) =>
        expected === undefined
          ? sql`DELETE FROM ${records} WHERE id = ${key}`
          : sql`DELETE FROM ${records} WHERE id = ${key} AND version = ${expected}`
      )
  }
}

interface Row {
  readonly value: string
  readonly version: string
}

interface NewRow extends Row {
  readonly key: string
  readonly expiry: number
}

/** What the statements are made with: `now` is the time of the database, in milliseconds since 1970. */
interface Context {
  readonly sql: SqlClient.SqlClient
  readonly records: Identifier
  readonly now: Fragment
}

// In place of a row that has expired, too.
const insert = ({ now, records, sql }: Context, { expiry, key, value, version }: NewRow) =>
  sql`INSERT INTO ${records} AS old (id, value, version, expires_at)
    VALUES (${key}, ${value}, ${version}, ${now} + ${expiry})
    ON CONFLICT (id) DO UPDATE
    SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at
    WHERE old.expires_at <= ${now}
    RETURNING version`

const update = ({ now, records, sql }: Context, { expiry, key, value, version }: NewRow, expected: string) =>
  sql`UPDATE ${records} SET value = ${value}, version = ${version}, expires_at = ${now} + ${expiry}
    WHERE id = ${key} AND version = ${expected} AND expires_at > ${now}
    RETURNING version`

const batch = 100
const pause = 60_000

const removeExpired = ({ now, records, sql }: Context) =>
  sql`DELETE FROM ${records} WHERE id IN (
      SELECT id FROM ${records} WHERE expires_at <= ${now} LIMIT ${sql.literal(String(batch))}
      ${sql.onDialectOrElse({ pg: () => sql.literal("FOR UPDATE SKIP LOCKED"), orElse: () => sql.literal("") })}
    ) AND expires_at <= ${now} RETURNING id`

const prepared = (table: string) => {
  const contexts = new WeakMap<SqlClient.SqlClient, Context>()
  const begin = Effect.flatMap(SqlClient.SqlClient, (client) => {
    const found = contexts.get(client)
    if (found !== undefined) return Effect.succeed(found)
    const context = contextOf(client.withoutTransforms(), table)
    // In a transaction that is rolled back, the table is too.
    const ready = Effect.suspend(() => client.afterCommit(Effect.sync(() => contexts.set(client, context))))
    return Effect.as(Effect.andThen(create(context, table), ready), context)
  })
  // A statement may wait for a lock, or for a database that is away, without end.
  const run = <A>(f: (context: Context) => Effect.Effect<A, SqlError.SqlError>) =>
    Effect.mapError(Effect.timeout(Effect.flatMap(begin, f), "5 seconds"), (cause) => new RecordStoreError({ cause }))

  // Once a minute; at once where there was more.
  let next = Number.NEGATIVE_INFINITY
  const sweep = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (now < next) return Effect.void
    next = now + pause
    return Effect.ignore(
      run((context) =>
        Effect.map(removeExpired(context), ({ length }) => {
          if (length === batch) next = Number.NEGATIVE_INFINITY
        })
      ),
      { log: "Debug" }
    )
  })
  return { run, sweep }
}

const contextOf = (sql: SqlClient.SqlClient, table: string): Context => ({
  sql,
  records: sql(table),
  now: sql.onDialectOrElse({
    pg: () => sql.literal("(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint"),
    sqlite: () => sql.literal("CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"),
    orElse: () => {
      throw new TypeError("RecordStore.sql speaks PostgreSQL and SQLite: give one of them, or keep records in Redis")
    }
  })
})

// A role that may not create tables can use one that is there. PostgreSQL does not create a table safely when two do it at a time.
const create = ({ records, sql }: Context, table: string): Effect.Effect<unknown, SqlError.SqlError> => {
  // An index is in the schema of its table.
  const index = sql(`${table.slice(table.lastIndexOf(".") + 1)}_expires_at`)
  const columns = sql.literal(
    "id TEXT PRIMARY KEY, value TEXT NOT NULL, version TEXT NOT NULL, expires_at BIGINT NOT NULL"
  )
  const tables = Effect.andThen(
    sql`CREATE TABLE IF NOT EXISTS ${records} (${columns})`,
    sql`CREATE INDEX IF NOT EXISTS ${index} ON ${records} (expires_at)`
  )
  return sql.onDialectOrElse({
    pg: () => {
      const locked = Effect.andThen(sql`SELECT pg_advisory_xact_lock(hashtext(${`effect-web ${table}`}))`, tables)
      const there = sql<{ there: boolean }>`SELECT to_regclass(${quoted(table)}) IS NOT NULL AS there`
      return Effect.flatMap(there, ([row]) => (row?.there === true ? Effect.void : sql.withTransaction(locked)))
    },
    orElse: () => tables
  })
}

// As the client quotes it: "schema.table" are two names.
const quoted = (table: string): string =>
  table
    .split(".")
    .map((name) => `"${name.replaceAll('"', '""')}"`)
    .join(".")
