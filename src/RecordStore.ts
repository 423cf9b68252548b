/**
 * Small texts under keys, each with a version to compare and an expiry: what sessions and answers to repeated requests are kept in.
 *
 * ```ts
 * const store = RecordStore.redis() // or .memory(), .sql()
 * const version = yield* store.put("cart:7", "[]", { expected: undefined, expiresIn: "1 day" })
 * const record = yield* store.get("cart:7") // { value: "[]", version }
 * const lost = yield* store.put("cart:7", "[1]", { expected: "another", expiresIn: "1 day" }) // undefined: someone was faster
 * ```
 *
 * Effect's `BackingPersistence` has no compare-and-set (`set` overwrites whatever is there): over it, by `.persistence()`, two processes
 * can lose updates, and cannot agree which of them runs. A store of your own is an object with these three functions,
 * which end by themselves: what is saved at the end of a request is not interrupted.
 *
 * @source aiohttp_session.AbstractStorage; unlike it: no update is lost
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { BackingPersistence } from "effect/persistence/Persistence"
import type { Redis } from "effect/persistence/Redis"
import type { SqlClient } from "effect/sql/SqlClient"
import type { RecordStoreError } from "./internal/records/failure.ts"
import * as Memory from "./internal/records/memory.ts"
import * as InPersistence from "./internal/records/persistence.ts"
import * as InRedis from "./internal/records/redis.ts"
import * as InSql from "./internal/records/sql.ts"

export { RecordStoreError } from "./internal/records/failure.ts"

/** A record as it is now. */
export interface Stored {
  readonly value: string
  /** Another one after each change; a version never comes again. */
  readonly version: string
}

/** A store. Keys and values are any text without U+0000; a record that has expired is not there. */
export interface RecordStore<out E = never, out R = never> {
  readonly get: (key: string) => Effect.Effect<Stored | undefined, E, R>
  /**
   * Writes a record if it is at the version that is expected; undefined expects that there is none. Gives the new version, or undefined
   * when it was not as expected: then nothing has changed. It expires after `expiresIn`, at least a millisecond and at most 100 years.
   */
  readonly put: (key: string, value: string, options: PutOptions) => Effect.Effect<string | undefined, E, R>
  /** Removes a record, whatever its version, or only if it is at the one that is expected. */
  readonly remove: (key: string, options?: { readonly expected?: string }) => Effect.Effect<void, E, R>
}

/** What a record is written on, and for how long. */
export interface PutOptions {
  readonly expected: string | undefined
  readonly expiresIn: Duration.Input
}

/** How much a store in memory may hold. */
export interface MemoryOptions {
  /** The most records; 100,000. */
  readonly capacity?: number
  /** The most that keys and values may take together, at two bytes a character; 64 MiB. A record that takes more is kept alone. */
  readonly size?: ByteSize.Input
}

/**
 * Records in the memory of this process; whoever has the value has the same ones. When it is full, the oldest go of those that nobody
 * has asked for since they were written, as long as they are half of it, and else those that were used the longest time ago: a flood of
 * new ones takes no more than half from those in use. Throws a TypeError for a capacity below 1.
 */
export const memory = (options: MemoryOptions = {}): RecordStore => Memory.make(options)

/** Where records are in Redis. */
export interface RedisOptions {
  /** What its keys begin with; "effect-web:record:". */
  readonly prefix?: string
}

/** Records in Redis, for servers that share them: it has to keep its keys (`maxmemory-policy noeviction`, or as `volatile-ttl`). */
export const redis = (options: RedisOptions = {}): RecordStore<RecordStoreError, Redis> => InRedis.make(options)

/** Where records are in a database. */
export interface SqlOptions {
  /** The table, "schema.table" too; "effect_web_records". */
  readonly table?: string
}

/**
 * Records in a table of PostgreSQL or SQLite, for servers that share it. It is made on first use where it is not there: `id` (text, the
 * primary key), `value` and `version` (text), `expires_at` (bigint, indexed). Rows that have expired are removed by those who write, up
 * to a hundred at a time. Within a transaction of the same client, records are part of it. What takes 5 seconds fails. Dies with a
 * TypeError on another database.
 */
export const sql = (options: SqlOptions = {}): RecordStore<RecordStoreError, SqlClient> => InSql.make(options)

/** Where records are in what backs Effect's Persistence. */
export interface PersistenceOptions {
  /** The id of the store there, as part of a table's name too; "effect_web_records". */
  readonly storeId?: string
}

/**
 * Records in whatever backs Effect's Persistence: its layers over Redis, SQL (MySQL and SQL Server too), a KeyValueStore, or one of your
 * own. Within a process no update is lost. Of two processes that write to one record at the same moment the last wins, and both may run
 * what `Idempotency` would let only one run: take `redis` or `sql` where several share it.
 */
export const persistence = (options: PersistenceOptions = {}): RecordStore<RecordStoreError, BackingPersistence> =>
  InPersistence.make(options)
