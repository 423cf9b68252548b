/**
 * `stop` of the clients for tests: what was under way is told, and the server is gone.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { until } from "../server/both.ts"

let running = 0
const stopped: Array<string> = []

const app = App.make({
  home: Route.get("/", Response.text("home")),
  never: Route.get(
    "/never",
    Effect.suspend(() => {
      running++
      return Effect.never
    })
  )
}).pipe(App.onStop(Effect.sync(() => void stopped.push("stopped"))))

served("a stop with nothing under way says so, and nobody is answered after it", app, (client) =>
  Effect.gen(function* () {
    stopped.length = 0
    const { requests, routes } = yield* client.stop
    assert.deepStrictEqual([requests.finished, routes.length, stopped], [0, 0, ["stopped"]])
    assert.isTrue(Exit.isFailure(yield* Effect.exit(client.get("/"))))
  })
)

served("a stop without patience interrupts, and names the route", app, (client) =>
  Effect.gen(function* () {
    running = 0
    const response = yield* Effect.forkChild(client.get("/never"))
    yield* until(() => running === 1)
    const report = yield* client.stop
    assert.strictEqual((yield* Fiber.join(response)).status, 503)
    assert.strictEqual(report.requests.interrupted, 1)
    assert.deepStrictEqual(
      report.routes.map(({ route }) => route),
      ["never"]
    )
    // It has stopped: the same again.
    assert.deepStrictEqual(yield* client.stop, report)
  })
)

it.effect("a stop with patience goes by the clock of the test", () =>
  Effect.gen(function* () {
    running = 0
    const client = yield* Testing.client(app, { shutdownTimeout: "30 seconds" })
    const response = yield* Effect.forkChild(client.get("/never"))
    yield* until(() => running === 1)
    const stopping = yield* Effect.forkChild(client.stop)
    yield* TestClock.adjust("29 seconds")
    assert.isUndefined(stopping.pollUnsafe())
    yield* TestClock.adjust("1 second")
    assert.strictEqual((yield* Fiber.join(response)).status, 503)
    assert.strictEqual((yield* Fiber.join(stopping)).duration, 30_000)
  })
)
