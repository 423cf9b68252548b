// A described route: what it takes and gives is declared by schemas, so the handler gets values and returns a value.
//   curl -i --json '{"name":"Ada","email":"ada@example.com"}' localhost:8080/users   # 201 and location: /users/1 and "id":1
//   curl -i --json '{"name":"Bob","email":"taken@example.com"}' localhost:8080/users # 409 and "_tag":"EmailTaken"
//   curl -i --json '{"name":"","email":"x"}' localhost:8080/users                     # 422 and "path":["name"]
//   curl 'localhost:8080/users/1?upper=true'                                         # {"id":1,"name":"ADA"}
//   curl -i 'localhost:8080/users/1?upper=maybe'                                     # 400 and "in":"query"
//   curl -i localhost:8080/users/x                                                   # 400 and "in":"params"
//   curl -i -X DELETE localhost:8080/users/1                                         # 204
import { Effect, Schema } from "effect"
import { App, Body, HttpError, Response, Route, Server } from "effect-web"

const NewUser = Schema.Struct({ name: Schema.NonEmptyString, email: Schema.String })
const User = Schema.Struct({ id: Schema.Int, name: Schema.String })

// What comes from the wire is text: numbers and booleans are read from it.
const params = Schema.Struct({ id: Schema.Int })

class EmailTaken extends HttpError.define<EmailTaken>()("EmailTaken", { status: 409 }, { email: Schema.String }) {}

const create = Route.post(
  "/users",
  {
    summary: "Creates a user",
    body: Body.json(NewUser, { limit: "64 kB" }),
    success: Response.schema(User, { status: 201, headers: (user) => ({ location: `/users/${user.id}` }) }),
    errors: [EmailTaken]
  },
  Effect.fnUntraced(function* ({ body: { email, name } }) {
    if (email === "taken@example.com") return yield* new EmailTaken({ email })
    return { id: 1, name }
  })
)

const show = Route.get(
  "/users/{id}",
  { params, query: Schema.Struct({ upper: Schema.optionalKey(Schema.Boolean) }), success: Response.schema(User) },
  ({ params, query }) => Effect.succeed({ id: params.id, name: query.upper ? "ADA" : "Ada" })
)

const remove = Route.delete(
  "/users/{id}",
  { params, success: Response.schema(Schema.Void, { status: 204 }) },
  ({ params }) => Effect.log(`removed ${params.id}`)
)

export const app = App.make({ create, show, remove })

if (import.meta.main) Server.run(app)
