// Request ids: on the answer, on each line that is logged for the request, in error pages, and on requests that it makes itself.
//   curl -i localhost:8080/                            # 200 and x-request-id: and hello
//   curl -i localhost:8080/bug                         # 500 and x-request-id: and "requestId"
//   curl -i -H 'X-Request-Id: mine' localhost:8080/id  # x-request-id: mine
import { Effect, Layer, Logger } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { AccessLog, App, RequestId, Response, Route, Server } from "effect-web"

const hello = Effect.gen(function* () {
  yield* Effect.log("somebody says hello")
  return Response.text("hello")
})

// What asks this client sends x-request-id on.
export const client = Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, RequestId.propagate)).pipe(
  Layer.provide(FetchHttpClient.layer)
)

// The ids of clients are taken here; behind a proxy give a check of who sent it.
export const app = App.make({
  hello: Route.get("/", hello),
  id: Route.get(
    "/id",
    Effect.map(RequestId.current, (id) => Response.text(`You are ${id}`))
  ),
  bug: Route.get("/bug", Effect.die(new Error("A bug, which the client does not see")))
}).pipe(App.use(AccessLog.make()), App.use(RequestId.make({ accept: true })))

export const logging = Logger.layer([Logger.consoleJson])

if (import.meta.main) Server.layer(app).pipe(Layer.provide(logging), Server.launch())
