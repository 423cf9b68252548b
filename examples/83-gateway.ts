// A gateway: two servers behind one name, asked in turn. One that fails is left alone for a while; a check says when it is back.
//   curl -i localhost:8080/health/ready    # 200
//   curl localhost:8080/                   # hello from
//   curl -i localhost:8080/slow            # 504
import { Effect, Layer } from "effect"
import { App, Health, Proxy, Response, Route, Server } from "effect-web"

// In the same program here; elsewhere they are two machines.
const server = (name: string, port: number) =>
  Server.layer(
    App.make({
      hello: Route.get("/", Response.text(`hello from ${name}`)),
      slow: Route.get("/slow", Effect.never),
      live: Route.get("/live", Response.text("yes"))
    }),
    { host: "127.0.0.1", port, shutdownTimeout: 0 }
  )
export const layer = Layer.orDie(Layer.mergeAll(Layer.fresh(server("one", 9831)), Layer.fresh(server("two", 9832))))

const upstream = Proxy.make({
  upstream: ["http://127.0.0.1:9831", "http://127.0.0.1:9832"],
  check: { path: "/live" },
  timeouts: { response: "500 millis" }
})

export const app = App.make({
  health: Route.mount("/health", Health.make({ checks: {} })),
  rest: Route.any("/{path:.*}", upstream)
})

if (import.meta.main) Server.layer(app, { drainDelay: "5 seconds" }).pipe(Layer.provide(layer), Server.launch())
