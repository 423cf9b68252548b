// Timeouts: what takes too long is interrupted, all of it, and answered with 503; the time that is left is known to what is called.
//   curl -i localhost:8080/report                                  # 503 and The answer took too long
//   curl localhost:8080/forecast                                   # Yesterday's forecast
//   curl localhost:8080/left                                       # 10 seconds left
//   curl -H 'X-Request-Timeout-Ms: 1500' localhost:8080/left       # 2 seconds left
//   curl -i -H 'X-Request-Timeout-Ms: 0' localhost:8080/left       # 503
import { Duration, Effect } from "effect"
import { App, Deadline, Response, Route, Server } from "effect-web"

const query = Effect.as(Effect.sleep("1 minute"), "A new forecast").pipe(
  Effect.onInterrupt(() => Effect.log("the query was cancelled"))
)

// Two seconds before the time is over there is still something to say.
const forecast = Deadline.within(query, { reserve: "2 seconds" }).pipe(
  Effect.catchTag("DeadlineExceeded", () => Effect.succeed("Yesterday's forecast")),
  Effect.map((text) => Response.text(text))
)

const left = Effect.map(Deadline.remaining, (left) =>
  Response.text(left === undefined ? "No limit" : `${Math.ceil(Duration.toSeconds(left))} seconds left`)
)

// Ten seconds for every route, and less where a route or the request says so.
export const app = App.make({
  report: Route.get("/report", Effect.as(query, Response.text("A report"))).pipe(Route.timeout("2 seconds")),
  forecast: Route.get("/forecast", forecast),
  left: Route.get("/left", left)
}).pipe(App.policy(Route.timeout("10 seconds")), App.use(Deadline.accept()))

if (import.meta.main) Server.run(app)
