/**
 * `Server.run` as a whole program: its banner, signals and exit codes.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { get } from "./both.ts"
import * as Child from "./child.ts"
import { connectTo } from "./started.ts"

const port = (child: Child.Child): number => Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(child.output())?.[1])

/** A program that has said that it listens. */
const running = (options: object = {}) =>
  Effect.tap(Child.run("run.ts", "0", JSON.stringify(options)), (child) => child.says("quit)\n"))

const inUse = "the port is in use; stop what listens there, or give another `port` (0 takes a free one)"

describe("a program", () => {
  it.live("says where it listens and how to end it", () =>
    Effect.gen(function* () {
      const child = yield* running()
      assert.strictEqual(
        child.output(),
        `======== Running on http://127.0.0.1:${port(child)} ========\n(Press CTRL+C to quit)\n`
      )
      const wire = yield* connectTo(port(child))
      yield* wire.send(get("/"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "home")
    })
  )

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it.live(`ends with 0 at ${signal}, after the request in flight`, () =>
      Effect.gen(function* () {
        const child = yield* running()
        const wire = yield* connectTo(port(child))
        yield* wire.send(get("/slow"))
        yield* child.says("asked")
        yield* child.signal(signal)
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.body.toString(), answer.headers.connection], ["slow", "close"])
        assert.strictEqual(yield* child.ended, 0)
        assert.strictEqual(child.errors(), "")
      })
    )
  }

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const) {
    it.live(`ends at once with ${code} at a second signal, ${signal}`, () =>
      Effect.gen(function* () {
        const child = yield* running()
        const [wire, idle] = [yield* connectTo(port(child)), yield* connectTo(port(child))]
        yield* wire.send(get("/never"))
        yield* child.says("asked")
        yield* child.signal("SIGTERM")
        // The stop has begun.
        yield* idle.closed
        yield* child.signal(signal)
        assert.strictEqual(yield* child.ended, code)
      })
    )
  }

  it.live("interrupts what is left after shutdownTimeout, and ends with 0", () =>
    Effect.gen(function* () {
      const child = yield* running({ shutdownTimeout: "50 millis" })
      const wire = yield* connectTo(port(child))
      yield* wire.send(get("/never"))
      yield* child.says("asked")
      yield* child.signal("SIGTERM")
      assert.strictEqual((yield* wire.answer()).status, 503)
      assert.strictEqual(yield* child.ended, 0)
    })
  )

  it.live("that is a layer has its services, banner and signals, and releases what it built", () =>
    Effect.gen(function* () {
      const child = yield* Child.run("launch.ts")
      yield* child.says("quit)\n")
      const wire = yield* connectTo(port(child))
      yield* wire.send(get("/"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "hello")
      yield* child.signal("SIGTERM")
      assert.strictEqual(yield* child.ended, 0)
      assert.match(child.output(), /released\n$/)
    })
  )

  it.live("that cannot listen ends with 1 and says why", () =>
    Effect.gen(function* () {
      const first = yield* running()
      const second = yield* Child.run("run.ts", String(port(first)))
      assert.strictEqual(yield* second.ended, 1)
      assert.strictEqual(second.output(), "")
      assert.strictEqual(second.errors(), `Cannot listen on 127.0.0.1:${port(first)}: ${inUse}\n`)
    })
  )

  it.live("that does not handle signals ends as the system has it", () =>
    Effect.gen(function* () {
      const child = yield* running({ handleSignals: false })
      yield* child.signal("SIGTERM")
      assert.strictEqual(yield* child.ended, "SIGTERM")
    })
  )

  it.live("ends by itself when its server has stopped", () =>
    Effect.gen(function* () {
      const child = yield* Child.run("stop.ts")
      assert.strictEqual(yield* child.ended, 0)
      assert.strictEqual(child.output(), "home")
    })
  )
})
