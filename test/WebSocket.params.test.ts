/**
 * The parameters of the path in the hands of a WebSocket's handler.
 */
import { assert, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { ask } from "./frames.ts"
import { both } from "./server/both.ts"

const Room = Schema.Struct({ room: Schema.Literals(["lobby", "garden"]), seat: Schema.Int })

const typed = WebSocket.make(
  { params: Room, receive: Schema.String, send: Room },
  Effect.fnUntraced(function* (socket, { params }) {
    expectTypeOf(params).toEqualTypeOf<{ readonly room: "lobby" | "garden"; readonly seat: number }>()
    yield* socket.send(params)
  })
)
const plain = WebSocket.raw({}, (socket, { params }) => socket.send(JSON.stringify(params)))
const decoded = WebSocket.raw({ params: Schema.Struct({ id: Schema.Int }) }, (socket, { params }) =>
  socket.send(`${params.id + 1}`)
)

const app = App.make({
  typed: Route.websocket("/typed/{room}/{seat}", typed),
  // The endpoint takes what it knows of the path.
  more: Route.websocket("/more/{seat}/{room}/{more}", typed),
  plain: Route.websocket("/plain/{a}/{b:.*}", plain),
  decoded: Route.websocket("/decoded/{id}", decoded),
  none: Route.websocket("/none", plain)
})

const rows = [
  ["/typed/lobby/7", '{"room":"lobby","seat":7}'],
  ["/more/-1/garden/x", '{"room":"garden","seat":-1}'],
  ["/plain/%C3%A9/b/c", '{"a":"é","b":"b/c"}'],
  ["/decoded/41", "42"],
  ["/none", "{}"]
] as const

for (const [path, wanted] of rows) {
  served(`the handler of ${path} has its parameters`, app, (client) =>
    Effect.gen(function* () {
      const peer = yield* client.webSocket(path)
      assert.strictEqual(yield* peer.receive, wanted)
    })
  )
}

const wrong = ["/typed/attic/7", "/typed/lobby/7.5", "/typed/lobby/x", "/decoded/", "/decoded/1e999"]

for (const path of wrong) {
  const status = path === "/decoded/" ? 404 : 400
  both(`${path} opens no WebSocket: ${status}`, app, ({ logs, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(ask(path))
      assert.strictEqual((yield* wire.answer()).status, status)
      assert.deepStrictEqual(logs, [])
    })
  )
}

it("a path without the parameters that an endpoint takes does not compile", () => {
  // @ts-expect-error Property 'room' is missing
  Route.websocket("/seats/{seat}", typed)
  // @ts-expect-error Property 'id' is missing
  Route.websocket("/decoded", decoded)
})
