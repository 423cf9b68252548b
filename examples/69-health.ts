// Liveness and readiness from named checks. While the server stops it is not ready, and goes on answering for drainDelay.
//   curl -i localhost:8080/health/live   # 200 and "status":"pass"
//   curl -i localhost:8080/health/ready  # 200 and no-store and "db" and "warn"
//   curl localhost:8080/                 # hello
import { Effect } from "effect"
import { App, Health, Response, Route, Server } from "effect-web"

// In place of a query: SELECT 1.
const query = Effect.sleep("5 millis")
const ping = Effect.fail("the cache does not answer")

const health = Health.make({
  checks: {
    db: { check: query, timeout: "500 millis" },
    // Without it the app is slow, but of use.
    cache: { check: ping, critical: false }
  }
})

export const app = App.make({
  home: Route.get("/", Response.text("hello")),
  health: Route.mount("/health", health)
})

// As long as the load balancer takes to see that it is not ready.
if (import.meta.main) Server.run(app, { drainDelay: "5 seconds" })
