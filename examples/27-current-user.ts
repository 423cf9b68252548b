// A middleware that provides a service: handlers ask for the current user, and only authenticated requests reach them.
//   curl -i localhost:8080/me                                      # 401 and www-authenticate: Bearer
//   curl -i -H 'Authorization: Bearer wrong' localhost:8080/me     # 401 and This token is not known
//   curl -H 'Authorization: Bearer t-ada' localhost:8080/me        # Hello, Ada
//   curl localhost:8080/                                           # anyone
import { Context, Effect } from "effect"
import { App, HttpError, Middleware, Request, Response, Route, Server } from "effect-web"

class CurrentUser extends Context.Service<CurrentUser, { readonly name: string }>()("app/CurrentUser") {}

const users: ReadonlyMap<string, string> = new Map([["t-ada", "Ada"]])

const authenticate = Effect.gen(function* () {
  const authorization = (yield* Request.header("authorization")) ?? ""
  const [, token] = /^Bearer (.+)$/i.exec(authorization) ?? []
  if (token === undefined) return yield* new HttpError.Unauthorized({ challenges: ["Bearer"] })
  const name = users.get(token)
  if (name !== undefined) return { name }
  const challenges = [`Bearer error="invalid_token"`]
  return yield* new HttpError.Unauthorized({ challenges, text: "This token is not known" })
})

const authenticated = Middleware.provide(CurrentUser, authenticate, { errors: [HttpError.Unauthorized] })

const me = Effect.gen(function* () {
  const user = yield* CurrentUser
  return Response.text(`Hello, ${user.name}`)
})

// Without `Route.use(authenticated)` this would not compile: "app/CurrentUser is missing".
export const app = App.make({
  home: Route.get("/", Response.text("anyone")),
  me: Route.get("/me", me).pipe(Route.use(authenticated))
})

if (import.meta.main) Server.run(app)
