/**
 * The report of the stop: what was under way, and what became of it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import type * as AccessLog from "../../src/middleware/AccessLog.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sse from "../../src/Sse.ts"
import type * as Server from "../../src/server/Server.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import { CLOSE, closing, frame, upgrade } from "../frames.ts"
import { get, until } from "./both.ts"
import { start } from "./started.ts"

/** What was logged about stops: the level, the sentence without its times, and the numbers. */
interface Line {
  readonly level: string
  readonly text: string
  /** What was there of kinds, as `requests.finished: 1`, and routes. */
  readonly drain: Readonly<Record<string, unknown>>
}

const reports = () => {
  const lines: Array<Line> = []
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    const annotations = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
    const drain = Object.fromEntries(
      annotations.flatMap(([key, value]) => (key.startsWith("drain.") ? [[key.slice(6), timeless(value)]] : []))
    )
    if (Object.keys(drain).length > 0)
      lines.push({ level: logLevel, text: String(timeless([message].flat().join(" "))), drain })
  })
  return { lines, layer: Logger.layer([logger]) }
}

const timeless = (value: unknown): unknown =>
  typeof value === "string" ? value.replace(/\d+(?:\.\d+)? m?s\b/g, "T") : value

/** The numbers of a report, without its duration. */
const counts = ({ durationMs: _, routes: _routes, stuck: _stuck, ...rest }: Line["drain"]) => rest

const routes = ({ drain }: Line): ReadonlyArray<string> => String(drain.routes).split("; ").sort()

const gated = Effect.gen(function* () {
  const gate = yield* Deferred.make<void>()
  const events: Array<string> = []
  const asked = (text: string) => Effect.sync(() => void events.push(text))
  const app = App.make({
    gate: Route.get("/gate", Effect.as(Effect.andThen(asked("gate"), Deferred.await(gate)), Response.text("through"))),
    never: Route.get("/never/{id}", Effect.andThen(asked("never"), Effect.never)),
    poll: Route.get("/poll", Effect.andThen(asked("poll"), Effect.never)).pipe(Route.onDrain("interrupt")),
    stubborn: Route.get(
      "/stubborn",
      Effect.as(
        Effect.uninterruptible(Effect.andThen(asked("stubborn"), Deferred.await(gate))),
        Response.text("at last")
      )
    ),
    big: Route.get("/big", Response.text("x".repeat(30_000_000))),
    small: Route.get("/small", Response.text("small")),
    stream: Route.get(
      "/stream",
      Effect.succeed(Response.stream(Stream.concat(Stream.make("one,"), Stream.fromEffect(Effect.never))))
    ),
    events: Route.get("/events", Effect.succeed(Sse.response(Stream.concat(Stream.make("a"), Stream.never)))),
    socket: Route.websocket(
      "/socket",
      WebSocket.raw({ closeTimeout: "50 millis" }, (socket) => Effect.andThen(socket.send("ready"), Effect.never))
    ),
    deaf: Route.websocket(
      "/deaf",
      WebSocket.raw({}, (socket) => Effect.andThen(socket.send("ready"), Effect.uninterruptible(Deferred.await(gate))))
    )
  })
  return { app, events, open: Deferred.succeed(gate, undefined) }
})

type Given = Effect.Success<typeof gated> &
  Effect.Success<ReturnType<typeof start>> & { readonly lines: ReadonlyArray<Line> }

const stopped = (
  name: string,
  test: (given: Given) => Effect.Effect<unknown, unknown, Scope.Scope>,
  options: Server.Options = {}
) =>
  it.live(name, () => {
    const { layer, lines } = reports()
    return Effect.gen(function* () {
      const made = yield* gated
      yield* test({ ...made, ...(yield* start(made.app, options)), lines })
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

for (const accessLog of [false, { write: () => {} }] satisfies ReadonlyArray<false | AccessLog.Options>) {
  describe(accessLog === false ? "requests that nobody followed" : "requests with an access log", () => {
    stopped(
      "what finishes is information, by route and kind",
      ({ connect, events, lines, open, stop }) =>
        Effect.gen(function* () {
          const [gate, stream, raw] = [yield* connect, yield* connect, yield* upgrade(yield* connect, "/socket")]
          yield* gate.send(get("/gate"))
          yield* stream.send(get("/events"))
          yield* stream.until("data: a")
          yield* raw.until("ready")
          yield* until(() => events.length === 1)
          const stopping = yield* stop
          yield* raw.until("The server stops")
          yield* raw.send(frame(CLOSE, closing(1001)))
          yield* open
          yield* gate.answer()
          yield* Fiber.join(stopping)
          assert.lengthOf(lines, 1)
          const [{ drain, level, text }] = lines as [Line]
          assert.strictEqual(level, "Info")
          assert.strictEqual(
            text,
            "Stopped in T: 1 of 1 request finished; 1 of 1 WebSocket closed; 1 of 1 event stream ended"
          )
          assert.deepStrictEqual(counts(drain), {
            "requests.finished": 1,
            "eventStreams.finished": 1,
            "webSockets.finished": 1
          })
          assert.deepStrictEqual(routes(lines[0] as Line), [
            "events: 1 finished, T",
            "gate: 1 finished, T",
            "socket: 1 finished, T"
          ])
        }),
      { accessLog }
    )

    stopped(
      "what is interrupted is a warning, and the oldest is named first",
      ({ connect, events, lines, stop }) =>
        Effect.gen(function* () {
          const [never, stream] = [yield* connect, yield* connect]
          yield* never.send(get("/never/1"))
          yield* stream.send(get("/stream"))
          yield* stream.until("one,")
          yield* until(() => events.length === 1)
          yield* Effect.sleep("30 millis")
          yield* Fiber.join(yield* stop)
          const [{ drain, level, text }] = lines as [Line]
          assert.strictEqual(level, "Warn")
          assert.match(
            text,
            /^Stopped in T: 0 of 2 requests finished, 2 interrupted; did not finish: (never|stream) after T, (never|stream) after T$/
          )
          assert.deepStrictEqual(counts(drain), { "requests.interrupted": 2 })
          assert.deepStrictEqual(routes(lines[0] as Line), ["never: 1 interrupted, T", "stream: 1 interrupted, T"])
        }),
      { accessLog, shutdownTimeout: "50 millis" }
    )

    stopped(
      "a handler that cannot be interrupted is cut off, and named",
      ({ connect, events, lines, open, stop }) =>
        Effect.gen(function* () {
          const wire = yield* connect
          yield* wire.send(get("/stubborn"))
          yield* until(() => events.length === 1)
          yield* Fiber.join(yield* stop)
          const [{ drain, level, text }] = lines as [Line]
          assert.strictEqual(level, "Warn")
          assert.strictEqual(
            text,
            "Stopped in T: 0 of 1 request finished, 1 cut off; 1 connection destroyed; did not finish: stubborn after T; stubborn still runs after T"
          )
          assert.deepStrictEqual(counts(drain), { "requests.destroyed": 1, "connections.destroyed": 1 })
          assert.strictEqual(drain.stuck, "stubborn still runs after T")
          yield* open
        }),
      { accessLog, shutdownTimeout: "10 millis", interruptGrace: "30 millis" }
    )

    stopped(
      "what onDrain interrupts is as it was asked for, and no warning",
      ({ connect, events, lines, stop }) =>
        Effect.gen(function* () {
          const wire = yield* connect
          yield* wire.send(get("/poll"))
          yield* until(() => events.length === 1)
          yield* Fiber.join(yield* stop)
          assert.strictEqual((yield* wire.answer()).status, 503)
          const [{ drain, level, text }] = lines as [Line]
          assert.strictEqual(level, "Info")
          assert.strictEqual(text, "Stopped in T: 0 of 1 request finished, 1 interrupted by onDrain")
          assert.deepStrictEqual(counts(drain), { "requests.onDrain": 1 })
        }),
      { accessLog }
    )

    stopped(
      "a WebSocket that does not end in time is cut off",
      ({ connect, lines, open, stop }) =>
        Effect.gen(function* () {
          const raw = yield* upgrade(yield* connect, "/deaf")
          yield* raw.until("ready")
          yield* Fiber.join(yield* stop)
          const [{ drain }] = lines as [Line]
          assert.deepStrictEqual(counts(drain), { "webSockets.destroyed": 1, "connections.destroyed": 1 })
          yield* open
        }),
      { accessLog, shutdownTimeout: "10 millis", interruptGrace: "30 millis" }
    )

    stopped(
      "an answer that its client does not take is cut off, without a handler",
      ({ connect, lines, received, stop }) =>
        Effect.gen(function* () {
          const wire = yield* connect
          wire.socket.pause()
          yield* wire.send(get("/big"))
          yield* received(get("/big").length)
          yield* Effect.sleep("20 millis")
          yield* Fiber.join(yield* stop)
          const [{ drain }] = lines as [Line]
          assert.deepStrictEqual(counts(drain), { "requests.destroyed": 1, "connections.destroyed": 1 })
          assert.strictEqual(drain.routes, "big: 1 destroyed, T")
        }),
      { accessLog, shutdownTimeout: "50 millis" }
    )

    stopped(
      "a client that leaves meanwhile is no fault of the stop",
      ({ connect, events, lines, stop }) =>
        Effect.gen(function* () {
          const wire = yield* connect
          yield* wire.send(get("/never/1"))
          yield* until(() => events.length === 1)
          const stopping = yield* stop
          wire.socket.destroy()
          yield* Fiber.join(stopping)
          const [{ drain, level, text }] = lines as [Line]
          assert.strictEqual(level, "Info")
          assert.strictEqual(text, "Stopped in T: 0 of 1 request finished, 1 left by the client")
          assert.deepStrictEqual(counts(drain), { "requests.aborted": 1 })
        }),
      { accessLog }
    )
  })
}

stopped("with nothing under way says nothing", ({ connect, lines, stop }) =>
  Effect.gen(function* () {
    yield* connect
    yield* Fiber.join(yield* stop)
    assert.deepStrictEqual(lines, [])
  })
)

stopped(
  "for drainDelay listeners stay open, and each answer closes its connection; only then sockets are told",
  ({ connect, events, lines, open, stop }) =>
    Effect.gen(function* () {
      const [used, raw] = [yield* connect, yield* upgrade(yield* connect, "/socket")]
      yield* raw.until("ready")
      const stopping = yield* stop
      for (const wire of [used, yield* connect]) {
        yield* wire.send(get("/small"))
        assert.strictEqual((yield* wire.answer()).headers.connection, "close")
        assert.strictEqual(yield* wire.closed, "")
      }
      const late = yield* connect
      yield* late.send(get("/gate"))
      yield* until(() => events.length === 1)
      assert.isUndefined(stopping.pollUnsafe())
      yield* raw.until("The server stops")
      yield* open
      yield* late.answer()
      yield* Fiber.join(stopping)
      const [{ drain }] = lines as [Line]
      assert.deepStrictEqual(counts(drain), { "requests.finished": 3, "webSockets.finished": 1 })
      assert.isAtLeast(Number(drain.durationMs), 299)
    }),
  { drainDelay: "300 millis" }
)
