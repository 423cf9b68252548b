// One API for programs with a token or a key and for people with a password, and a part of it that is for few.
//   curl -i localhost:8080/me                                  # 401 and www-authenticate: Bearer realm="Restricted", Basic realm="Restricted"
//   curl -H 'Authorization: Bearer t-ada' localhost:8080/me    # Hello, Ada
//   curl -H 'Authorization: Basic Ym9iOmJ1aWxkZXI=' localhost:8080/me    # Hello, Bob
//   curl -H 'X-Api-Key: k-ada' localhost:8080/me               # Hello, Ada
//   curl -i -H 'Authorization: Bearer t-eve' localhost:8080/me # 401 and error="invalid_token"
//   curl localhost:8080/                                       # Hello, stranger
//   curl -H 'X-Api-Key: k-ada' localhost:8080/                 # Hello, Ada
//   curl -H 'X-Api-Key: k-ada' localhost:8080/admin            # Dear admin
//   curl -i -H 'Authorization: Basic Ym9iOmJ1aWxkZXI=' localhost:8080/admin    # 403 and For admins only
import { Context, Effect } from "effect"
import { App, Auth, Response, Route, Server } from "effect-web"

interface User {
  readonly name: string
  readonly isAdmin: boolean
}
class CurrentUser extends Context.Service<CurrentUser, User>()("app/CurrentUser") {}
class Visitor extends Context.Service<Visitor, User | undefined>()("app/Visitor") {}

const ada: User = { name: "Ada", isAdmin: true }
const bob: User = { name: "Bob", isAdmin: false }

// Each finds the user behind credentials, or undefined. A real one asks a database and compares hashes of passwords.
const bearer = Auth.bearer((token) => Effect.succeed(Auth.equals(token, "t-ada") ? ada : undefined))
const basic = Auth.basic(({ username, password }) =>
  Effect.succeed(username === "bob" && Auth.equals(password, "builder") ? bob : undefined)
)
const apiKey = Auth.apiKey((key) => Effect.succeed(Auth.equals(key, "k-ada") ? ada : undefined), {
  header: "x-api-key"
})
const anyOf = Auth.any([bearer, basic, apiKey])

const home = Effect.map(Visitor, (user) => Response.text(`Hello, ${user?.name ?? "stranger"}`))
const me = Effect.map(CurrentUser, (user) => Response.text(`Hello, ${user.name}`))
const admin = Effect.succeed(Response.text("Dear admin"))

// Without `Auth.require` this would not compile: "app/CurrentUser is missing".
export const app = App.make({
  home: Route.get("/", home).pipe(Route.use(Auth.optional(Visitor, anyOf))),
  me: Route.get("/me", me).pipe(Route.use(Auth.require(CurrentUser, anyOf))),
  admin: Route.get("/admin", admin).pipe(
    Route.use(Auth.permit(CurrentUser, (user) => user.isAdmin, { text: "For admins only" })),
    Route.use(Auth.require(CurrentUser, anyOf))
  )
})

if (import.meta.main) Server.run(app)
