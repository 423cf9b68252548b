// Two servers in one program: what is for everybody, and on another port, for this machine alone, what is for who runs it.
//   curl localhost:8080/         # sold 1
//   curl localhost:8080/         # sold 2
//   curl -i localhost:8080/sales # 404
// On the other port: curl localhost:8081/sales
import { Context, Effect, Layer, Ref } from "effect"
import { App, Health, Response, Route, Server } from "effect-web"

class Sales extends Context.Service<Sales, Ref.Ref<number>>()("app/Sales") {
  static readonly layer = Layer.effect(Sales, Ref.make(0))
}

const sell = Effect.gen(function* () {
  const count = yield* Ref.updateAndGet(yield* Sales, (n) => n + 1)
  return Response.text(`sold ${count}`)
})
const report = Effect.gen(function* () {
  return Response.json({ sold: yield* Ref.get(yield* Sales) })
})

export const app = App.make({ shop: Route.get("/", sell) })
const admin = App.make({
  sales: Route.get("/sales", report),
  health: Route.mount("/health", Health.make({ checks: {} }))
})

export const layer = Sales.layer

// Both have the same sales. The shop is started last and stops first, so that readiness is told until its end.
const both = Server.layer(app, { port: 8080 }).pipe(
  Layer.provide(Server.layer(admin, { host: "127.0.0.1", port: 8081 })),
  Layer.provide(layer)
)

if (import.meta.main) both.pipe(Server.launch())
