/**
 * A server that stops: its WebSockets are told at once, and nothing holds it up.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Route from "../src/Route.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { CLOSE, closing, frame, TEXT, upgrade } from "./frames.ts"
import { until } from "./server/both.ts"
import { start, took } from "./server/started.ts"

/** What happened, in order; each test begins with none. */
const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))

const app = App.make({
  push: Route.websocket(
    "/push",
    WebSocket.raw({ closeTimeout: "200 millis" }, (socket) =>
      Effect.gen(function* () {
        yield* Effect.addFinalizer(() => note("finalized"))
        yield* socket.send("ready")
        return yield* Effect.onInterrupt(Effect.never, () => note("interrupted"))
      }).pipe(Effect.scoped)
    )
  ),
  loop: Route.websocket(
    "/loop",
    WebSocket.raw({}, (socket) =>
      Effect.forever(Effect.andThen(socket.send("tick"), Effect.sleep("5 millis"))).pipe(
        Effect.tapError(({ message }) => note(message))
      )
    )
  ),
  echo: Route.websocket(
    "/echo",
    WebSocket.raw({}, (socket) => Effect.andThen(Stream.runForEach(socket.messages, socket.send), note("ended")))
  )
})

const bye = frame(CLOSE, closing(1001))
const farewell = "close 1001 The server stops"

it.live("a handler that only sends is told at once: 1001, and it is interrupted when the peer has answered", () =>
  Effect.gen(function* () {
    events.length = 0
    const { connect, stop } = yield* start(app)
    const raw = yield* upgrade(yield* connect, "/push")
    yield* raw.until("ready")
    const stopping = yield* stop
    yield* raw.until("The server stops")
    yield* raw.send(bye)
    yield* raw.closed
    assert.isBelow(yield* took(stopping), 1000)
    assert.deepStrictEqual(events, ["interrupted", "finalized"])
  })
)

it.live("a peer that does not answer holds the stop up no longer than the close timeout", () =>
  Effect.gen(function* () {
    events.length = 0
    const { connect, stop } = yield* start(app)
    const raw = yield* upgrade(yield* connect, "/push")
    yield* raw.until("ready")
    const stopping = yield* stop
    assert.deepStrictEqual(yield* raw.last, [farewell])
    assert.isBelow(yield* took(stopping), 1000)
    assert.deepStrictEqual(events, ["interrupted", "finalized"])
  })
)

it.live("nothing can be sent any more: a handler that sends ends by itself", () =>
  Effect.gen(function* () {
    events.length = 0
    const { connect, stop } = yield* start(app)
    const raw = yield* upgrade(yield* connect, "/loop")
    yield* raw.until("tick")
    yield* stop
    yield* until(() => events.length > 0)
    assert.deepStrictEqual(events, ["The WebSocket is closed: 1001 The server stops"])
    yield* raw.send(bye)
    assert.strictEqual((yield* raw.last).at(-1), farewell)
  })
)

it.live("a handler that reads sees its messages end", () =>
  Effect.gen(function* () {
    events.length = 0
    const { connect, stop } = yield* start(app)
    const raw = yield* upgrade(yield* connect, "/echo")
    yield* raw.send(frame(TEXT, "a"))
    yield* raw.until("a")
    const stopping = yield* stop
    yield* raw.until("The server stops")
    yield* raw.send(bye)
    assert.isBelow(yield* took(stopping), 1000)
    assert.deepStrictEqual(events, ["ended"])
  })
)

it.live("a hundred sockets are told at once", () =>
  Effect.gen(function* () {
    events.length = 0
    const { connect, stop } = yield* start(app)
    const all = yield* Effect.all(
      Array.from({ length: 100 }, () => Effect.flatMap(connect, (wire) => upgrade(wire, "/push")))
    )
    for (const raw of all) yield* raw.until("ready")
    const stopping = yield* stop
    for (const raw of all) assert.deepStrictEqual(yield* raw.last, [farewell])
    assert.isBelow(yield* took(stopping), 2000)
    assert.lengthOf(events, 200)
  })
)
