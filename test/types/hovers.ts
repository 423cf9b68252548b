/**
 * The main values of a program. The test compares what an editor shows at each mark.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import type * as Handler from "../../src/Handler.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Server from "../../src/server/Server.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { asksDb, DbError, EmailTaken, failsWithDb, NewUser, ok, Sessions, User, Users } from "./domain.ts"

const hello = Route.get("/", ok)
//    ^?
const item = Route.get("/items/{id:\\d+}", ({ params }) => Effect.succeed(Response.text(params.id)))
//    ^?                                      ^?
const create = Route.post(
  //  ^?
  "/users",
  { body: Body.json(NewUser), success: Response.schema(User, { status: 201 }), errors: [EmailTaken] },
  ({ body }) => Users.use((users) => users.create(body))
  // ^?
)
const search = Route.get(
  //  ^?
  "/{org}/users/{page:\\d{1,3}}",
  {
    params: Schema.Struct({ org: Schema.String, page: Schema.FiniteFromString }),
    query: Schema.Struct({ tag: Schema.Array(Schema.String) }),
    success: Response.schema(Schema.Array(User))
  },
  (input) => Effect.as(Effect.log(input.query.tag), [])
  // ^?
)
const summary = Route.get("/{org}/x", { summary: "Text" }, ({ params }) => Effect.succeed(Response.text(params.org)))
//    ^?                                                      ^?
const gone = Effect.fail(new HttpError.Gone())
const view = Route.view("/login/{id}", { get: asksDb, post: ({ params }) => (params.id === "1" ? ok : gone) })
//    ^?                                                       ^?
const old = Route.mountHandler("/{org}/old", failsWithDb)
//    ^?

const requireUser = Middleware.before(Effect.andThen(Sessions, Effect.fail(new HttpError.Unauthorized())))
//    ^?
const onDb = Middleware.catch(DbError, () => Effect.fail(new HttpError.ServiceUnavailable()))
//    ^?
const session = Effect.map(Request.remote, (user = "none") => ({ user }))
const provideUser = Middleware.provide(Sessions, session)
//    ^?
const limit = Route.bodyLimit("1 kB")
//    ^?
const use = App.use(requireUser)
//    ^?

const report = Route.get("/report/{year}", asksDb).pipe(Route.bodyLimit("1 MiB"), Route.use(requireUser))
//    ^?
const small = App.make({ hello, item })
//    ^?
const nested = Route.mount("/{org}", small)
//    ^?
const app = App.make({ create, report, small: nested, old }).pipe(App.use(requireUser), App.use(onDb))
//    ^?
const urls = App.urls(app)
//    ^?
const year = urls.report
//    ^?

const handler = App.toHandler(app)
//    ^?
const layer = Server.layer(app)
//    ^?
const started = Server.start(app)
//    ^?
const client = Testing.client(app)
//    ^?
const params = Request.params
//    ^?
const greet: Handler.Handler<EmailTaken> = ok
//    ^?

const values = {
  annotated: greet,
  client,
  create,
  handler,
  layer,
  limit,
  params,
  provideUser,
  search,
  started,
  summary
}

export { use, values, view, year }
