/**
 * SIGTERM in each phase of a request, to a real process: what the client sees, the line of the report, and exit code 0.
 */
import * as Fs from "node:fs"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { get } from "../server/both.ts"
import { connectTo } from "../server/started.ts"
import * as Phases from "./phases.ts"
import { report, run } from "./program.ts"

afterAll(() => Fs.rmSync(Phases.target, { force: true }))

describe("SIGTERM", () => {
  for (const phase of Phases.phases) {
    it.live(phase.name, () =>
      Effect.gen(function* () {
        const { arrive, leave, options, report: wanted } = { ...phase, ...(yield* phase.prepare ?? Effect.succeed({})) }
        const program = yield* run("phases.ts", JSON.stringify({ ...options, target: Phases.target }))
        const wire = yield* connectTo(program.port)
        yield* arrive(wire, program)
        yield* program.signal("SIGTERM")
        yield* program.says(/^stopping/m)
        yield* leave(wire, program)
        assert.strictEqual(yield* program.ended, 0, program.output())
        assert.strictEqual(report(program), wanted)
        assert.notMatch(program.output(), /ERROR|rror:/)
      })
    )
  }

  it.live("an event stream is taken up again by the process that takes the port over", () =>
    Effect.gen(function* () {
      const first = yield* run("phases.ts")
      const before = yield* connectTo(first.port)
      yield* before.send(get("/events"))
      yield* before.until("data: a\n\n")
      yield* first.signal("SIGTERM")
      assert.include(yield* before.closed, "retry: 3000")
      assert.strictEqual(yield* first.ended, 0)
      const second = yield* run("phases.ts", JSON.stringify({ port: first.port }))
      assert.strictEqual(second.port, first.port)
      const after = yield* connectTo(second.port)
      yield* after.send(get("/events", "Last-Event-ID: 1\r\n"))
      yield* after.until("data: a\n\n")
    })
  )
})
