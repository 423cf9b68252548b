/**
 * The life of a handler: how long it runs, what it is given at the end, and with which code its connection closes.
 */
import type { Duplex } from "node:stream"
import { assert } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Route from "../src/Route.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { CLOSE, closing, frame, open, TEXT } from "./frames.ts"
import { both, until } from "./server/both.ts"

/** What happened, in order; each test begins with none. */
const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))
const noted = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) =>
  Effect.onExit(effect, (exit) => note(exit._tag === "Success" ? `${name} ended` : `${name} ${reasonOf(exit.cause)}`))
const reasonOf = (cause: { readonly reasons: ReadonlyArray<{ readonly _tag: string; readonly error?: unknown }> }) =>
  cause.reasons.map(({ _tag, error }) =>
    error instanceof WebSocket.WebSocketError ? `failed: ${error.message}` : _tag
  )

class Fired extends Data.TaggedError("Fired")<{ readonly closeCode: number; readonly closeReason?: string }> {}

const handler = (
  path: string,
  run: (socket: WebSocket.Socket<WebSocket.Data, WebSocket.Data>) => Effect.Effect<unknown, WebSocket.Closing>
) => Route.websocket(path, WebSocket.raw({ closeTimeout: "5 seconds" }, run))

const app = App.make({
  returns: handler("/returns", () => Effect.succeed("any value")),
  fails: handler("/fails", () => new Fired({ closeCode: 4002, closeReason: "fired" })),
  long: handler("/long", () => new Fired({ closeCode: 4002, closeReason: "€".repeat(60) })),
  unsendable: handler("/unsendable", () => new Fired({ closeCode: 1006 })),
  closes: handler("/closes", () => new WebSocket.Close({ code: 4001, reason: "Game over" })),
  dies: handler("/dies", () => Effect.die(new Error("broken"))),
  throws: handler("/throws", () => {
    throw new Error("broken")
  }),
  closer: handler("/closer", (socket) =>
    Effect.flatMap(socket.close(4009, "so long"), ({ code, reason }) => note(`closed ${code} ${reason}`))
  ),
  pusher: handler("/pusher", (socket) =>
    Effect.gen(function* () {
      yield* Effect.addFinalizer(() => note("finalized"))
      yield* Effect.forkChild(noted("child", Effect.never), { startImmediately: true })
      yield* Effect.forkScoped(noted("scoped", Effect.never), { startImmediately: true })
      yield* socket.send("ready")
      return yield* noted("pusher", Effect.never)
    }).pipe(Effect.scoped)
  ),
  reader: handler("/reader", (socket) =>
    noted(
      "reader",
      Effect.andThen(
        Stream.runForEach(socket.messages, (message) => note(`got ${message}`)),
        note("stream ended")
      )
    )
  ),
  slow: handler("/slow", (socket) =>
    noted(
      "slow",
      Stream.runForEach(socket.messages, (message) => Effect.andThen(Effect.sleep("20 millis"), note(`got ${message}`)))
    )
  ),
  receiver: handler("/receiver", (socket) =>
    noted("receiver", Effect.forever(Effect.flatMap(socket.receive, (message) => note(`got ${message}`))))
  ),
  dirty: handler("/dirty", () => Effect.onExit(Effect.never, () => Effect.die(new Error("dirty")))),
  sender: handler("/sender", (socket) =>
    Effect.gen(function* () {
      yield* socket.closed
      yield* Effect.catchTag(socket.send("too late"), "WebSocketError", ({ message }) => note(message))
    })
  )
})

const codes = [
  ["/returns", ["close 1000"], []],
  ["/fails", ["close 4002 fired"], []],
  ["/long", [`close 4002 ${"€".repeat(41)}`], []],
  ["/unsendable", ["close"], []],
  ["/closes", ["close 4001 Game over"], []],
  ["/dies", ["close 1011"], ["Error The handler of a WebSocket died (GET /dies)"]],
  ["/throws", ["close 1011"], ["Error The handler of a WebSocket died (GET /throws)"]]
] as const

for (const [path, wanted, logged] of codes) {
  both(`the handler of ${path} closes with ${wanted[0]}`, app, ({ client, logs }) =>
    Effect.gen(function* () {
      const raw = yield* open(client, `${path}?secret`)
      const code = Buffer.from([0x88])
      yield* raw.until(code.toString("latin1"))
      yield* raw.send(frame(CLOSE, closing(1000)))
      yield* raw.closed
      assert.deepStrictEqual(logs, logged)
      const again = yield* open(client, path)
      yield* Effect.sync(() => again.socket.end())
      assert.deepStrictEqual(yield* again.last, wanted)
    })
  )
}

const echoed = [
  ["1000", closing(1000, "bye"), "close 1000 bye", ["stream ended", "reader ended"]],
  ["1001", closing(1001), "close 1001", ["stream ended", "reader ended"]],
  ["no code", "", "close", ["stream ended", "reader ended"]],
  ["a code of its own", closing(4321), "close 4321", ["reader failed: The WebSocket is closed: 4321"]]
] as const

for (const [name, payload, wanted, ending] of echoed) {
  both(`a close frame with ${name} is echoed`, app, ({ client, logs }) =>
    Effect.gen(function* () {
      events.length = 0
      const raw = yield* open(client, "/reader")
      yield* raw.send(Buffer.concat([frame(TEXT, "a"), frame(CLOSE, payload), frame(TEXT, "b")]))
      assert.deepStrictEqual(yield* raw.last, [wanted])
      yield* until(() => events.length > ending.length)
      assert.deepStrictEqual(events, ["got a", ...ending])
      assert.deepStrictEqual(logs, [])
    })
  )
}

both("socket.close sends its code and gives that of the peer", app, ({ client }) =>
  Effect.gen(function* () {
    events.length = 0
    const peer = yield* client.webSocket("/closer")
    assert.deepInclude(yield* peer.closed, { code: 4009, reason: "so long" })
    yield* until(() => events.length > 0)
    assert.deepStrictEqual(events, ["closed 4009 so long"])
  })
)

type Leave = (socket: Duplex) => unknown
const leaving: ReadonlyArray<readonly [name: string, leave: Leave, ending: string]> = [
  ["breaks the connection", (socket) => socket.destroy(), "slow failed: The connection broke"],
  ["ends the connection", (socket) => socket.end(), "slow failed: The connection broke"],
  ["sends a close frame", (socket) => socket.write(frame(CLOSE)), "slow ended"],
  [
    "breaks the protocol",
    (socket) => socket.write(frame(3)),
    "slow failed: The WebSocket is closed: 1002 Invalid WebSocket frame: invalid opcode 3"
  ]
]

for (const [name, leave, ending] of leaving) {
  both(`a handler that only sends is interrupted with its children when the peer ${name}`, app, ({ client, logs }) =>
    Effect.gen(function* () {
      events.length = 0
      const raw = yield* open(client, "/pusher")
      yield* raw.until("ready")
      yield* Effect.sync(() => leave(raw.socket))
      yield* until(() => events.includes("finalized"))
      assert.sameMembers(events, ["pusher Interrupt", "child Interrupt", "scoped Interrupt", "finalized"])
      assert.deepStrictEqual(logs, [])
    })
  )

  both(`a handler that reads gets all that had come when the peer ${name}`, app, ({ client, logs }) =>
    Effect.gen(function* () {
      events.length = 0
      const raw = yield* open(client, "/slow")
      yield* raw.send(Buffer.concat([1, 2, 3, 4, 5].map((count) => frame(TEXT, String(count)))))
      yield* until(() => events.length > 0)
      yield* Effect.sync(() => leave(raw.socket))
      yield* until(() => events.length === 6)
      assert.deepStrictEqual(events, ["got 1", "got 2", "got 3", "got 4", "got 5", ending])
      assert.deepStrictEqual(logs, [])
    })
  )
}

both("socket.receive fails at the end, a clean one too", app, ({ client }) =>
  Effect.gen(function* () {
    events.length = 0
    const peer = yield* client.webSocket("/receiver")
    yield* peer.send("a")
    yield* peer.close(1000, "enough")
    yield* until(() => events.length === 2)
    assert.deepStrictEqual(events, ["got a", "receiver failed: The WebSocket is closed: 1000 enough"])
  })
)

both("nothing can be sent when the connection has ended", app, ({ client, logs }) =>
  Effect.gen(function* () {
    events.length = 0
    const peer = yield* client.webSocket("/sender")
    yield* peer.destroy
    yield* until(() => events.length > 0)
    assert.deepStrictEqual([events, logs], [["The connection broke"], []])
  })
)

both("a defect of a finalizer is logged though the peer has left", app, ({ client, logs }) =>
  Effect.gen(function* () {
    const peer = yield* client.webSocket("/dirty")
    yield* peer.destroy
    yield* until(() => logs.length > 0)
    assert.deepStrictEqual(logs, ["Error The handler of a WebSocket died (GET /dirty)"])
  })
)
