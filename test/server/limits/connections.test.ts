/**
 * Too many connections: who gives way, who is told so, and what is said in the log.
 */
import type * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as App from "../../../src/App.ts"
import type { Outcome } from "../../../src/Outcome.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import { Admission } from "../../../src/server/internal/limits/Admission.ts"
import * as Rules from "../../../src/server/internal/limits/Rules.ts"
import type * as Wire from "../../conformance/wire.ts"
import { both, get, recorder, turns, until } from "../both.ts"
import { start } from "../started.ts"

let gate = Deferred.makeUnsafe<void>()

const app = App.make({
  home: Route.get("/", Response.text("home")),
  held: Route.get(
    "/held",
    Effect.map(
      Effect.suspend(() => Deferred.await(gate)),
      () => Response.text("held")
    )
  )
})

const asked = Effect.fnUntraced(function* (connect: Effect.Effect<Wire.Wire, never, Scope.Scope>, path: string) {
  const wire = yield* connect
  yield* wire.send(get(path))
  return wire
})

both(
  "above the limit the connection that waits for a request longest gives way",
  app,
  ({ connect, logs, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/"))
      yield* wire.answer()
      const second = yield* asked(connect, "/")
      yield* second.answer()
      const third = yield* asked(connect, "/")
      assert.strictEqual((yield* third.answer()).status, 200)
      assert.strictEqual(yield* wire.closed, "")
      yield* second.send(get("/"))
      assert.strictEqual((yield* second.answer()).status, 200)
      assert.deepStrictEqual(
        logs.filter((line) => line.includes("Too many")),
        ["Warn Too many connections: 0 refused, 1 closed that waited for a request (3 are open)"]
      )
    }),
  { maxConnections: 2 }
)

both(
  "where all are at work, the new one is told to come again, and the others go on",
  app,
  ({ client, connect, logs, wire }) =>
    Effect.gen(function* () {
      gate = Deferred.makeUnsafe<void>()
      yield* wire.send(get("/held"))
      yield* Effect.forkScoped(client.get("/held"))
      yield* turns
      yield* Effect.sleep("50 millis")
      const third = yield* asked(connect, "/")
      const answer = yield* third.answer()
      assert.strictEqual(answer.line, "503 Service Unavailable")
      assert.deepStrictEqual([answer.headers["retry-after"], answer.headers.connection], ["1", "close"])
      assert.strictEqual(JSON.parse(answer.body.toString()).detail, "Too many connections are open")
      assert.strictEqual(yield* third.closed, "")
      assert.deepStrictEqual(
        logs.filter((line) => /Too many|503/.test(line)),
        ["Warn Too many connections: 1 refused, 0 closed that waited for a request (3 are open)"]
      )
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* wire.answer()).body.toString(), "held")
    }),
  { maxConnections: 2 }
)

both(
  "above the limit of an address it is told so, although others give way",
  app,
  ({ connect, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/"))
      yield* wire.answer()
      const second = yield* asked(connect, "/")
      const answer = yield* second.answer()
      assert.strictEqual(answer.status, 503)
      assert.strictEqual(JSON.parse(answer.body.toString()).detail, "Too many connections are open from this address")
      yield* second.closed
      yield* wire.send(get("/"))
      assert.strictEqual((yield* wire.answer()).status, 200)
      wire.socket.destroy()
      yield* Effect.sleep("50 millis")
      const third = yield* asked(connect, "/")
      assert.strictEqual((yield* third.answer()).status, 200)
    }),
  { maxConnectionsPerAddress: 1 }
)

it.live("a few that come at once are told so, and each is counted in the log in the end", () => {
  const { layer, logs } = recorder()
  return Effect.gen(function* () {
    gate = Deferred.makeUnsafe<void>()
    const { connect } = yield* start(app, { maxConnections: 3 })
    const wires = yield* Effect.forEach(Array.from({ length: 8 }), () => asked(connect, "/held"), { concurrency: 8 })
    yield* until(() => wires.filter((wire) => wire.isOver()).length === 5)
    yield* Deferred.succeed(gate, undefined)
    const answers = yield* Effect.forEach(wires, (wire) => wire.answer(), { concurrency: 8 })
    assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 503, 503, 503, 503, 503])
    const said = () =>
      logs
        .flatMap((line) => /Too many connections: (\d+) refused/.exec(line)?.[1] ?? [])
        .reduce((sum, n) => sum + Number(n), 0)
    yield* until(() => said() === 5)
  }).pipe(Effect.provide(layer))
})

describe("a flood of connections that say nothing", () => {
  it.live("is bounded, and who asks is answered", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const { connect, server } = yield* start(app, { maxConnections: 10 })
      const flood = yield* Effect.forEach(Array.from({ length: 100 }), () => connect, { concurrency: "unbounded" })
      yield* until(() => flood.filter((wire) => wire.isOver()).length >= 70)
      assert.isTrue(server.connections() <= 26)
      for (let count = 0; count < 5; count++) {
        yield* Effect.sleep("60 millis")
        assert.strictEqual((yield* (yield* asked(connect, "/")).answer()).status, 200)
      }
      assert.strictEqual(logs.filter((line) => line.startsWith("Warn Too many connections: ")).length, 1)
      assert.deepStrictEqual(
        logs.filter((line) => /^Error/.test(line)),
        []
      )
    }).pipe(Effect.provide(layer))
  })

  it.live("is refused in the outcome as what was shed", () =>
    Effect.gen(function* () {
      const outcomes: Array<Outcome> = []
      const accessLog = ({ outcome }: { readonly outcome: Outcome }) => {
        outcomes.push(outcome)
        return ""
      }
      const { connect } = yield* start(app, { maxConnectionsPerAddress: 1, accessLog })
      const first = yield* asked(connect, "/")
      yield* first.answer()
      yield* (yield* asked(connect, "/")).answer()
      yield* until(() => outcomes.length === 2)
      assert.deepStrictEqual(
        outcomes.map(({ error, result, status }) => [status, result, error]),
        [
          [200, "completed", undefined],
          [503, "shed", "ServiceUnavailable"]
        ]
      )
    }).pipe(Effect.provide(recorder().layer))
  )
})

const socket = (remoteAddress?: string) => ({ remoteAddress }) as Net.Socket
const nobody = () => false

describe("admission", () => {
  const addresses: ReadonlyArray<readonly [string, string | undefined, string | undefined, boolean]> = [
    ["two of one address", "198.51.100.7", "198.51.100.7", true],
    ["two of two", "198.51.100.7", "198.51.100.8", false],
    ["an IPv4 address in both its forms", "198.51.100.7", "::ffff:198.51.100.7", true],
    ["two of one /64", "2001:db8:1:2::1", "2001:db8:1:2:ffff::1", true],
    ["two of two /64", "2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["two of a unix socket", undefined, undefined, false]
  ]
  for (const [name, first, second, isRefused] of addresses) {
    it(`${name} ${isRefused ? "are one too many" : "are not"} where one is the most`, () => {
      const admission = new Admission(Rules.make({ maxConnectionsPerAddress: 1 }))
      const other = socket(second)
      admission.enter(socket(first), nobody)
      assert.isTrue(admission.enter(other, nobody))
      assert.strictEqual(admission.refusal(other) !== undefined, isRefused)
    })
  }

  it("forgets who has gone", () => {
    const admission = new Admission(Rules.make({ maxConnections: 1, maxConnectionsPerAddress: 1 }))
    for (let count = 0; count < 3; count++) {
      const one = socket("::1")
      assert.isTrue(admission.enter(one, nobody))
      assert.isTrue(admission.knows(one))
      assert.isUndefined(admission.refusal(one))
      admission.leave(one)
    }
  })

  it("says what was refused once a second, with the count", () => {
    const admission = new Admission(Rules.make({ maxConnections: 1 }))
    const said = [0, 1, 999, 1000, 1001, -5].map((now) => {
      admission.refuse()
      return admission.say(now)
    })
    const line = (count: number) =>
      `Too many connections: ${count} refused, 0 closed that waited for a request (0 are open)`
    assert.deepStrictEqual(said, [line(1), undefined, undefined, line(3), undefined, line(2)])
  })
})
