// Logging: the lines that a handler logs carry the id of their request; failures of 500 and above are logged. As JSON lines.
//   curl -i localhost:8080/            # x-request-id: and hello
//   curl -i localhost:8080/bug         # 500 and x-request-id:
import { Effect, Layer, Logger } from "effect"
import { App, Handler, Middleware, Response, Route, Server } from "effect-web"

const requestId: Middleware.Middleware = (handler) =>
  Effect.flatMap(
    Effect.sync(() => crypto.randomUUID()),
    (id) =>
      handler.pipe(
        Handler.use(Middleware.onResponse(Response.setHeader("x-request-id", id))),
        Effect.annotateLogs("request", id)
      )
  )

const hello = Effect.gen(function* () {
  yield* Effect.log("somebody says hello")
  return Response.text("hello")
})

export const app = App.make({
  hello: Route.get("/", hello),
  bug: Route.get("/bug", Effect.die(new Error("A bug, which the client does not see")))
}).pipe(App.use(requestId))

export const logging = Logger.layer([Logger.consoleJson])

if (import.meta.main) Server.layer(app).pipe(Layer.provide(logging), Server.launch())
