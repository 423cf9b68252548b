// Many processes, on one machine or on many: sessions are in sealed cookies, limits and rooms in Redis. Only the layers say so.
//   curl -i -b in -c in localhost:8080/   # 200 and visit 1 and ratelimit: "site";r=99
//   curl -i -b in -c in localhost:8080/   # visit 2 and ratelimit: "site";r=98
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { Effect, Layer, Schema } from "effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { App, RateLimit, Response, Room, Route, Sealed, Server, Session } from "effect-web"

class Visits extends Session.Service<Visits>()("Visits", {
  fields: { count: Schema.Int },
  empty: { count: 0 }
}) {}

const home = Effect.gen(function* () {
  const { count } = yield* (yield* Visits).update(({ count }) => ({ count: count + 1 }))
  return Response.text(`visit ${count}`)
})

// All processes have the same keys, and the same Redis. A session that has to end everywhere at a logout is in RecordStore.redis().
const keys = Sealed.keys(process.env.APP_KEYS ?? "an example, and therefore no secret")

export const app = App.make({ home: Route.get("/", home) }).pipe(
  App.use(Session.make(Visits, { store: Session.cookie({ keys }) })),
  App.use(RateLimit.make({ limit: 100, window: "1 minute", name: "site", limiter: RateLimiter.RateLimiter }))
)

// One process alone, as in a test.
export const layer = RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))

const redis = NodeRedis.layer({ url: process.env.REDIS_URL ?? "redis://localhost:6379", disableOfflineQueue: true })
const limiter = RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreRedis()))
const shared = Layer.provide(Layer.mergeAll(limiter, Room.layerRedis()), redis)

if (import.meta.main) Server.layer(app).pipe(Layer.provide(shared), Server.launch())
