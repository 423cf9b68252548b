// An app inside an app: a prefix, routes and middleware of its own. The sub-app's 404 is its own too.
//   curl -i localhost:8080/                            # the shop
//   curl -i localhost:8080/admin/users/7               # 401 and www-authenticate: Bearer
//   curl -i localhost:8080/admin/nope                  # 401
//   curl -H 'Authorization: Bearer s3cret' localhost:8080/admin/users/7   # user 7
//   curl -i -H 'Authorization: Bearer s3cret' localhost:8080/admin/nope   # 404
import { Effect } from "effect"
import { App, HttpError, Middleware, Request, Response, Route, Server } from "effect-web"

const requireToken = Middleware.before(
  Effect.gen(function* () {
    const authorization = yield* Request.header("authorization")
    if (authorization !== "Bearer s3cret") return yield* new HttpError.Unauthorized({ challenges: ["Bearer"] })
  }),
  { errors: [HttpError.Unauthorized] }
)

const admin = App.make({
  user: Route.get("/users/{id}", ({ params }) => Response.text(`user ${params.id}`))
}).pipe(App.use(requireToken))

export const app = App.make({
  home: Route.get("/", Response.text("the shop")),
  admin: Route.mount("/admin", admin)
})

if (import.meta.main) Server.run(app)
