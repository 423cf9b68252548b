/**
 * Programs with one mistake each, below the name of the mistake. The test compares what the compiler says.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import type * as Handler from "../../src/Handler.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Auth from "../../src/middleware/Auth.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Session from "../../src/Session.ts"
import * as Server from "../../src/server/Server.ts"
import * as Testing from "../../src/testing/Testing.ts"
import {
  asksDb,
  CacheError,
  CurrentUser,
  type Db,
  DbError,
  EmailTaken,
  failsWithDb,
  NewUser,
  ok,
  Sessions,
  User
} from "./domain.ts"

const users = Auth.bearer(() => Effect.succeed({ name: "Ada" }))
const numbers = Auth.bearer(() => Effect.succeed(1))

class Visit extends Session.Service<Visit>()("Visit", { fields: { count: Schema.Int }, empty: { count: 0 } }) {}

const app = App.make({ home: Route.get("/", ok), item: Route.get("/items/{id}", ok) })
const failing = App.make({ home: Route.get("/", failsWithDb) })
const needing = App.make({ home: Route.get("/", asksDb) })

// ## an unanswered failure, toHandler
App.toHandler(failing)

// ## an unanswered failure, Server.layer
Server.layer(failing)

// ## an unanswered failure, Server.run
Server.run(failing)

// ## an unanswered failure, Testing.client
Testing.client(failing)

// ## two unanswered failures
App.toHandler(App.make({ home: Route.get("/", failsWithDb), two: Route.get("/2", Effect.fail(new CacheError())) }))

// ## an unanswered failure of a middleware
App.toHandler(app.pipe(App.use(Middleware.before(failsWithDb))))

// ## an unanswered failure in a mount
App.toHandler(App.make({ in: Route.mount("/in", failing), ok: Route.get("/", ok) }))

// ## an unanswered failure without a tag
App.toHandler(App.make({ home: Route.get("/", Effect.fail(new Error("no"))) }))

// ## an unanswered failure that is a text
App.toHandler(App.make({ home: Route.get("/", Effect.fail("no")) }))

// ## failures that are any
// biome-ignore lint/suspicious/noExplicitAny: the mistake
App.toHandler(App.make({ home: Route.get("/", ok as Handler.Handler<any>) }))

// ## needs that are any
// biome-ignore lint/suspicious/noExplicitAny: the mistake
Server.layer(App.make({ home: Route.get("/", ok as Handler.Handler<never, any>) }))

// ## a missing service, Server.run
Server.run(needing)

// ## a missing service, Server.launch
Server.layer(needing).pipe(Server.launch())

// ## a missing service, Layer.launch
Effect.runFork(Layer.launch(Server.layer(needing)))

// ## a missing service, toWebHandler
App.toWebHandler(needing)

// ## a missing service behind an annotation
export const main: Layer.Layer<Server.Server, Layer.Error<ReturnType<typeof Server.layer>>> = Server.layer(needing)

// ## an unanswered failure behind an annotation
export const annotated: App.App<never, never, App.Routes> = failing

// ## a typo in a URL parameter
App.urls(app).item({ di: "42" })

// ## a missing URL parameter
App.urls(app).item({})

// ## a URL without its parameters
App.urls(app).item()

// ## a typo in a route name
App.urls(app).itm({ id: "42" })

// ## a typo in a parameter
Route.get("/items/{id:\\d+}", ({ params }) => Effect.succeed(Response.text(params.ids)))

// ## a typo in a parameter that is destructured
Route.get("/items/{id}", ({ params: { ids } }) => Effect.succeed(Response.text(ids)))

// ## a parameter of a path without any
Route.get("/items", ({ params }) => Effect.succeed(Response.text(params.id)))

// ## a handler that returns a string
Route.get("/", () => "hello")

// ## a handler that returns an Effect of a string
Route.get("/", Effect.succeed("hello"))

// ## a generator that returns a string
Route.get(
  "/",
  Effect.gen(function* () {
    return yield* Effect.succeed("hello")
  })
)

// ## a handler that is a Promise
Route.get("/", async () => Response.text("hello"))

// ## an undeclared failure in a described route
Route.post("/users", { body: Body.json(NewUser), success: Response.schema(User), errors: [EmailTaken] }, ({ body }) =>
  Effect.andThen(Effect.log(body.name), failsWithDb)
)

// ## an undeclared failure in a described route without a body
Route.get("/users", { success: Response.schema(User) }, () => Effect.fail(new EmailTaken({ email: "" })))

// ## a wrong result in a described route
Route.get("/users/{id}", { success: Response.schema(User) }, ({ params }) =>
  Effect.succeed({ id: params.id, at: new Date() })
)

// ## a response where a described route returns a value
Route.get("/users/{id}", { success: Response.schema(User) }, ok)

// ## a value where a described route returns a response
Route.get("/users/{id}", { summary: "A user" }, ({ params }) => Effect.succeed(params))

// ## a typo in a decoded body
Route.post("/users", { body: Body.json(NewUser) }, ({ body }) => Effect.succeed(Response.text(body.nam)))

// ## a part that is not described
Route.get("/users", { summary: "Users" }, ({ query }) => Effect.succeed(Response.text(`${query}`)))

// ## an error class without a response in errors
Route.get("/users", { errors: [DbError] }, ok)

// ## a schema of other parameters
Route.get("/u/{id}", { params: Schema.Struct({ ID: Schema.String }) }, ok)

// ## a misspelled slot
Route.get("/u/{id}", { querry: Schema.Struct({ q: Schema.String }) }, ok)

// ## a misspelled slot beside a right one
Route.get(
  "/u/{id}",
  { querry: Schema.Struct({ q: Schema.String }), success: Response.schema(Schema.String) },
  Effect.succeed("")
)

// ## parameters of a path that has none
Route.get(
  "/u",
  { params: Schema.Struct({ id: Schema.String }), success: Response.schema(Schema.String) },
  Effect.succeed("")
)

// ## the query of a URL in the place of its parameters
App.urls(App.make({ home: Route.get("/", ok) })).home({ page: 2 })

// ## a reserved field of an error
HttpError.define<Error>()("TitleTaken", { status: 409 }, { title: Schema.String })

// ## a server of what is no app
Server.run({ home: Route.get("/", ok) })

// ## a cookie whose age has no unit
Response.setCookie(Response.text(""), "a", "b", { maxAge: 3600 })

// ## a schema where a body stands
Route.post("/u", { body: NewUser }, ok)

// ## a bare handler in the table
App.make({ home: ok })

// ## an app in the table
App.make({ home: app })

// ## a middleware that forgets to provide
export const forgets: Middleware.Middleware<Db> = (handler) => handler

// ## a middleware that adds an undeclared failure
export const adds: Middleware.Middleware = (handler) => Effect.andThen(failsWithDb, handler)

// ## a middleware that needs an undeclared service
export const needs: Middleware.Middleware = (handler) => Effect.andThen(Sessions, handler)

// ## a middleware that returns a string
App.use(() => Effect.succeed("hello"))

// ## middleware of a route used on an app
app.pipe(Route.use(Middleware.before(ok)))

// ## a policy on an app
app.pipe(Route.bodyLimit("1 kB"))

// ## a policy that is none
Route.get("/", ok).pipe(Route.onDisconnect("stay"))

// ## a middleware in the place of a policy
app.pipe(App.policy(Middleware.before(ok)))

// ## a policy in the place of a middleware
app.pipe(App.use(Route.timeout("5 seconds")))

// ## a policy in the place of a route's middleware
Route.get("/", ok).pipe(Route.use(Route.timeout("5 seconds")))

// ## an identity in a session that knows none
export const login = Effect.flatMap(Visit, (visit) => visit.rotate("ada"))

// ## a transaction without a database
Server.run(App.make({ home: Route.get("/", ok).pipe(Route.transactional) }))

// ## a timeout in words that are none
Route.get("/", ok).pipe(Route.timeout("5 secs"))

// ## a view with a wrong handler
Route.view("/login", { get: ok, post: () => "no" })

// ## an error class without Self
export class NoSelf extends HttpError.define()("NoSelf", { status: 400 }) {}

// ## a failure without its fields
export const empty = new EmailTaken()

// ## an option that is not there
App.make({}, { bodyLimits: 1 })

// ## a size that is none
App.make({}, { bodyLimit: "1 megabite" })

// ## a mount of what is no app
Route.mount("/x", { home: Route.get("/", ok) })

// ## a mounted layer that may fail to build
Route.mountHandler("/x", Layer.effectDiscard(failsWithDb))

// ## a service provided that is not the service
Middleware.provide(Sessions, Effect.succeed({ name: "Ada" }))

// ## a class that is none of the failures
export const gone = App.make({ home: Route.get("/", failsWithDb) }).pipe(
  App.use(Middleware.catch(EmailTaken, () => ok))
)
App.toHandler(gone)

// ## a user who is needed, and no middleware that provides one
Server.run(App.make({ me: Route.get("/", Effect.as(CurrentUser, Response.text("me"))) }))

// ## a scheme that finds something else
Auth.require(CurrentUser, numbers)

// ## optional, and a service that cannot be undefined
Auth.optional(CurrentUser, users)

// ## permission before there is a user
Server.run(
  App.make({ me: Route.get("/", ok) }).pipe(
    App.use(Auth.require(CurrentUser, users)),
    App.use(Auth.permit(CurrentUser, () => true))
  )
)
