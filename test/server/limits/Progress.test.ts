/**
 * The rule: how slow is too slow.
 */
import { assert, describe, it } from "@effect/vitest"
import { Progress } from "../../../src/server/internal/limits/Progress.ts"

const pace = { timeout: 60_000, rate: 240 }

/** The second in which a client that moves so many bytes in each is too slow; undefined when it is not in two hours. */
const slowAt = (bytes: (second: number) => number, { rate, timeout } = pace): number | undefined => {
  const progress = new Progress()
  let all = 0
  for (let second = 1; second <= 7200; second++) {
    all += bytes(second)
    if (progress.isTooSlow({ rate, timeout }, 1000, all)) return second
  }
  return undefined
}

const rows: ReadonlyArray<readonly [string, number | undefined, number | undefined]> = [
  ["a client that sends 240 bytes a second is never too slow", slowAt(() => 240), undefined],
  ["one of 239 is, when the five seconds are over", slowAt(() => 239), 6],
  ["one that sends nothing too", slowAt(() => 0), 6],
  ["its five seconds are those of a start", slowAt((second) => (second < 5 ? 0 : 2000)), undefined],
  ["what it sent before counts: it may pause", slowAt((second) => (second === 1 ? 7000 : 0)), 30],
  ["but not for a minute", slowAt((second) => (second === 1 ? 1e9 : 0)), 61],
  ["a byte ends its silence", slowAt((second) => (second === 1 ? 1e9 : second % 59 === 0 ? 1 : 0)), undefined],
  [
    "without a rate only silence counts",
    slowAt((second) => (second % 50 === 0 ? 1 : 0), { ...pace, rate: 0 }),
    undefined
  ],
  ["without a time only the rate", slowAt((second) => (second === 1 ? 1e6 : 0), { timeout: Infinity, rate: 240 }), 4167]
]

describe("progress", () => {
  for (const [name, got, wanted] of rows) it(name, () => assert.strictEqual(got, wanted))

  it("a time in which it was not its turn is no silence", () => {
    const progress = new Progress()
    for (let minute = 0; minute < 10; minute++) {
      assert.isFalse(progress.isTooSlow({ timeout: 60_000, rate: 0 }, 59_000, 7))
      progress.rest()
    }
  })

  it("the rate may be that of bytes that are due", () => {
    const progress = new Progress()
    assert.isFalse(progress.isTooSlow(pace, 50_000, 0, 12_000))
    assert.isTrue(progress.isTooSlow(pace, 1000, 1, 12_000))
  })
})
