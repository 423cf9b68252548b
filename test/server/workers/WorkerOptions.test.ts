/**
 * What may be said of workers.
 */
import * as Os from "node:os"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as WorkerOptions from "../../../src/server/internal/workers/WorkerOptions.ts"
import { run } from "../../run.ts"

describe("workers", () => {
  const rows = [
    [4, 4],
    ["auto", Os.availableParallelism()],
    [{}, Os.availableParallelism()],
    [{ count: 3 }, 3],
    [{ count: "auto" }, Os.availableParallelism()]
  ] as const
  for (const [options, wanted] of rows) {
    it(`${JSON.stringify(options)} are ${wanted}`, () => assert.strictEqual(WorkerOptions.parse(options).count, wanted))
  }

  const wrong = [
    [0, "workers: count is 0; give a whole number from 1 on, or leave it out"],
    [1.5, "workers: count is 1.5; give a whole number from 1 on, or leave it out"],
    [Number.NaN, "workers: count is NaN; give a whole number from 1 on, or leave it out"],
    [{ maxRequests: -1 }, "workers: maxRequests is -1; give a whole number from 1 on, or leave it out"],
    [{ maxRestarts: 0 }, "workers: maxRestarts is 0; give a whole number from 1 on, or leave it out"]
  ] as const
  for (const [options, message] of wrong) {
    it(`${JSON.stringify(options)} are refused where they are declared`, () => {
      assert.throws(() => WorkerOptions.parse(options), TypeError, message)
    })
  }

  it.live("of a program that has no file are refused", () =>
    Effect.gen(function* () {
      const program = `import { App, Server } from "effect-web"; Server.run(App.make({}), { workers: 2 })`
      const flags = ["--conditions=effect-web-source", "--input-type=module", "--eval", program]
      const { code, errors } = yield* run(process.execPath, flags, process.cwd())
      assert.strictEqual(code, 1)
      assert.include(errors, "TypeError: workers: the program has no file that they could run")
    })
  )
})
