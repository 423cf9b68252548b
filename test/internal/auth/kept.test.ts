/**
 * What somebody else publishes, when those who ask for it leave.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { kept } from "../../../src/internal/auth/kept.ts"
import { leaveAfter } from "../../leaving.ts"

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
