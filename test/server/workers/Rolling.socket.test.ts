/**
 * Rolling restarts: the new worker listens before the old one goes, and no client notices.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Folder from "../../folder.ts"
import { bundle } from "./bundle.ts"
import * as Load from "./load.ts"
import { gone, running } from "./supervised.ts"

const folder = Folder.make()
const app = folder.at("app.mjs")
beforeAll(() => bundle("app.ts", app))

describe("200 rolling restarts under load", () => {
  it.live(
    "are noticed by nobody: 100 times SIGHUP to two workers",
    () =>
      Effect.gen(function* () {
        const program = yield* running(app, {}, { NODE_COMPILE_CACHE: folder.at("cache") })
        const stop = yield* Load.start(program.url())
        const all = new Set(program.workers())
        for (let roll = 1; roll <= 100; roll++) {
          yield* program.kill("SIGHUP")
          yield* program.says(") run now {", roll)
          for (const pid of program.workers()) all.add(pid)
        }
        const { counts, failures, resumed, told } = yield* stop
        assert.deepStrictEqual(failures, [])
        // The two of the beginning, and 200 that came after them.
        assert.strictEqual(all.size, 202)
        for (const [kind, count] of Object.entries(counts)) assert.isAbove(count, 100, kind)
        assert.strictEqual(Object.keys(counts).length, 8)
        assert.isAbove(Math.min(resumed, told), 20)
        yield* program.kill("SIGTERM")
        assert.strictEqual(yield* program.ended, 0)
        yield* gone([...all])
        // Nothing had to be cut off.
        assert.notInclude(program.output(), "WARN")
        assert.strictEqual(program.errors(), "")
      }),
    600_000
  )
})
