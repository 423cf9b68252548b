/** effect-web's own WebSockets and rooms, all defaults. The built library by its path: it and this program load the root's one `effect`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { App, Room, Route, Server, WebSocket } from "../../../dist/index.js"

const Price = Schema.Struct({ symbol: Schema.String, bid: Schema.Finite, ask: Schema.Finite, at: Schema.String })
const Message = Schema.Struct({
  text: Schema.String,
  n: Schema.Int,
  prices: Schema.optionalKey(Schema.Array(Price))
})
const typed = { receive: Message, send: Message }

const echo = WebSocket.make(typed, (socket) => Stream.runForEach(socket.messages, socket.send))
const raw = WebSocket.raw({}, (socket) => Stream.runForEach(socket.messages, socket.send))
const room = WebSocket.make(
  typed,
  Effect.fnUntraced(function* (socket) {
    const { broadcast } = yield* Room.join("all", socket)
    yield* Stream.runForEach(socket.messages, (message) => broadcast(message))
  })
)

const app = App.make({
  echo: Route.websocket("/echo", echo),
  raw: Route.websocket("/raw", raw),
  room: Route.websocket("/room", room)
})

Server.run(app, { port: Number(process.env.PORT), host: "127.0.0.1" })
