/**
 * Turns of those that save one session: who waits for whom, and who does not any more.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as TestClock from "effect/testing/TestClock"
import { Turns } from "../../../src/internal/session/turns.ts"

const start = Effect.gen(function* () {
  const turns = new Turns()
  const seen: Array<string> = []
  const latch = yield* Latch.make()
  const take = (name: string, effect: Effect.Effect<unknown, unknown> = Effect.void, id = "one") =>
    Effect.uninterruptibleMask((restore) =>
      turns.take(id, restore, (hasWaited) => {
        seen.push(hasWaited ? `${name} has waited` : name)
        return effect
      })
    )
  const begin = (...args: Parameters<typeof take>) => Effect.forkChild(take(...args), { startImmediately: true })
  return { begin, latch, seen, turns }
})

it.effect("they come one after the other, by session, also after one that fails", () =>
  Effect.gen(function* () {
    const { begin, latch, seen, turns } = yield* start
    const first = yield* begin("first", Effect.andThen(latch.await, Effect.fail("no")))
    const others = [yield* begin("second"), yield* begin("third"), yield* begin("of another", Effect.void, "two")]
    assert.deepStrictEqual(seen, ["first", "of another"])
    yield* latch.open
    assert.isTrue(Exit.isFailure(yield* Fiber.await(first)))
    yield* Fiber.joinAll(others)
    assert.deepStrictEqual(seen.slice(2), ["second has waited", "third has waited"])
    assert.strictEqual(turns.size, 0)
  })
)

it.effect("who has waited for a second goes on", () =>
  Effect.gen(function* () {
    const { begin, latch, seen, turns } = yield* start
    const first = yield* begin("first", latch.await)
    const second = yield* begin("second")
    yield* TestClock.adjust("999 millis")
    assert.deepStrictEqual(seen, ["first"])
    yield* TestClock.adjust("1 millis")
    yield* Fiber.join(second)
    assert.deepStrictEqual(seen, ["first", "second has waited"])
    yield* latch.open
    yield* Fiber.join(first)
    assert.strictEqual(turns.size, 0)
  })
)

it.effect("who is interrupted while it waits saves all the same, at once", () =>
  Effect.gen(function* () {
    const { begin, latch, seen, turns } = yield* start
    const first = yield* begin("first", latch.await)
    const second = yield* begin("second")
    yield* Fiber.interrupt(second)
    assert.deepStrictEqual(seen, ["first", "second has waited"])
    yield* latch.open
    yield* Fiber.join(first)
    assert.strictEqual(turns.size, 0)
  })
)
