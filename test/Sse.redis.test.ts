/**
 * Channels that processes share through Redis: a client goes on at another process where it was.
 *
 * Each app here has a channel of its own, as a process would.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as App from "../src/App.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sse from "../src/Sse.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as RedisServer from "./redisServer.ts"
import * as Seeded from "./seeded.ts"
import { recorder, turns, until } from "./server/both.ts"
import { connect } from "./sseClient.ts"

const Note = Schema.TaggedStruct("Note", { n: Schema.Int })
class Notes extends Context.Service<Notes, Sse.Channel<typeof Note.Type>>()("test/Notes") {}

const app = App.make({
  events: Route.get(
    "/events",
    Effect.map(
      Effect.flatMap(Notes, (notes) => notes.subscribe),
      (events) => Sse.response(events)
    )
  ),
  publish: Route.post("/events/{n}", ({ params }) =>
    Effect.map(
      Effect.flatMap(Notes, (notes) => notes.publish({ _tag: "Note", n: Number(params.n) })),
      (id) => Response.text(id)
    )
  )
})

interface Process {
  readonly client: Testing.Client
  /** Publishes the numbers, one after the other; gives the ids. */
  readonly publish: (...all: ReadonlyArray<number>) => Effect.Effect<ReadonlyArray<string>>
  readonly redis: Redis.Redis["Service"]
}

const start = (path: string, replay = 1000): Effect.Effect<Process, never, Scope.Scope> =>
  Effect.gen(function* () {
    const layer = Layer.effect(Notes, Sse.channelRedis({ schema: Note, key: "notes", replay }))
    const context = yield* Layer.build(
      Layer.provideMerge(layer, NodeRedis.layer({ socket: { path, tls: false }, disableOfflineQueue: true }))
    )
    const client = yield* Effect.provide(Testing.client(app), context)
    const { publish } = Context.get(context, Notes)
    return {
      client,
      publish: (...all: ReadonlyArray<number>) =>
        Effect.orDie(Effect.forEach(all, (n) => publish({ _tag: "Note", n }))),
      redis: Context.get(context, Redis.Redis)
    }
  }).pipe(Effect.orDie)

const numbers = (events: ReadonlyArray<{ readonly event: string; readonly data: string }>) =>
  events.map(({ data, event }) => (event === "Note" ? JSON.parse(data).n : event))

describe.runIf(RedisServer.isInstalled)("with redis-server", () => {
  it.live("what one process publishes comes to the clients of all, with the same ids", () =>
    Effect.gen(function* () {
      const { path } = yield* RedisServer.make
      const [one, other] = [yield* start(path), yield* start(path)]
      const here = yield* connect(one.client, "/events")
      const there = yield* connect(other.client, "/events")
      const ids = [...(yield* one.publish(1, 2)), ...(yield* other.publish(3))]
      for (const connection of [here, there]) {
        const events = yield* connection.count(3)
        assert.deepStrictEqual(numbers(events), [1, 2, 3])
        assert.deepStrictEqual(
          events.map(({ id }) => id),
          ids
        )
      }
    }).pipe(Effect.scoped)
  )

  it.live("a client that comes again at another process, even one that starts later, misses none", () =>
    Effect.gen(function* () {
      const { path } = yield* RedisServer.make
      const one = yield* start(path)
      const before = yield* connect(one.client, "/events")
      yield* one.publish(1)
      const first = yield* connect(one.client, "/events")
      yield* one.publish(2)
      assert.deepStrictEqual(numbers(yield* first.count(1)), [2])
      first.leave()
      yield* one.publish(3, 4)
      const later = yield* start(path)
      const second = yield* connect(later.client, "/events", first.lastEventId())
      assert.deepStrictEqual(numbers(yield* second.count(2)), [3, 4])
      // Its id is that of a channel in which nothing was published.
      assert.deepStrictEqual(numbers(yield* before.count(4)), [1, 2, 3, 4])
      const whole = yield* connect(later.client, "/events", "0-0")
      assert.deepStrictEqual(numbers(yield* whole.count(4)), [1, 2, 3, 4])
    }).pipe(Effect.scoped)
  )

  it.live("as many events are kept as it is told, in Redis too, and a client that missed more is told", () =>
    Effect.gen(function* () {
      const { path } = yield* RedisServer.make
      const one = yield* start(path, 3)
      const ids = yield* one.publish(0, 1, 2, 3, 4)
      const later = yield* start(path, 3)
      for (const { client } of [one, later]) {
        const whole = yield* connect(client, "/events", ids[1])
        assert.deepStrictEqual(numbers(yield* whole.count(3)), [2, 3, 4])
        for (const id of [ids[0], "0-0", "x", "99999999999999-0"]) {
          const gap = yield* connect(client, "/events", id)
          assert.deepStrictEqual(numbers(yield* gap.count(4)), ["reset", 2, 3, 4])
        }
      }
      assert.strictEqual(yield* one.redis.send("XLEN", "notes"), 4)
    }).pipe(Effect.scoped)
  )

  it.live("an id that a process has not heard of yet is looked for in Redis", () =>
    Effect.gen(function* () {
      const { path } = yield* RedisServer.make
      const one = yield* start(path)
      yield* one.publish(1)
      const add = (n: number) =>
        one.redis.send<string>("XADD", "notes", "*", "data", `{"_tag":"Note","n":${n}}`, "event", "Note")
      const id = yield* add(2)
      yield* add(3)
      const connection = yield* connect(one.client, "/events", id)
      yield* one.publish(4)
      assert.deepStrictEqual(numbers(yield* connection.count(2)), [3, 4])
    }).pipe(Effect.scoped)
  )

  it.live("while processes publish and clients go from one to another, each gets every event once and in order", () =>
    Effect.gen(function* () {
      const { path } = yield* RedisServer.make
      const { below, chance } = Seeded.make(5)
      const processes = [yield* start(path), yield* start(path), yield* start(path)]
      const total = 300
      const order: Array<string> = []
      const publishing = yield* Effect.forkScoped(
        Effect.forEach(
          Array.from({ length: total }, (_, n) => n),
          (n) =>
            Effect.gen(function* () {
              const [id] = yield* processes[below(3)]!.publish(n)
              order.push(id!)
              if (chance(0.2)) yield* turns
            })
        )
      )
      const follow = Effect.gen(function* () {
        const seen: Array<string | undefined> = []
        let id = "0-0"
        while (seen.length < total) {
          const connection = yield* connect(processes[below(3)]!.client, "/events", id)
          yield* connection.count(Math.min(1 + below(30), total - seen.length))
          connection.leave()
          seen.push(...connection.events.map((event) => event.id))
          id = connection.lastEventId()
        }
        return seen
      })
      const all = yield* Effect.all(
        Array.from({ length: 4 }, () => follow),
        { concurrency: "unbounded" }
      )
      yield* Fiber.join(publishing)
      for (const seen of all) assert.deepStrictEqual(seen, order)
    }).pipe(Effect.scoped)
  )

  it.live(
    "when Redis is away publishing is a 503; when it comes back without its data, clients are told and go on",
    () => {
      const { layer, logs } = recorder()
      return Effect.gen(function* () {
        const server = yield* RedisServer.make
        const one = yield* start(server.path)
        const connection = yield* connect(one.client, "/events")
        yield* one.publish(1)
        yield* connection.count(1)
        yield* server.kill
        yield* until(() => logs.some((line) => line.includes("NodeRedis")))
        const response = yield* one.client.post("/events/2")
        assert.strictEqual(response.status, 503)
        assert.notInclude(yield* response.text, "redis")
        assert.isFalse(connection.isOver())
        // It knows its place without Redis.
        const again = yield* connect(one.client, "/events", connection.lastEventId())
        yield* server.start
        yield* Effect.eventually(
          Effect.flatMap(one.client.post("/events/3"), (response) =>
            response.status === 200 ? Effect.void : Effect.andThen(turns, Effect.fail("not yet"))
          )
        )
        for (const { count } of [connection, again]) {
          const events = yield* count(2)
          assert.deepStrictEqual(numbers(events).slice(-2), ["reset", 3])
        }
      }).pipe(Effect.scoped, Effect.provide(layer))
    }
  )

  it.live("what others have written there is sent as it is, and cannot break out of its field", () =>
    Effect.gen(function* () {
      const { path } = yield* RedisServer.make
      const one = yield* start(path)
      const connection = yield* connect(one.client, "/events")
      yield* one.redis.send("XADD", "notes", "*", "data", "a\r\nevent: x", "event", "Note\ndata: y")
      yield* one.redis.send("XADD", "notes", "*", "other", "b")
      yield* one.publish(1)
      const events = yield* connection.count(3)
      assert.deepStrictEqual(
        events.slice(0, 2).map(({ data, event }) => [event, data]),
        [
          ["message", "a\nevent: x"],
          ["message", "b"]
        ]
      )
    }).pipe(Effect.scoped)
  )
})

it.live("without Redis a channel does not start", () =>
  Effect.gen(function* () {
    const layer = Layer.effect(Notes, Sse.channelRedis({ schema: Note, key: "notes" }))
    const redis = NodeRedis.layer({ socket: { path: "/nonexistent/redis.sock", tls: false } })
    const error = yield* Effect.flip(Layer.build(Layer.provide(layer, redis)))
    assert.strictEqual(error._tag, "RedisError")
  }).pipe(Effect.scoped)
)
