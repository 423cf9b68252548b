/**
 * What somebody else publishes, when those who ask for it leave.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { kept } from "../../../src/internal/auth/kept.ts"
import { leaveAfter } from "../../leaving.ts"
import { recorder } from "../../server/both.ts"

it.live("who leaves at whatever moment takes nothing from those who ask later", () =>
  Effect.gen(function* () {
    for (let steps = 0; steps < 12; steps++) {
      const keys = kept(Effect.as(Effect.yieldNow, steps), {
        cacheFor: "1 minute",
        cooldown: 0,
        timeout: "5 seconds",
        text: "Nobody answers"
      })
      yield* leaveAfter(steps, keys.get)
      const found = yield* Effect.timeoutOption(keys.get, "1 second")
      assert.strictEqual(found._tag, "Some", `after ${steps} steps`)
    }
  })
)

it.effect("what is old and counts on is told once each time that there is no answer", () => {
  const log = recorder()
  let isThere = true
  return Effect.gen(function* () {
    const ask = Effect.suspend(() => (isThere ? Effect.succeed("keys") : Effect.fail("refused")))
    const keys = kept(ask, {
      cacheFor: "10 minutes",
      cooldown: "30 seconds",
      timeout: "1 second",
      text: "Nobody answers"
    })
    assert.strictEqual(yield* keys.get, "keys")
    isThere = false
    yield* TestClock.adjust("10 minutes")
    const all = yield* Effect.forEach(Array.from({ length: 9 }), () => keys.get, { concurrency: "unbounded" })
    assert.deepStrictEqual([...new Set(all)], ["keys"])
    assert.deepStrictEqual(log.logs, ["Warn Nobody answers: what is known counts on"])
    yield* TestClock.adjust("30 seconds")
    yield* Effect.flip(keys.renew)
    assert.strictEqual(log.logs.length, 2)
  }).pipe(Effect.provide(log.layer))
})
