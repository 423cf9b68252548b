/**
 * Attacks on health checks: probes are open to all who reach the server.
 */
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Health from "../../src/handlers/Health.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { until } from "../server/both.ts"
import { attacks } from "./attacks.ts"

const turn = Effect.promise(() => new Promise<void>((resolve) => setTimeout(resolve, 2)))

/** A check that waits for its gate, and how often it has begun. */
const counted = Effect.gen(function* () {
  const gate = yield* Deferred.make<void>()
  const state = { runs: 0 }
  const check = Effect.andThen(
    Effect.sync(() => state.runs++),
    Deferred.await(gate)
  )
  return { check, state, open: Deferred.succeed(gate, undefined) }
})

attacks("health checks", [
  {
    attack: "asking 200 times at once, to have the database asked 200 times",
    stoppedBy: "all share one run",
    run: Effect.gen(function* () {
      const { check, open, state } = yield* counted
      const client = yield* Testing.client(Health.make({ checks: { db: check } }))
      const asking = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 200 }), () => client.get("/ready"), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* until(() => state.runs === 1)
      yield* turn
      yield* open
      for (const { status } of yield* Fiber.join(asking)) assert.strictEqual(status, 200)
      assert.strictEqual(state.runs, 1)
    })
  },
  {
    attack: "leaving before the answer, again and again",
    stoppedBy: "the check goes on without whoever asked, and is not begun anew",
    run: Effect.gen(function* () {
      const { check, open, state } = yield* counted
      const client = yield* Testing.client(Health.make({ checks: { db: check } }))
      for (let count = 0; count < 20; count++) {
        const asking = yield* Effect.forkChild(client.get("/ready"), { startImmediately: true })
        yield* turn
        yield* Fiber.interrupt(asking)
      }
      yield* open
      assert.strictEqual((yield* client.get("/ready")).status, 200)
      assert.strictEqual(state.runs, 1)
    })
  },
  {
    attack: "asking on while a check hangs and cannot be interrupted",
    stoppedBy: "it is not begun a second time: 503, and nothing piles up",
    run: Effect.gen(function* () {
      const { check, open, state } = yield* counted
      const client = yield* Testing.client(Health.make({ checks: { db: Effect.uninterruptible(check) } }))
      for (let count = 0; count < 5; count++) {
        const asking = yield* Effect.forkChild(client.get("/ready"), { startImmediately: true })
        yield* turn
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(asking)).status, 503)
      }
      assert.strictEqual(state.runs, 1)
      yield* open
      yield* turn
      assert.strictEqual((yield* client.get("/ready")).status, 200)
    })
  },
  {
    attack: "reading what a check failed with",
    stoppedBy: "the answer says that it failed, the log says why",
    run: Effect.gen(function* () {
      const check = Effect.fail(new Error("postgres://admin:secret@10.0.0.7/db"))
      const client = yield* Testing.client(Health.make({ checks: { db: check } }))
      for (const accept of ["*/*", "text/html", "application/problem+json"]) {
        const answer = yield* client.get("/ready", { headers: { accept } })
        assert.notMatch(yield* answer.text, /secret|10\.0|postgres|Error/)
      }
    })
  }
])
