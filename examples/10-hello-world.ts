// Hello world: two routes with one handler, a parameter with a default, a server until Ctrl+C.
//   curl localhost:8080/        # Hello, Anonymous
//   curl localhost:8080/Ada     # Hello, Ada
import { Effect } from "effect"
import { App, Request, Response, Route, Server } from "effect-web"

const hello = Effect.gen(function* () {
  const { name = "Anonymous" } = yield* Request.params
  return Response.text(`Hello, ${name}`)
})

export const app = App.make({
  home: Route.get("/", hello),
  user: Route.get("/{name}", hello)
})

if (import.meta.main) Server.run(app)
