/**
 * The graceful stop: what plain Effect 4.1 leaves behind, and effect-web does not.
 */
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as App from "../../src/App.ts"
import type * as Handler from "../../src/Handler.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { get, until } from "../server/both.ts"
import { took } from "../server/started.ts"
import { ours, plain, quiet, type Subject } from "./servers.ts"

const probe = Effect.succeed(Response.text("probe"))

/** A handler that waits for its gate. */
const gated = Effect.gen(function* () {
  const [arrived, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const through: Handler.Handler = Effect.gen(function* () {
    yield* Deferred.succeed(arrived, undefined)
    yield* Deferred.await(gate)
    return Response.text("through")
  })
  return { through, arrived: Deferred.await(arrived), open: Deferred.succeed(gate, undefined) }
})

const plainOf = (through: Handler.Handler, gracefulShutdownTimeout?: "50 millis") => {
  const routes = Layer.merge(HttpRouter.add("GET", "/", through), HttpRouter.add("GET", "/probe", probe))
  return plain(
    HttpRouter.serve(routes, quiet),
    gracefulShutdownTimeout === undefined ? {} : { gracefulShutdownTimeout }
  )
}

const appOf = (through: Handler.Handler) =>
  App.make({ home: Route.get("/", through), probe: Route.get("/probe", probe) })

/** Asks, begins to stop while the request is in flight, and takes its answer. */
const stopInFlight = Effect.fnUntraced(function* (server: Subject, gate: Effect.Success<typeof gated>) {
  const wire = yield* server.connect
  yield* wire.send(get("/"))
  yield* gate.arrived
  const stopping = yield* server.stop
  assert.isFalse(server.node.listening)
  yield* gate.open
  const answer = yield* wire.answer()
  assert.strictEqual(answer.body.toString(), "through")
  return { answer, stopping, wire }
})

/** Whether the fiber is still running after a while. */
const isHeld = (fiber: Fiber.Fiber<void>) =>
  Effect.map(Effect.timeoutOption(Fiber.await(fiber), "250 millis"), Option.isNone)

it.live("an answer during the drain keeps its connection there, which serves on; it closes it here", () =>
  Effect.gen(function* () {
    const first = yield* gated
    const there = yield* stopInFlight(yield* plainOf(first.through), first)
    assert.strictEqual(there.answer.headers.connection, "keep-alive")
    yield* there.wire.send(get("/probe"))
    assert.strictEqual((yield* there.wire.answer()).body.toString(), "probe")
    assert.isUndefined(there.stopping.pollUnsafe())
    there.wire.socket.destroy()
    yield* Fiber.join(there.stopping)

    const second = yield* gated
    const here = yield* stopInFlight(yield* ours(appOf(second.through)), second)
    assert.strictEqual(here.answer.headers.connection, "close")
    assert.strictEqual(yield* here.wire.closed, "")
    assert.isBelow(yield* took(here.stopping), 3000)
  })
)

it.live("a connection that falls idle during the drain holds it there, and does not here", () =>
  Effect.gen(function* () {
    const first = yield* gated
    const there = yield* stopInFlight(yield* plainOf(first.through), first)
    assert.isTrue(yield* isHeld(there.stopping))
    assert.isFalse(there.wire.isOver())
    there.wire.socket.destroy()
    yield* Fiber.join(there.stopping)

    const second = yield* gated
    const here = yield* stopInFlight(yield* ours(appOf(second.through)), second)
    assert.isBelow(yield* took(here.stopping), 3000)
    assert.strictEqual(yield* here.wire.closed, "")
  })
)

it.live("a connection on which nothing was sent yet holds the drain there, and does not here", () =>
  Effect.gen(function* () {
    const connected = Effect.fnUntraced(function* (server: Subject) {
      let count = 0
      server.node.on("connection", () => count++)
      const wire = yield* server.connect
      yield* until(() => count === 1)
      return { wire, stopping: yield* server.stop }
    })
    const there = yield* connected(yield* plainOf(probe))
    assert.isTrue(yield* isHeld(there.stopping))
    there.wire.socket.destroy()
    yield* Fiber.join(there.stopping)

    const here = yield* connected(yield* ours(appOf(probe)))
    assert.strictEqual(yield* here.wire.closed, "")
    assert.isBelow(yield* took(here.stopping), 3000)
  })
)

it.live("a connection outlives the scope and hangs the next request there, and is closed with it here", () =>
  Effect.gen(function* () {
    const first = yield* gated
    const there = yield* stopInFlight(yield* plainOf(first.through, "50 millis"), first)
    yield* Fiber.join(there.stopping)
    assert.isFalse(there.wire.isOver())
    yield* there.wire.send(get("/probe"))
    assert.deepStrictEqual(yield* Effect.timeoutOption(there.wire.closed, "250 millis"), Option.none())
    assert.strictEqual(there.wire.rest(), "")

    const second = yield* gated
    const here = yield* stopInFlight(yield* ours(appOf(second.through), { shutdownTimeout: "50 millis" }), second)
    yield* Fiber.join(here.stopping)
    assert.strictEqual(yield* here.wire.closed, "")
  })
)
