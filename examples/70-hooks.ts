// What runs when the server starts and stops, and when a request has ended.
//   curl localhost:8080/       # 3 words
//   curl localhost:8080/count  # requests:
import { Effect } from "effect"
import { App, Response, Route, Server } from "effect-web"

const words: Array<string> = []
let requests = 0

const load = Effect.acquireRelease(
  Effect.sync(() => words.push("one", "two", "three")),
  () => Effect.sync(() => words.splice(0))
)

export const app = App.make({
  home: Route.get(
    "/",
    Effect.sync(() => Response.text(`${words.length} words`))
  ),
  count: Route.get(
    "/count",
    Effect.sync(() => Response.text(`requests: ${requests}`))
  )
}).pipe(
  App.onStart(load), // before it listens; released when it has stopped
  App.onDrain(Effect.log("leaving the registry")), // the listeners are still open
  App.onStop(Effect.log("nothing is under way any more")),
  App.onOutcome(({ result }) => Effect.sync(() => (requests += result === "completed" ? 1 : 0)))
)

if (import.meta.main) Server.run(app)
