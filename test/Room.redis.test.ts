/**
 * Rooms that several servers share through Redis. Each client here has a server and connections to Redis of its own, as a process would.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Request from "../src/Request.ts"
import * as Room from "../src/Room.ts"
import * as Route from "../src/Route.ts"
import * as Testing from "../src/testing/Testing.ts"
import type { Peer } from "../src/testing/WebSocketClient.ts"
import * as WebSocket from "../src/WebSocket.ts"
import * as RedisServer from "./redisServer.ts"
import { recorder } from "./server/both.ts"

const member = WebSocket.make(
  {
    receive: Schema.Union([Schema.String, Schema.Uint8Array]),
    send: Schema.Union([Schema.String, Schema.Uint8Array]),
    codec: WebSocket.plain
  },
  Effect.fnUntraced(function* (socket) {
    const { name = "" } = yield* Request.params
    const room = yield* Room.join("the\nlobby\u2028", socket, { presence: { name } })
    const names = Stream.map(room.changes, (members) => members.map(({ presence }) => presence.name).toSorted())
    yield* Effect.forkScoped(Stream.runForEach(names, (all) => socket.send(`here: ${all.join(" ")}`)))
    yield* Stream.runForEach(socket.messages, (message) =>
      message === "others" ? room.broadcast(`not to ${name}`, { except: room.self }) : room.broadcast(message)
    )
  })
)
const app = App.make({ member: Route.websocket("/{name}", member) })

interface Process {
  readonly join: (name: string) => Effect.Effect<Peer, never, Scope.Scope>
  readonly redis: Redis.Redis["Service"]
  readonly node: NodeRedis.NodeRedis["Service"]
}

/** A server; its rooms need no other code than in memory. */
const start = (path: string, expiry = "600 millis" as const) =>
  Effect.gen(function* () {
    const layer = Layer.provideMerge(
      Room.layerRedis({ expiry }),
      NodeRedis.layer({ socket: { path, tls: false }, disableOfflineQueue: true })
    )
    const context = yield* Layer.build(layer)
    const client = yield* Effect.provide(Testing.client(app), context)
    return {
      join: (name: string) => Effect.orDie(client.webSocket(`/${name}`)),
      redis: Context.get(context, Redis.Redis),
      node: Context.get(context, NodeRedis.NodeRedis)
    } satisfies Process
  }).pipe(Effect.orDie)

/** Reads on until the message is there; gives what came before. */
const until = Effect.fnUntraced(function* (peer: Peer, wanted: string) {
  const before: Array<string> = []
  for (;;) {
    const message = String(yield* peer.receive)
    if (message === wanted) return before
    before.push(message)
  }
})
const said = (messages: ReadonlyArray<string>) => messages.filter((message) => !message.startsWith("here: "))

describe.runIf(RedisServer.isInstalled)("with redis-server", () => {
  it.live("members of two servers are in one room: each message comes to each once, in order", () =>
    Effect.gen(function* () {
      const { path } = yield* RedisServer.make
      const [one, other] = [yield* start(path), yield* start(path)]
      const [ada, grace] = [yield* one.join("ada"), yield* one.join("grace")]
      const edsger = yield* other.join("edsger")
      for (const peer of [ada, grace, edsger]) yield* until(peer, "here: ada edsger grace")
      const all = Array.from({ length: 100 }, (_, n) => `${n}\n${"x".repeat(n * 50)}`)
      for (const text of all) yield* ada.send(text)
      yield* ada.send("others")
      yield* ada.send("end")
      for (const peer of [grace, edsger]) {
        assert.deepStrictEqual(said(yield* until(peer, "end")), [...all, "not to ada"])
      }
      assert.deepStrictEqual(said(yield* until(ada, "end")), all)
      yield* edsger.send(new Uint8Array([0, 255, 10]))
      for (const peer of [ada, grace, edsger])
        assert.deepStrictEqual([...Buffer.from(yield* peer.receive)], [0, 255, 10])
    })
  )

  it.live("who leaves is gone everywhere, and nothing is left behind in Redis", () =>
    Effect.gen(function* () {
      const { path } = yield* RedisServer.make
      const [one, other] = [yield* start(path), yield* start(path)]
      const [ada, edsger] = [yield* one.join("ada"), yield* other.join("edsger")]
      yield* until(ada, "here: ada edsger")
      yield* edsger.close()
      yield* until(ada, "here: ada")
      yield* ada.close()
      const keys = Effect.flatMap(one.redis.send<ReadonlyArray<string>>("KEYS", "*"), (keys) =>
        keys.length === 0 ? Effect.void : Effect.fail(keys)
      )
      yield* Effect.retry(keys, { times: 100, schedule: pause })
    })
  )

  it.live(
    "the members of a server that stops are gone at once, those of one that was killed when it gave no sign of life",
    () =>
      Effect.gen(function* () {
        const { path } = yield* RedisServer.make
        const one = yield* start(path)
        const ada = yield* one.join("ada")
        const scope = yield* Scope.make()
        const stopped = yield* Scope.provide(start(path, "600 millis"), scope)
        yield* Scope.provide(stopped.join("grace"), scope)
        yield* until(ada, "here: ada grace")
        yield* Scope.close(scope, Exit.void)
        yield* until(ada, "here: ada")
        const killed = yield* start(path)
        yield* killed.join("edsger")
        yield* until(ada, "here: ada edsger")
        // It is not heard any more: as good as killed.
        yield* Effect.sync(() => killed.node.client.destroy())
        yield* until(ada, "here: ada")
      })
  )

  it.live("when Redis is gone rooms go on within each server, and come together again with it", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const server = yield* RedisServer.make
      const [one, other] = [yield* start(server.path), yield* start(server.path)]
      const [ada, grace] = [yield* one.join("ada"), yield* one.join("grace")]
      const edsger = yield* other.join("edsger")
      for (const peer of [ada, grace, edsger]) yield* until(peer, "here: ada edsger grace")
      yield* server.kill
      yield* ada.send("alone")
      for (const peer of [ada, grace]) yield* until(peer, "alone")
      const late = yield* other.join("late")
      yield* until(late, "here: ada edsger grace late")
      assert.include(logs.join("\n"), "Redis cannot be reached")
      yield* server.start
      for (const peer of [ada, grace]) yield* until(peer, "here: ada edsger grace late")
      yield* ada.send("together")
      for (const peer of [grace, edsger, late]) yield* until(peer, "together")
      assert.include(logs.join("\n"), "Redis can be reached again")
    }).pipe(Effect.provide(layer))
  })

  it.live("no Redis is a typed failure of the layer", () =>
    Effect.gen(function* () {
      const failing = { send: () => fail, eval: () => () => fail, subscribe: () => Effect.never, reserve: fail }
      const exit = yield* Effect.exit(
        Effect.provide(Layer.build(Room.layerRedis()), Layer.succeed(Redis.Redis, failing))
      )
      assert.deepStrictEqual(exit, Exit.fail(gone))
    })
  )
})

const pause = Schedule.spaced("20 millis")
const gone = new Redis.RedisError({ cause: "gone" })
const fail = Effect.fail(gone)
