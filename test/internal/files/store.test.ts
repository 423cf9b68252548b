/**
 * Files held in memory: within the limit, the longest unused first to go, and never for longer than they are the same.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Files, Info, OpenFile } from "../../../src/internal/files/files.ts"
import { isSettled } from "../../../src/internal/files/files.ts"
import * as FileStore from "../../../src/internal/files/store.ts"

const info = (size: number, changes: Partial<Info> = {}): Info => ({
  kind: "file",
  size,
  modified: 1_000_000,
  changed: 1_000_000,
  device: 1,
  node: 1,
  ...changes
})

/** A disk of one size of file, which counts what it is asked for. */
const disk = (size: number, changes: () => Partial<Info> = () => ({})) => {
  const counts = { stat: 0, open: 0, closed: 0, read: 0 }
  const files: Files = {
    stat: () =>
      Effect.sync(() => {
        counts.stat++
        return info(size, changes())
      }),
    open: (path) =>
      Effect.sync((): OpenFile => {
        counts.open++
        return {
          path,
          info: info(size, changes()),
          read: (position, length) =>
            Effect.sync(() => {
              counts.read++
              return new Uint8Array(Math.max(0, Math.min(length, size - position)))
            }),
          close: Effect.sync(() => void counts.closed++)
        }
      }),
    realPath: Effect.succeed,
    list: () => Effect.succeed([]),
    hash: () => ({ update: () => {}, digest: Effect.succeed("x".repeat(43)) })
  }
  return { files, counts }
}

const find = (store: FileStore.Store, files: Files, key: string) =>
  FileStore.find(store, files, {
    path: key,
    key,
    describe: () => ({ contentType: "text/plain", headers: {} }),
    check: () => Effect.void
  })

describe("a file that is small", () => {
  it.effect("is read once, and costs one stat after that", () =>
    Effect.gen(function* () {
      const { counts, files } = disk(1000)
      const store = FileStore.make(100_000)
      const first = yield* find(store, files, "a")
      assert.strictEqual(yield* find(store, files, "a"), first)
      assert.deepStrictEqual(counts, { stat: 2, open: 1, closed: 1, read: 1 })
    })
  )

  it.effect("is read again when anything of it has changed", () =>
    Effect.gen(function* () {
      let changes: Partial<Info> = {}
      const { counts, files } = disk(1000, () => changes)
      const store = FileStore.make(100_000)
      yield* find(store, files, "a")
      for (const next of [{ modified: 2 }, { changed: 3 }, { node: 4 }, { device: 5 }]) {
        changes = next
        yield* find(store, files, "a")
        yield* find(store, files, "a")
      }
      assert.strictEqual(counts.open, 5)
      assert.strictEqual(store.held.size, 1)
    })
  )

  it.effect("is not held when it may change again unseen, or says that it is of the future", () =>
    Effect.gen(function* () {
      for (const changes of [{ changed: Number.MAX_SAFE_INTEGER }, { modified: Number.MAX_SAFE_INTEGER }]) {
        const { counts, files } = disk(1000, () => changes)
        const store = FileStore.make(100_000)
        yield* find(store, files, "a")
        yield* find(store, files, "a")
        assert.strictEqual(counts.open, 2)
        assert.deepStrictEqual([store.held.size, store.size], [0, 0])
      }
    })
  )
})

describe("a store", () => {
  it.effect("holds no more than its limit, and lets go what was not used for the longest time", () =>
    Effect.gen(function* () {
      const { counts, files } = disk(9000)
      // Three of them, with what an entry costs.
      const store = FileStore.make(31_000)
      for (const key of ["a", "b", "c"]) yield* find(store, files, key)
      yield* find(store, files, "a")
      yield* find(store, files, "d")
      assert.deepStrictEqual([...store.held.keys()].sort(), ["a", "c", "d"])
      for (let at = 0; at < 1000; at++) yield* find(store, files, `file ${at}`)
      assert.isAtMost(store.size, 31_000)
      assert.strictEqual(store.size, [...store.held.values()].length * (9000 + 1024))
      assert.strictEqual(counts.open, counts.closed)
    })
  )

  it.effect("of nothing holds nothing", () =>
    Effect.gen(function* () {
      const { counts, files } = disk(10)
      const store = FileStore.make(0)
      yield* find(store, files, "a")
      yield* find(store, files, "a")
      assert.deepStrictEqual([counts.open, store.held.size], [2, 0])
    })
  )

  it.effect("holds of a large file what is known of it, without reading it", () =>
    Effect.gen(function* () {
      const { counts, files } = disk(1_000_000)
      const store = FileStore.make(10_000)
      const file = yield* find(store, files, "a")
      assert.isTrue(typeof file === "object" && file.bytes === undefined)
      assert.strictEqual(yield* find(store, files, "a"), file)
      assert.deepStrictEqual(counts, { stat: 2, open: 0, closed: 0, read: 0 })
    })
  )
})

describe("the digest of a large file", () => {
  it.effect("is read once for each state", () =>
    Effect.gen(function* () {
      const { counts, files } = disk(3_000_000)
      const file = yield* find(FileStore.make(10_000), files, "a")
      assert.isTrue(typeof file === "object")
      if (typeof file !== "object") return
      for (const _ of [1, 2]) assert.strictEqual(yield* FileStore.digest(files, file), "x".repeat(43))
      assert.deepStrictEqual([counts.open, counts.closed], [1, 1])
    })
  )
})

describe("a file that grows while it is read", () => {
  const growing = (end: number): Files => {
    const { files } = disk(1000)
    return {
      ...files,
      open: (path) =>
        Effect.map(files.open(path), (file) => ({
          ...file,
          read: (position, length) => Effect.succeed(new Uint8Array(Math.max(0, Math.min(length, end - position))))
        }))
    }
  }

  it.effect("is what was read", () =>
    Effect.gen(function* () {
      const file = yield* find(FileStore.make(100_000), growing(5000), "a")
      assert.strictEqual(typeof file === "object" ? file.bytes?.length : file, 5000)
    })
  )

  it.effect("is a large file when it becomes one", () =>
    Effect.gen(function* () {
      const file = yield* find(FileStore.make(100_000), growing(500_000), "a")
      assert.strictEqual(typeof file === "object" ? file.bytes : file, undefined)
    })
  )
})

describe("a file that is large by the time it is opened", () => {
  it.effect("is read no further than a small one would be", () =>
    Effect.gen(function* () {
      const { files } = disk(1000)
      let most = 0
      const grown: Files = {
        ...files,
        open: (path) =>
          Effect.map(files.open(path), (file) => ({
            ...file,
            info: info(1_000_000_000_000),
            read: (_, length) => {
              most = Math.max(most, length)
              return Effect.succeed(new Uint8Array(Math.min(length, 100_000)))
            }
          }))
      }
      const file = yield* find(FileStore.make(100_000), grown, "a")
      assert.deepStrictEqual(typeof file === "object" && [file.bytes, file.info.size], [undefined, 1_000_000_000_000])
      assert.strictEqual(most, FileStore.small + 1)
    })
  )
})

describe("a change can be told from the next", () => {
  it.each<[changed: number, at: number, wanted: boolean]>([
    [1000.5, 1000.5, false],
    [1000.5, 1050, false],
    [1000.5, 1051, true],
    // Whole seconds: the file system may know no better
    [1000, 2999, false],
    [1000, 3001, true],
    [2000.5, 1000, false]
  ])("at %d, looked at %d: %s", (changed, at, wanted) =>
    assert.strictEqual(isSettled(info(1, { changed }), at), wanted)
  )
})
