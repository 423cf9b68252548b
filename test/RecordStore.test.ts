/**
 * Where records are kept: one table of behaviours, for each store.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as RecordStore from "../src/RecordStore.ts"

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

  it.effect("when it is full, what would expire soonest goes", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory({ capacity: 3 })
      const put = (key: string, seconds: number) =>
        store.put(key, key, { expected: undefined, expiresIn: Duration.seconds(seconds) })
      yield* put("long", 300)
      yield* put("short", 10)
      yield* put("middle", 60)
      yield* put("new", 30)
      const kept = Effect.map(Effect.forEach(["long", "short", "middle", "new"], store.get), (found) =>
        found.map((record) => record?.value)
      )
      assert.deepStrictEqual(yield* kept, ["long", undefined, "middle", "new"])
      yield* TestClock.adjust("45 seconds")
      yield* put("short", 10)
      assert.deepStrictEqual(yield* kept, ["long", "short", "middle", undefined])
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
