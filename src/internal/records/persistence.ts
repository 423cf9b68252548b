/**
 * Records in whatever backs Effect's Persistence, which can only be overwritten: who compares first has to be alone meanwhile.
 *
 * ```ts
 * const store = make({ storeId: "sessions" })
 * ```
 *
 * A lock for each key makes it so within a process.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { BackingPersistence, type BackingPersistenceStore } from "effect/persistence/Persistence"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { PersistenceOptions, RecordStore, Stored } from "../../RecordStore.ts"
import { milliseconds } from "./expiry.ts"
import { RecordStoreError } from "./failure.ts"
import * as Version from "./version.ts"

/** A store that was opened, for as long as its service lives. */
interface Opened {
  readonly backing: BackingPersistenceStore
  readonly locks: Locks
}

/** Makes a store. */
export const make = (options: PersistenceOptions): RecordStore<RecordStoreError, BackingPersistence> => {
  const { storeId = "effect_web_records" } = options
  const use = <A>(f: (opened: Opened) => Effect.Effect<A, unknown>) =>
    Effect.mapError(
      Effect.timeout(Effect.flatMap(opened(storeId), f), "5 seconds"),
      (cause) => new RecordStoreError({ cause })
    )
  // What is in it was written by `put`.
  const find = ({ backing }: Opened, key: string) =>
    Effect.map(backing.get(key), (found) => found as Stored | undefined)
  return {
    get: (key) => use((opened) => find(opened, key)),
    put: (key, value, { expected, expiresIn }) =>
      use((opened) => {
        const write = Effect.gen(function* () {
          if ((yield* find(opened, key))?.version !== expected) return undefined
          const version = yield* Version.next
          yield* opened.backing.set(key, { value, version }, Duration.millis(milliseconds(expiresIn)))
          return version
        })
        return opened.locks.within(key, write)
      }),
    remove: (key, { expected } = {}) =>
      use((opened) => {
        const remove = Effect.flatMap(expected === undefined ? Effect.undefined : find(opened, key), (found) =>
          found?.version === expected ? opened.backing.remove(key) : Effect.void
        )
        return opened.locks.within(key, remove)
      })
  }
}

interface Stores {
  readonly opened: Map<string, Opened>
  readonly locks: Locks
}

const known = new WeakMap<BackingPersistence["Service"], Stores>()

// Opening may make a table, which two at a time cannot do in PostgreSQL: once for each service.
const opened = (storeId: string): Effect.Effect<Opened, never, BackingPersistence> =>
  Effect.flatMap(BackingPersistence, (service) => {
    const { locks, opened } = known.get(service) ?? { opened: new Map<string, Opened>(), locks: new Locks() }
    known.set(service, { locks, opened })
    const found = Effect.suspend(() => Effect.fromNullishOr(opened.get(storeId)))
    const open = Effect.map(Scope.provide(service.make(storeId), Scope.makeUnsafe()), (backing) => {
      const made = { backing, locks: new Locks() }
      opened.set(storeId, made)
      return made
    })
    return Effect.catch(found, () =>
      locks.within(
        storeId,
        Effect.catch(found, () => open)
      )
    )
  })

/** A lock for each key that is in use. */
class Locks {
  private readonly all = new Map<string, { readonly lock: Semaphore.Semaphore; users: number }>()

  within<A, E>(key: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    const enter = Effect.sync(() => {
      const entry = this.all.get(key) ?? { lock: Semaphore.makeUnsafe(1), users: 0 }
      entry.users++
      this.all.set(key, entry)
      return entry
    })
    return Effect.acquireUseRelease(
      enter,
      ({ lock }) => lock.withPermits(1)(effect),
      (entry) =>
        Effect.sync(() => {
          entry.users--
          if (entry.users === 0) this.all.delete(key)
        })
    )
  }
}
