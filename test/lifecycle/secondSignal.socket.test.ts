/**
 * A second signal, whatever the phase of the request that holds the stop: the process ends at once, and its exit code names the signal.
 */
import * as Fs from "node:fs"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { get } from "../server/both.ts"
import { connectTo } from "../server/started.ts"
import * as Phases from "./phases.ts"
import { run } from "./program.ts"

afterAll(() => Fs.rmSync(Phases.target, { force: true }))

// What is at work makes no difference to the other signal.
const some = Phases.phases.filter(({ name }) => /^(a handler that runs|a WebSocket|during)/.test(name))

const codes = [
  ["SIGTERM", 143, Phases.phases],
  ["SIGINT", 130, some]
] as const

for (const [signal, code, phases] of codes) {
  describe(`a second signal, ${signal}, ends with ${code} at once`, () => {
    for (const phase of phases) {
      it.live(`where otherwise ${phase.name}`, () =>
        Effect.gen(function* () {
          const { arrive, options } = { ...phase, ...(yield* phase.prepare ?? Effect.succeed({})) }
          const program = yield* run(
            "phases.ts",
            JSON.stringify({ ...options, shutdownTimeout: "30 seconds", target: Phases.target })
          )
          const [wire, other] = [yield* connectTo(program.port), yield* connectTo(program.port)]
          yield* arrive(wire, program)
          // Whatever becomes of the request, something is under way.
          yield* other.send(get("/hold"))
          yield* program.says(/^held/m)
          yield* program.signal("SIGTERM")
          yield* program.says(/^stopping/m)
          const begin = performance.now()
          yield* program.signal(signal)
          assert.strictEqual(yield* program.ended, code)
          assert.isBelow(performance.now() - begin, 1000)
          assert.notInclude(program.output(), "Stopped in")
        })
      )
    }
  })
}

it.live("one SIGINT is a graceful stop, as SIGTERM is", () =>
  Effect.gen(function* () {
    const program = yield* run("phases.ts")
    const wire = yield* connectTo(program.port)
    yield* wire.send(get("/gate"))
    yield* program.says(/^asked/m)
    yield* program.signal("SIGINT")
    yield* program.says(/^stopping/m)
    yield* program.open
    assert.strictEqual((yield* wire.answer()).body.toString(), "through")
    assert.strictEqual(yield* program.ended, 0)
  })
)
