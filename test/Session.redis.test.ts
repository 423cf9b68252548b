/**
 * Sessions of several servers in one Redis.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Session from "../src/Session.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as RedisServer from "./redisServer.ts"

class Visit extends Session.Service<Visit>()("Visit", {
  fields: { count: Schema.Int },
  empty: { count: 0 },
  identity: Schema.String
}) {}

const app = App.make({
  count: Route.get(
    "/count",
    Effect.gen(function* () {
      const visit = yield* Visit
      yield* visit.update(({ count }) => ({ count: count + 1 }))
      // Long enough for the others to read what is there now.
      yield* Effect.sleep("20 millis")
      return Response.text(String((yield* visit.get).count))
    })
  ),
  login: Route.get(
    "/login",
    Effect.flatMap(Visit, (visit) => Effect.as(visit.rotate("ada"), Response.text("hello")))
  ),
  logout: Route.get(
    "/logout",
    Effect.flatMap(Visit, (visit) => Effect.as(visit.invalidate, Response.text("bye")))
  )
}).pipe(App.use(Session.make(Visit, { store: RecordStore.redis({ prefix: "test:" }) })))

/** A process: a server with connections of its own. */
const start = (path: string) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(NodeRedis.layer({ socket: { path, tls: false }, disableOfflineQueue: true }))
    const client = yield* Effect.provide(Testing.client(app), context)
    return { client, redis: Context.get(context, Redis.Redis) }
  }).pipe(Effect.orDie)

describe.runIf(RedisServer.isInstalled)("with redis-server", () => {
  it.live("two servers have one session, and lose no update of it", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make
      const [one, other] = [yield* start(server.path), yield* start(server.path)]
      yield* one.client.get("/count")
      yield* Ref.set(other.client.cookies, yield* Ref.get(one.client.cookies))
      const both = [one.client, other.client]
      yield* Effect.forEach(Array.from({ length: 20 }), (_, n) => both[n % 2]!.get("/count"), { concurrency: 20 })
      assert.strictEqual(yield* (yield* other.client.get("/count")).text, "22")
    })
  )

  it.live("a logout on one is a logout on the other; nothing is left in Redis", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make
      const [one, other] = [yield* start(server.path), yield* start(server.path)]
      yield* one.client.get("/login")
      const [cookie] = yield* Ref.get(one.client.cookies)
      const [key, ...others] = (yield* one.redis.send("KEYS", "*")) as ReadonlyArray<string>
      assert.deepStrictEqual(others, [])
      assert.match(key ?? "", /session:Visit:[\w-]{43}$/)
      assert.notInclude(key, cookie?.value)
      const left = Number(yield* one.redis.send("PTTL", key ?? ""))
      assert.isTrue(left > 7_190_000 && left <= 7_200_000)
      yield* Ref.set(other.client.cookies, yield* Ref.get(one.client.cookies))
      yield* other.client.get("/logout")
      assert.deepStrictEqual(yield* one.redis.send("KEYS", "*"), [])
    })
  )

  it.live("Redis that is down is a 503 where the session is asked for, and works again when it is back", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make
      const { client } = yield* start(server.path)
      yield* client.get("/count")
      yield* server.kill
      assert.strictEqual((yield* client.get("/count")).status, 503)
      yield* server.start
      const again = Effect.flatMap(client.get("/count"), ({ status }) =>
        status === 200 ? Effect.void : Effect.fail("not yet")
      )
      yield* Effect.retry(again, { times: 100, schedule: Schedule.spaced("20 millis") })
    })
  )
})
