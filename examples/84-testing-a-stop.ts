// Testing what happens when: a timeout, a client that leaves, a server that stops. In memory, with a clock that the test sets.
//   curl localhost:8080/report      # done
//   curl -X POST localhost:8080/pay # paid
import * as assert from "node:assert/strict"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { App, Response, Route } from "effect-web"
import { Testing } from "effect-web/testing"

const after = (text: string) => Effect.delay(Effect.succeed(Response.text(text)), "10 seconds")

export const app = App.make({
  report: Route.get("/report", after("done")).pipe(Route.onDrain("interrupt")),
  pay: Route.post("/pay", after("paid")).pipe(Route.timeout("15 seconds"))
})

const stops = Effect.gen(function* () {
  const client = yield* Testing.client(app, { shutdownTimeout: "30 seconds" })
  const report = yield* Effect.forkChild(client.get("/report"))
  const pay = yield* Effect.forkChild(client.post("/pay"))
  yield* TestClock.adjust("1 second")

  const stopping = yield* Effect.forkChild(client.stop)
  assert.equal((yield* Fiber.join(report)).status, 503) // a report does not hold up the stop
  yield* TestClock.adjust("9 seconds")
  assert.equal(yield* (yield* Fiber.join(pay)).text, "paid") // a payment does

  const { duration, requests } = yield* Fiber.join(stopping)
  assert.deepEqual({ finished: requests.finished, onDrain: requests.onDrain }, { finished: 1, onDrain: 1 })
  yield* Console.log(`stopped after ${duration} ms, as the test has it`)
})

export const program = Effect.provide(Effect.scoped(stops), TestClock.layer())

if (import.meta.main) NodeRuntime.runMain(program)
