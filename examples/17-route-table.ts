// A table of routes is a record: its keys are the routes' names, tables join by spreading, and a view is several methods of one path.
//   curl localhost:8080/get                # got
//   curl -X POST localhost:8080/post       # posted
//   curl localhost:8080/view               # the view's GET
//   curl -X POST localhost:8080/view       # the view's POST
//   curl -i -X PUT localhost:8080/view     # 405 and allow: GET, HEAD, OPTIONS, POST
//   curl localhost:8080/routes             # GET /view (pages.view)
import { Effect } from "effect"
import { App, Response, Route, Server } from "effect-web"

const text = (body: string) => Effect.succeed(Response.text(body))

const actions = {
  "actions.get": Route.get("/get", text("got")),
  "actions.post": Route.post("/post", text("posted"))
}

const pages = {
  "pages.view": Route.view("/view", {
    get: text("the view's GET"),
    post: text("the view's POST")
  })
}

const table = App.make({ ...actions, ...pages })
const listing = App.routes(table).map(({ method, name, path }) => `${method} ${path} (${name})`)

export const app = App.make({ ...table.routes, listing: Route.get("/routes", text(listing.join("\n"))) })

if (import.meta.main) Server.run(app)
