/**
 * What a rolling restart does with builds that are new, and with those that do not start; and when workers ask for one themselves.
 */
import * as Fs from "node:fs"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Folder from "../../folder.ts"
import { bundle } from "./bundle.ts"
import { get, gone, running, start } from "./supervised.ts"

const folder = Folder.make()
const app = folder.at("app.mjs")
beforeAll(() => bundle("app.ts", app))

let deploys = 0
/** The program in a file of its own, to be replaced. */
const deployed = (): string => {
  const file = folder.at(`deployed${++deploys}.mjs`)
  Fs.copyFileSync(app, file)
  return file
}

const replace = (file: string, build: string) => Effect.sync(() => Fs.writeFileSync(file, build))

describe("SIGHUP", () => {
  it.live("replaces all workers; what the old ones have in flight they finish", () =>
    Effect.gen(function* () {
      const program = yield* running(app)
      const old = program.workers()
      const asked = yield* Effect.forkScoped(
        Effect.forEach([1, 2], () => get(`${program.url()}/slow`), { concurrency: 2 })
      )
      yield* program.says("asked", 2)
      yield* program.kill("SIGHUP")
      yield* program.says(") run now {")
      assert.deepStrictEqual((yield* Fiber.join(asked)).sort(), old.map((pid) => `200 slow ${pid}`).sort())
      yield* gone(old)
      const now = program.workers()
      assert.deepStrictEqual(
        now.filter((pid) => old.includes(pid)),
        []
      )
      const answers = yield* Effect.forEach([1, 2], () => get(program.url()))
      assert.deepStrictEqual(answers.sort(), now.map((pid) => `200 ${pid}`).sort())
    })
  )

  it.live("during a roll is done after it, and more than one is one", () =>
    Effect.gen(function* () {
      const program = yield* running(app)
      yield* program.kill("SIGHUP")
      yield* program.says("SIGHUP: ")
      for (const _ of [1, 2, 3]) {
        yield* program.kill("SIGHUP")
        yield* Effect.sleep("20 millis")
      }
      yield* program.says(") run now {", 2)
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      assert.strictEqual(program.output().split("SIGHUP: ").length, 3)
    })
  )

  it.live("during which the program is stopped ends everything", () =>
    Effect.gen(function* () {
      const program = yield* running(app)
      yield* program.kill("SIGHUP")
      yield* program.says("SIGHUP: ")
      yield* program.kill("SIGTERM")
      assert.strictEqual(yield* program.ended, 0)
      yield* gone(program.workers())
      assert.strictEqual(program.errors(), "")
    })
  )

  it.live("runs what is in the files now", () =>
    Effect.gen(function* () {
      const file = deployed()
      const program = yield* running(file)
      yield* replace(file, Fs.readFileSync(app, "utf8").replace("`slow ", "`new "))
      yield* program.kill("SIGHUP")
      yield* program.says(") run now {")
      assert.match(yield* get(`${program.url()}/slow`), /^200 new \d+$/)
    })
  )

  const broken = [
    ["throws", "throw new Error('broken')", {}, "ended before it listened: exit code 1"],
    ["ends with another code", "process.exit(3)", {}, "ended before it listened: exit code 3"],
    ["is killed", "process.kill(process.pid, 'SIGKILL')", {}, "ended before it listened: SIGKILL"],
    ["does not parse", "this is no program", {}, "ended before it listened: exit code 1"],
    ["ends without listening", "process.exit(0)", {}, "ended before it listened: exit code 0"],
    [
      "never listens",
      "setInterval(() => {}, 1000)",
      { startTimeout: "1 second" },
      "did not listen within 1s, and was killed"
    ]
  ] as const
  for (const [name, build, options, wanted] of broken) {
    it.live(`leaves the old workers where the new build ${name}`, () =>
      Effect.gen(function* () {
        const file = deployed()
        const program = yield* running(file, { workers: { count: 2, ...options } })
        const old = program.workers()
        yield* replace(file, build)
        yield* program.kill("SIGHUP")
        yield* program.says("Not all workers were replaced: what runs goes on")
        assert.match(program.output(), new RegExp(`worker 1 \\(process \\d+\\) ${wanted}; the old one goes on`))
        const answers = yield* Effect.forEach([1, 2], () => get(program.url()))
        assert.deepStrictEqual(answers.sort(), old.map((pid) => `200 ${pid}`).sort())
        // And takes the next one that does.
        yield* replace(file, Fs.readFileSync(app, "utf8"))
        yield* program.kill("SIGHUP")
        yield* program.says(") run now {")
        yield* gone(old)
      })
    )
  }
})

describe("workers that do not start any more", () => {
  it.live("are tried again, and after maxRestarts the program ends with 1", () =>
    Effect.gen(function* () {
      const file = deployed()
      const program = yield* running(file, { workers: { count: 2, maxRestarts: 4 } })
      yield* replace(file, "process.exit(3)")
      for (const pid of program.workers()) process.kill(pid, "SIGKILL")
      assert.strictEqual(yield* program.ended, 1)
      assert.match(program.errors(), /^no worker has started in \d attempts; given up\n$/)
    })
  )

  it.live("end the program at once when it has never run, by the reason that they say", () =>
    Effect.gen(function* () {
      const file = deployed()
      yield* replace(file, `if (process.send) process.exit(7)\n${Fs.readFileSync(app, "utf8")}`)
      const program = yield* start(file)
      assert.strictEqual(yield* program.ended, 1)
      assert.match(program.errors(), /^worker 1 \(process \d+\) ended before it listened: exit code 7\n$/)
    })
  )
})

describe("a worker gives way to a new one", () => {
  const rows = [
    ["requests", { maxRequests: 50 }, "it has had 5[0-5] requests"],
    ["age", { maxAge: "500 millis" }, "it is old enough"]
  ] as const
  for (const [name, limits, reason] of rows) {
    it.live(`by its ${name}, and no request is lost`, () =>
      Effect.gen(function* () {
        const program = yield* running(app, { workers: { count: 2, ...limits } })
        const old = program.workers()
        const url = program.url()
        const asking = yield* Effect.forkScoped(
          Effect.forEach([1, 2, 3, 4], () => Effect.forever(Effect.andThen(get(url), Effect.sleep("5 millis"))), {
            concurrency: 4
          })
        )
        yield* gone(old)
        assert.isUndefined(asking.pollUnsafe())
        assert.match(
          program.output(),
          new RegExp(`worker 1 \\(process ${old.at(-2)}\\) gives way to a new one: ${reason}`)
        )
        yield* program.kill("SIGTERM")
        yield* Fiber.interrupt(asking)
        assert.strictEqual(yield* program.ended, 0)
      })
    )
  }

  it.live("by its memory", () =>
    Effect.gen(function* () {
      const program = yield* running(app, { workers: { count: 1, maxMemory: "1 MiB" } })
      yield* gone(program.workers())
      assert.match(program.output(), /gives way to a new one: it takes \d+ MiB/)
      assert.match(yield* get(program.url()), /^200 \d+$/)
    })
  )
})
