// A chat: rooms, names, who is there, and the last words. Open localhost:8080 in two windows; stop the server and start it again.
//   curl -i localhost:8080/                    # 200 and <title>Chat</title>
//   curl -i localhost:8080/rooms/lobby/Ada     # 426 and upgrade: websocket
//   curl -i localhost:8080/rooms/attic/Ada     # 404
import { Clock, Effect, Schema, Stream } from "effect"
import { App, Response, Room, Route, Server, WebSocket } from "effect-web"

const Say = Schema.Struct({ text: Schema.NonEmptyString.check(Schema.isMaxLength(1000)) })
const Said = Schema.TaggedStruct("Said", { name: Schema.String, text: Schema.String, at: Schema.Int })
const Here = Schema.TaggedStruct("Here", { names: Schema.Array(Schema.String) })

// The last words in each room, for those who come later.
const history = new Map<string, ReadonlyArray<typeof Said.Type>>()

const chat = WebSocket.make(
  {
    params: Schema.Struct({ room: Schema.String, name: Schema.String }),
    receive: Say,
    send: Schema.Union([Said, Here])
  },
  Effect.fnUntraced(function* (socket, { params: { name, room: place } }) {
    const room = yield* Room.join(place, socket, { presence: name })

    const here = Stream.map(room.changes, (members) => Here.make({ names: members.map(({ presence }) => presence) }))
    yield* Effect.forkScoped(Stream.runForEach(here, socket.send))
    yield* Effect.forEach(history.get(place) ?? [], socket.send)

    const say = Effect.fnUntraced(function* ({ text }: typeof Say.Type) {
      const said = Said.make({ name, text, at: yield* Clock.currentTimeMillis })
      history.set(place, [...(history.get(place) ?? []).slice(-49), said])
      yield* room.broadcast(said)
    })
    yield* Stream.runForEach(socket.messages, say)
  })
)

export const app = App.make({
  page: Route.get("/", Response.file(`${import.meta.dirname}/chat/page.html`)),
  chat: Route.websocket("/rooms/{room:lobby|garden|kitchen}/{name:[^/]{1,30}}", chat)
})

// One room for many processes: Server.layer(app) with Layer.provide(Room.layerRedis()), nothing else changes.
if (import.meta.main) Server.run(app)
