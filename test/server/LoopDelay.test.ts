/**
 * The sampler of the event loop's delay: it sees a turn while that goes on, and rests when nobody asks.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LoopDelay from "../../src/server/internal/LoopDelay.ts"

const block = (millis: number): void => {
  const end = performance.now() + millis
  while (performance.now() < end);
}
const pause = (millis: number) => Effect.promise(() => new Promise((resume) => setTimeout(resume, millis)))

it.live("a turn is seen while it goes on", () =>
  Effect.gen(function* () {
    const { number, turn } = yield* LoopDelay.make
    assert.strictEqual(turn(), 0)
    const first = number()
    block(200)
    assert.isAtLeast(turn(), 189)
    assert.strictEqual(number(), first)
    yield* pause(50)
    assert.isAbove(number(), first)
  })
)

it.live("it rests when nobody has asked for a second, begins again, and ends with its scope", () =>
  Effect.gen(function* () {
    const sampler = new LoopDelay.Sampler()
    assert.isFalse(sampler.isRunning)
    sampler.turn()
    assert.isTrue(sampler.isRunning)
    yield* pause(2500)
    assert.isFalse(sampler.isRunning)
    sampler.turn()
    assert.isTrue(sampler.isRunning)
    sampler.close()
    assert.isFalse(sampler.isRunning)
    // Whoever asks a server that has ended starts nothing.
    sampler.turn()
    assert.isFalse(sampler.isRunning)
  })
)
