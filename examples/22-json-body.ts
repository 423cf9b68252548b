// A JSON body, decoded by a schema where it is needed. The ways it can fail are typed, and each has its status.
//   curl --json '{"login":"ada","password":"secret"}' localhost:8080/login       # Welcome, ada
//   curl -i --json '{"login":"ada"' localhost:8080/login                       # 400 and The JSON ends too early
//   curl -i --json '{"login":"ada"}' localhost:8080/login                      # 422 and "path":["password"]
//   curl -i -d 'login=ada' localhost:8080/login                                # 415
//   curl --json '{"login":"ada"}' localhost:8080/echo                          # {"login":"ada"}
import { Effect, Schema } from "effect"
import { App, Body, Response, Route, Server } from "effect-web"

const Login = Schema.Struct({ login: Schema.String, password: Schema.Redacted(Schema.String) })

const login = Effect.gen(function* () {
  const { login } = yield* Body.json(Login)
  return Response.text(`Welcome, ${login}`)
})

const echo = Effect.map(Body.json(Schema.Unknown), (value) => Response.json(value))

export const app = App.make({
  login: Route.post("/login", login),
  echo: Route.post("/echo", echo)
})

if (import.meta.main) Server.run(app)
