/**
 * Rooms within one server: who is there, what reaches whom, and what becomes of members that are slow.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Request from "../src/Request.ts"
import * as Response from "../src/Response.ts"
import * as Room from "../src/Room.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { turns } from "./server/both.ts"

const Command = Schema.Union([
  Schema.TaggedStruct("Say", { text: Schema.String, mine: Schema.optionalKey(Schema.Boolean) }),
  Schema.TaggedStruct("Rename", { name: Schema.String }),
  Schema.TaggedStruct("Who", {})
])
const Said = Schema.TaggedStruct("Said", { text: Schema.String })
const Here = Schema.TaggedStruct("Here", { names: Schema.Array(Schema.String), self: Schema.String })

/** Says what it is told, and answers who is there. */
const chat = WebSocket.make(
  { receive: Command, send: Schema.Union([Said, Here]) },
  Effect.fnUntraced(function* (socket) {
    const { name = "", room: at = "" } = yield* Request.params
    const room = yield* Room.join(at, socket, { presence: { name } })
    const who = Effect.gen(function* () {
      const members = yield* room.members
      assert.strictEqual(yield* room.count, members.length)
      yield* socket.send({
        _tag: "Here",
        names: members.map(({ presence }) => presence.name),
        self: room.self.presence.name
      })
    })
    yield* who
    yield* Stream.runForEach(socket.messages, (command) => {
      if (command._tag === "Who") return who
      if (command._tag === "Rename") return room.update({ name: command.name })
      return room.broadcast({ _tag: "Said", text: command.text }, command.mine === false ? { except: room.self } : {})
    })
  })
)
const listener = WebSocket.make(
  { receive: Schema.String, send: Schema.Array(Schema.String) },
  Effect.fnUntraced(function* (socket) {
    const room = yield* Room.join("watched", socket, { presence: { name: "" } })
    const names = Stream.map(room.changes, (members) => members.map(({ presence }) => presence.name))
    yield* Stream.runForEach(names, socket.send)
  })
)
const app = App.make({
  chat: Route.websocket("/{room}/{name}", chat),
  watch: Route.websocket("/watch", listener),
  notify: Route.post("/notify", () =>
    Effect.gen(function* () {
      const lobby = yield* Room.of("lobby", chat)
      yield* lobby.broadcast({ _tag: "Said", text: "from outside" })
      return Response.json({ count: yield* lobby.count })
    })
  )
})

const say = (text: string, mine?: boolean) =>
  JSON.stringify({ _tag: "Say", text, ...(mine === undefined ? undefined : { mine }) })
const said = (text: string) => JSON.stringify({ _tag: "Said", text })
const here = (self: string, ...names: ReadonlyArray<string>) => JSON.stringify({ _tag: "Here", names, self })
const whoIsThere = JSON.stringify({ _tag: "Who" })

type Test = (client: Testing.Client) => Effect.Effect<unknown, unknown, Scope.Scope>
const test = (name: string, tests: Test) => served(name, app, tests)

describe("a room", () => {
  test("has those who joined, in their order, with what they show", (client) =>
    Effect.gen(function* () {
      const ada = yield* client.webSocket("/lobby/Ada")
      assert.strictEqual(yield* ada.receive, here("Ada", "Ada"))
      const grace = yield* client.webSocket("/lobby/Grace")
      assert.strictEqual(yield* grace.receive, here("Grace", "Ada", "Grace"))
      yield* ada.send(JSON.stringify({ _tag: "Rename", name: "Countess" }))
      yield* ada.send(whoIsThere)
      assert.strictEqual(yield* ada.receive, here("Ada", "Countess", "Grace"))
    }))

  test("sends to all in it, the sender too, in order, and to nobody else", (client) =>
    Effect.gen(function* () {
      const [ada, grace] = [yield* client.webSocket("/lobby/Ada"), yield* client.webSocket("/lobby/Grace")]
      const other = yield* client.webSocket("/another/Edsger")
      for (const peer of [ada, grace, other]) yield* peer.receive
      for (const text of ["1", "2", "3"]) yield* ada.send(say(text))
      for (const peer of [ada, grace]) {
        for (const text of ["1", "2", "3"]) assert.strictEqual(yield* peer.receive, said(text))
      }
      yield* other.send(whoIsThere)
      assert.strictEqual(yield* other.receive, here("Edsger", "Edsger"))
    }))

  test("sends to all but one", (client) =>
    Effect.gen(function* () {
      const [ada, grace] = [yield* client.webSocket("/lobby/Ada"), yield* client.webSocket("/lobby/Grace")]
      for (const peer of [ada, grace]) yield* peer.receive
      yield* ada.send(say("to the others", false))
      yield* ada.send(say("to all"))
      assert.strictEqual(yield* grace.receive, said("to the others"))
      assert.strictEqual(yield* ada.receive, said("to all"))
    }))

  test("is left with the connection, however it ends", (client) =>
    Effect.gen(function* () {
      const ada = yield* client.webSocket("/lobby/Ada")
      yield* ada.receive
      const [grace, edsger] = [yield* client.webSocket("/lobby/Grace"), yield* client.webSocket("/lobby/Edsger")]
      for (const peer of [grace, edsger]) yield* peer.receive
      yield* grace.close()
      yield* edsger.destroy
      yield* turns
      yield* ada.send(whoIsThere)
      assert.strictEqual(yield* ada.receive, here("Ada", "Ada"))
    }))

  test("is sent to from outside", (client) =>
    Effect.gen(function* () {
      const before = yield* client.post("/notify")
      assert.deepStrictEqual(yield* before.json, { count: 0 })
      const ada = yield* client.webSocket("/lobby/Ada")
      yield* ada.receive
      const response = yield* client.post("/notify")
      assert.deepStrictEqual(yield* response.json, { count: 1 })
      assert.strictEqual(yield* ada.receive, said("from outside"))
    }))

  test("tells its changes to who follows them, the last where they come fast", (client) =>
    Effect.gen(function* () {
      const watcher = yield* client.webSocket("/watch")
      assert.strictEqual(yield* watcher.receive, '[""]')
      const ada = yield* client.webSocket("/watched/Ada")
      assert.strictEqual(yield* watcher.receive, '["","Ada"]')
      yield* ada.close()
      assert.strictEqual(yield* watcher.receive, '[""]')
    }))

  test("compresses a large message for those who take it, plain for the others, once for all", (client) =>
    Effect.gen(function* () {
      const [ada, grace] = [
        yield* client.webSocket("/lobby/Ada"),
        yield* client.webSocket("/lobby/Grace", { compress: false })
      ]
      for (const peer of [ada, grace]) yield* peer.receive
      const text = "x".repeat(5000)
      yield* ada.send(say(text))
      for (const peer of [ada, grace]) assert.strictEqual(yield* peer.receive, said(text))
    }))
})

describe("a message for many", () => {
  let encoded = 0
  const counting = {
    ...WebSocket.json,
    encode: (value: unknown) => {
      encoded++
      return WebSocket.json.encode(value)
    }
  }
  const many = WebSocket.make(
    { receive: Schema.String, send: Schema.String, codec: counting },
    Effect.fnUntraced(function* (socket) {
      const room = yield* Room.join("many", socket)
      yield* Stream.runForEach(socket.messages, (text) => room.broadcast(text))
    })
  )
  const count = Effect.map(
    Effect.flatMap(Room.of("many", many), (room) => room.count),
    (n) => Response.json(n)
  )
  const crowd = App.make({ many: Route.websocket("/many", many), count: Route.get("/", count) })
  const counted = (client: Testing.Client) => Effect.flatMap(client.get("/"), ({ json }) => json)

  it.effect("is encoded once, and nothing is left of members that break off", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(crowd)
      const peers = yield* Effect.replicateEffect(client.webSocket("/many"), 300)
      assert.strictEqual(yield* counted(client), 300)
      yield* peers[0]!.send('"hello"')
      for (const peer of peers) assert.strictEqual(yield* peer.receive, '"hello"')
      assert.strictEqual(encoded, 1)
      for (const peer of peers) yield* peer.destroy
      yield* turns
      assert.strictEqual(yield* counted(client), 0)
    })
  )
})

/** Sends a thousand numbers of 10 kB each when it is told to. */
const flood = (options: Room.Options<null>, slow: WebSocket.Slow = "suspend") => {
  const member = WebSocket.make(
    {
      receive: Schema.String,
      send: Schema.String,
      codec: WebSocket.plain,
      slow,
      sendBuffer: "100 kB",
      closeTimeout: "10 seconds"
    },
    Effect.fnUntraced(function* (socket) {
      const room = yield* Room.join("flood", socket, options)
      yield* Stream.runForEach(socket.messages, (message) =>
        message === "dropped?"
          ? Effect.flatMap(socket.dropped, (count) => socket.send(`dropped ${count}`))
          : Effect.forEach(numbers, (n) => room.broadcast(`${n}`.padEnd(10_000)), { discard: true })
      )
    })
  )
  const members = Route.get(
    "/",
    Effect.map(
      Effect.flatMap(Room.of("flood", member), ({ count }) => count),
      Response.json
    )
  )
  return App.make({ member: Route.websocket("/member", member), members })
}
const numbers = Array.from({ length: 1000 }, (_, n) => n)

describe("a member that does not read", () => {
  const hold = Effect.fnUntraced(function* (client: Testing.Client) {
    const open = client.webSocket("/member", { compress: false })
    const [fast, slow] = [yield* open, yield* open]
    yield* slow.pause
    yield* fast.send("go")
    for (const n of numbers) assert.strictEqual(String(yield* fast.receive).trim(), `${n}`)
    return slow
  })
  const count = (client: Testing.Client) => Effect.flatMap(client.get("/"), ({ json }) => json)

  it.effect("holds up nobody, and is cut off", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(flood({}))
      const slow = yield* hold(client)
      assert.strictEqual(yield* count(client), 2)
      yield* TestClock.adjust("10 seconds")
      yield* turns
      assert.strictEqual(yield* count(client), 1)
      yield* slow.resume
      const { code } = yield* slow.closed
      assert.strictEqual(code, 1006)
    })
  )

  it.effect("is told why, when it reads in time", () =>
    Effect.gen(function* () {
      const slow = yield* hold(yield* Testing.client(flood({})))
      yield* slow.resume
      const { code, reason } = yield* slow.closed
      assert.deepStrictEqual([code, reason], [1008, "Messages are taken too slowly"])
      assert.isBelow(yield* slow.waiting, 1000)
    })
  )

  for (const [name, app] of [
    ["misses what finds its buffer full where the room drops", flood({ slow: "drop" })],
    ["misses the oldest where its endpoint drops them", flood({}, "dropOldest")]
  ] as const) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const client = yield* Testing.client(app)
        const slow = yield* hold(client)
        yield* slow.resume
        yield* turns
        assert.strictEqual(yield* count(client), 2)
        const waiting = yield* slow.waiting
        assert.isAbove(waiting, 0)
        assert.isBelow(waiting, 1000)
        yield* Effect.replicateEffect(slow.receive, waiting)
        yield* slow.send("dropped?")
        assert.strictEqual(yield* slow.receive, `dropped ${1000 - waiting}`)
      })
    )
  }
})

describe("the hub", () => {
  it.effect("of a server is its own", () =>
    Effect.gen(function* () {
      const [one, other] = [yield* Testing.client(app), yield* Testing.client(app)]
      yield* (yield* one.webSocket("/lobby/Ada")).receive
      assert.strictEqual(yield* (yield* other.webSocket("/lobby/Grace")).receive, here("Grace", "Grace"))
    })
  )

  it.effect("of layerMemory is that of all who have it: servers, and the rest of the program", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(Room.layerMemory)
      const [one, other] = yield* Effect.provide(Effect.all([Testing.client(app), Testing.client(app)]), context)
      const ada = yield* one.webSocket("/lobby/Ada")
      yield* ada.receive
      const grace = yield* other.webSocket("/lobby/Grace")
      assert.strictEqual(yield* grace.receive, here("Grace", "Ada", "Grace"))
      const lobby = yield* Effect.provide(Room.of("lobby", chat), context)
      yield* lobby.broadcast({ _tag: "Said", text: "by the way" })
      for (const peer of [ada, grace]) assert.strictEqual(yield* peer.receive, said("by the way"))
      const names = Stream.map(lobby.changes, (members) => members.length)
      const counts = yield* Effect.forkChild(Stream.runCollect(Stream.take(names, 2)))
      yield* turns
      yield* grace.close()
      assert.deepStrictEqual([...(yield* Fiber.join(counts))], [2, 1])
    })
  )

  it.effect("is missed with a word on the cure outside of servers", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Effect.provide(Room.of("lobby", chat), Context.empty()))
      assert.match(String(exit), /provide Room.layerMemory/)
    })
  )

  it("takes only what JSON can carry for presence, and the messages of the endpoint", () => {
    const made = WebSocket.make({ receive: Schema.String, send: Schema.Int }, (socket) =>
      Effect.gen(function* () {
        // @ts-expect-error
        yield* Room.join("lobby", socket, { presence: { since: new Date() } })
        const room = yield* Room.join("lobby", socket, { presence: { name: "Ada" } })
        expectTypeOf(room.broadcast).parameter(0).toEqualTypeOf<number>()
        expectTypeOf(room.self.presence).toEqualTypeOf<{ name: string }>()
      })
    )
    expectTypeOf(made).toExtend<WebSocket.Endpoint<string, number, never>>()
  })
})
