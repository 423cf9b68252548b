// Error responses: typed failures that know their status. `text` is for the client, `cause` for the log only.
//   curl -i localhost:8080/broken                       # 500 and Something failed
//   curl -i localhost:8080/users/7                      # 404 and "_tag":"UserNotFound" and "id":7
//   curl -i localhost:8080/users/x                      # 400 and A user has a number
//   curl -i -H 'Accept: text/html' localhost:8080/nope  # 404 and <h1>
//   curl -i -X DELETE localhost:8080/broken             # 405 and allow: GET, HEAD, OPTIONS
import { Effect, Schema } from "effect"
import { App, HttpError, Response, Route, Server } from "effect-web"

// A domain error that knows its response; its fields become members of the body.
class UserNotFound extends HttpError.define<UserNotFound>()("UserNotFound", { status: 404 }, { id: Schema.Number }) {}

const users: ReadonlyMap<number, string> = new Map([[1, "Ada"]])

const findUser = Effect.fnUntraced(function* (id: number) {
  const name = users.get(id)
  return name ?? (yield* new UserNotFound({ id }))
})

const broken = Effect.gen(function* () {
  const cause = new Error("connection refused, and nobody outside needs to know")
  return yield* new HttpError.InternalServerError({ text: "Something failed", cause })
})

export const app = App.make({
  broken: Route.get("/broken", broken),
  user: Route.get(
    "/users/{id}",
    Effect.fnUntraced(function* ({ params }) {
      if (!/^\d+$/.test(params.id)) return yield* new HttpError.BadRequest({ text: "A user has a number" })
      return Response.text(yield* findUser(Number(params.id)))
    })
  )
})

if (import.meta.main) Server.run(app)
