// Overload: as many requests at a time as are good for the latency; the rest get 503 at once, the least important first, health never.
//   curl localhost:8080/                      # welcome
//   curl -i localhost:8080/export             # 200 and exported
//   curl -i localhost:8080/health/ready       # 200 and "status":"pass"
//   curl localhost:8080/priorities            # export: sheddable and health.live: critical
import { Effect } from "effect"
import { App, Health, Overload, RateLimit, Response, Route, Server } from "effect-web"

const routes = {
  home: Route.get("/", Response.text("welcome")),
  // Who waits for it can come again.
  export: Route.get("/export", Effect.as(Effect.sleep("10 millis"), Response.text("exported"))).pipe(
    Route.priority("sheddable")
  ),
  // Money is earned here.
  order: Route.post("/order", Effect.as(Effect.sleep("10 millis"), Response.text("ordered"))).pipe(
    Route.priority("high")
  ),
  health: Route.mount("/health", Health.make()) // critical by itself: never refused
}

const overload = Overload.make({
  minLimit: 4,
  maxLimit: 200,
  // Who floods waits behind the others, not they behind him.
  key: RateLimit.byAddress,
  // What comes while the event loop is that late is refused before it runs.
  eventLoopDelay: "200 millis"
})

const listing = App.routes(App.make(routes)).map(({ name, policies }) => `${name}: ${policies.priority ?? "normal"}`)

export const app = App.make({
  ...routes,
  priorities: Route.get("/priorities", Response.text(listing.join("\n")))
}).pipe(App.use(overload))

if (import.meta.main) Server.run(app, { accessLog: true }) // the outcome of who was refused is "shed"
