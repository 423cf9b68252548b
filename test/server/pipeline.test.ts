/**
 * Pipelines: requests of one connection are handled one after the other, and none behind an answer that closes.
 *
 * @spec RFC 9112 §9.3.2, §9.6
 */
import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { both, get, post, turns, until } from "./both.ts"
import { start } from "./started.ts"

const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))
let gate = Deferred.makeUnsafe<void>()
const fresh = Effect.sync(() => {
  events.length = 0
  gate = Deferred.makeUnsafe<void>()
})
const opened = Effect.suspend(() => Deferred.await(gate))

const app = App.make({
  step: Route.any("/step/{name}", ({ params: { name } }) =>
    Effect.gen(function* () {
      yield* note(`${name} begins`)
      yield* Effect.sleep("2 millis")
      yield* note(`${name} ends`)
      return Response.text(name)
    })
  ),
  gate: Route.any("/gate", Effect.andThen(note("waiting"), Effect.as(opened, Response.text("through")))),
  stream: Route.get(
    "/stream",
    Effect.as(
      note("streaming"),
      Response.stream(Stream.concat(Stream.make("one"), Stream.fromEffect(Effect.as(opened, "two"))))
    )
  ),
  echo: Route.post(
    "/echo",
    Effect.map(Body.bytes(), (bytes) => Response.bytes(bytes))
  ),
  ignore: Route.post("/ignore", Effect.as(note("ignored"), Response.text("ignored")))
})

describe("in a pipeline", () => {
  both("a handler begins when the one before has ended", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* fresh
      yield* wire.send(post("/step/a", "1") + get("/step/b") + post("/step/c", "22"))
      for (const name of ["a", "b", "c"]) assert.strictEqual((yield* wire.answer()).body.toString(), name)
      assert.deepStrictEqual(events, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"])
    })
  )

  both("a handler begins when the stream before has ended", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* fresh
      yield* wire.send(get("/stream") + get("/step/a"))
      yield* wire.until("one\r\n")
      yield* turns
      assert.deepStrictEqual(events, ["streaming"])
      yield* Deferred.succeed(gate, undefined)
      yield* wire.until("0\r\n\r\n")
      assert.strictEqual((yield* wire.answer()).body.toString(), "a")
    })
  )

  both("what is behind a client that left never begins", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* fresh
      yield* wire.send(get("/gate") + get("/step/a"))
      yield* until(() => events.length === 1)
      wire.socket.destroy()
      yield* turns
      yield* Deferred.succeed(gate, undefined)
      yield* turns
      assert.deepStrictEqual(events, ["waiting"])
    })
  )

  const large = post("/ignore", "x".repeat(300_000))
  const closing: ReadonlyArray<readonly [name: string, bytes: string]> = [
    ["a body that is too large to be read away", large],
    ["a body that waits for 100 Continue", post("/ignore", "x", "Expect: 100-continue\r\n")],
    ["HTTP/1.0", "POST /ignore HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"]
  ]
  for (const [name, bytes] of closing) {
    both(`what is behind the answer to ${name}, which closes, never begins`, app, ({ wire }) =>
      Effect.gen(function* () {
        yield* fresh
        yield* wire.send(bytes + get("/step/a") + get("/step/b"))
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.body.toString(), answer.headers.connection], ["ignored", "close"])
        assert.strictEqual(yield* wire.closed, "")
        yield* turns
        assert.deepStrictEqual(events, ["ignored"])
      })
    )
  }

  it.live("what is behind the last answer of a server that stops never begins", () =>
    Effect.gen(function* () {
      yield* fresh
      const { connect, stop } = yield* start(app)
      const wire = yield* connect
      yield* wire.send(get("/gate") + get("/step/a"))
      yield* until(() => events.length === 1)
      const stopping = yield* stop
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* wire.answer()).headers.connection, "close")
      assert.strictEqual(yield* wire.closed, "")
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(events, ["waiting"])
    })
  )

  both("a flood waits on the wire", app, ({ client }) =>
    Effect.gen(function* () {
      yield* fresh
      const socket = yield* client.connect
      const count = 500_000
      let written = false
      socket.write(get("/gate") + get("/ignore").repeat(count), () => {
        written = true
      })
      yield* until(() => events.length === 1)
      // Nothing tells that something will not happen.
      yield* Effect.sleep("200 millis")
      assert.isFalse(written)
    })
  )

  both("a flood is answered when it may go on", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* fresh
      const count = 3000
      yield* wire.send(get("/gate") + get("/unknown").repeat(count))
      yield* until(() => events.length === 1)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* wire.answer()).body.toString(), "through")
      for (let at = 0; at < count; at++) assert.strictEqual((yield* wire.answer()).status, 404)
    })
  )
})

describe("a client that floods and leaves while its first request waits", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }))
  afterEach(() => void vi.useRealTimers())

  for (const leave of ["destroy", "end"] as const) {
    it.live(`is forgotten after a minute or two, when it left by ${leave}`, () =>
      Effect.gen(function* () {
        yield* fresh
        const { connect, server } = yield* start(app)
        const wire = yield* connect
        yield* wire.send(get("/gate") + get("/step/a").repeat(4000))
        yield* until(() => events.includes("waiting"))
        wire.socket[leave]()
        yield* turns
        assert.strictEqual(server.connections(), 1)
        vi.advanceTimersByTime(120_000)
        yield* until(() => server.connections() === 0)
        assert.deepStrictEqual(events, ["waiting"])
      }).pipe(Effect.scoped)
    )
  }
})
