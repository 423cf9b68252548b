/**
 * The stop of a server with sessions of HTTP/2: they are told, finish what is under way, and none outlives it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../../../src/App.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import type * as Server from "../../../src/server/Server.ts"
import { recorder, until } from "../both.ts"
import { start, took } from "../started.ts"
import * as H2 from "./frames.ts"

const { frame, get, head, type, uint32 } = H2

let open: ReadonlyArray<() => void> = []
const gate = Effect.callback<void>((resume) => {
  open = [...open, () => resume(Effect.void)]
})
const app = App.make({
  home: Route.get("/", Response.text("home")),
  gate: Route.get("/gate", Effect.as(gate, Response.text("through"))),
  never: Route.get("/never", Effect.never),
  stream: Route.get("/stream", Response.stream(Stream.concat(Stream.make(Buffer.from("one")), Stream.never)))
})

const options: Server.Options = { h2c: true, shutdownTimeout: "5 seconds" }
const goaways = (client: H2.Client) =>
  client
    .frames()
    .flatMap(({ kind, payload }) => (kind === type.goaway ? [[payload.readUInt32BE(0), payload.readUInt32BE(4)]] : []))

const test = (name: string, run: Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => {
    const { layer, logs } = recorder()
    open = []
    return Effect.gen(function* () {
      yield* Effect.scoped(run)
      assert.deepStrictEqual(
        logs.filter((line) => /^(Error|Fatal)/i.test(line)),
        []
      )
    }).pipe(Effect.provide(layer))
  })

describe("the stop of a server with HTTP/2", () => {
  test(
    "an idle session gets GOAWAY and closes at once",
    Effect.gen(function* () {
      const { server, stop } = yield* start(app, options)
      const client = yield* H2.open(server, head(1, get()))
      assert.strictEqual(yield* client.outcome(1), "200")
      assert.strictEqual(server.connections(), 1)
      assert.isBelow(yield* took(yield* stop), 900)
      assert.deepStrictEqual(goaways(client).at(-1), [1, 0])
      assert.isTrue(client.isClosed())
    })
  )
  test(
    "what is under way finishes behind the GOAWAY, then the session closes",
    Effect.gen(function* () {
      const { server, stop } = yield* start(app, options)
      const client = yield* H2.open(server, head(1, get("/gate")), head(3, get("/gate")))
      yield* until(() => open.length === 2)
      const stopping = yield* stop
      yield* until(() => goaways(client).length > 0)
      for (const one of open) one()
      yield* Fiber.join(stopping)
      const heads = client.frames().filter(({ kind }) => kind === type.headers)
      assert.strictEqual(heads.length, 2)
      assert.deepStrictEqual(goaways(client).at(-1), [3, 0])
    })
  )
  test(
    "within drainDelay requests are still answered, and then the client is told to go elsewhere",
    Effect.gen(function* () {
      const { server, stop } = yield* start(app, { ...options, drainDelay: "400 millis" })
      const client = yield* H2.open(server, head(1, get("/gate")))
      yield* until(() => open.length === 1)
      const stopping = yield* stop
      yield* client.send(head(3, get()))
      yield* client.wait(({ kind, stream }) => kind === type.headers && stream === 3)
      yield* until(() => goaways(client).length > 0)
      assert.deepStrictEqual(goaways(client).at(-1), [3, 0])
      const other = yield* H2.open(server, head(1, get()))
      assert.strictEqual((yield* other.wait(({ kind }) => kind === type.headers)).stream, 1)
      yield* until(() => other.isClosed())
      assert.isFalse(client.isClosed())
      open[0]?.()
      yield* Fiber.join(stopping)
      assert.strictEqual(client.frames().filter(({ kind }) => kind === type.headers).length, 2)
    })
  )
  test(
    "what takes longer than shutdownTimeout is 503, and a stream that goes out is reset",
    Effect.gen(function* () {
      const { server, stop } = yield* start(app, { ...options, shutdownTimeout: "100 millis" })
      const client = yield* H2.open(server, head(1, get("/never")))
      const other = yield* H2.open(server, head(1, get("/stream")))
      assert.strictEqual(yield* other.outcome(1), "200")
      yield* Fiber.join(yield* stop)
      const first = client.frames().find(({ kind }) => kind === type.headers)
      assert.strictEqual(first?.stream, 1)
      const reset = other.frames().find(({ kind }) => kind === type.reset)
      assert.strictEqual(reset?.payload.readUInt32BE(0), 2)
    })
  )
  test(
    "a client that takes nothing holds the stop no longer than shutdownTimeout and a moment",
    Effect.gen(function* () {
      const { server, stop } = yield* start(app, { ...options, shutdownTimeout: "100 millis" })
      const client = yield* H2.open(server, H2.settings([4, 0]), head(1, get()))
      yield* client.wait(({ kind }) => kind === type.headers)
      client.socket.pause()
      assert.isBelow(yield* took(yield* stop), 2500)
    })
  )
  test(
    "a session that the client has left alone with a half closed stream ends",
    Effect.gen(function* () {
      const { server, stop } = yield* start(app, options)
      const client = yield* H2.open(server, head(1, get()), frame(type.window, 0, 0, uint32(100)))
      assert.strictEqual(yield* client.outcome(1), "200")
      client.socket.end()
      yield* until(() => server.connections() === 0)
      yield* Fiber.join(yield* stop)
    })
  )
})
