// A table of routes is a record: its keys are the routes' names, tables join by spreading, and a view is several methods of one path.
//   curl localhost:8080/get                # got
//   curl -X POST localhost:8080/post       # posted
//   curl localhost:8080/view               # the view's GET
//   curl -X POST localhost:8080/view       # the view's POST
//   curl -i -X PUT localhost:8080/view     # 405 and allow: GET, HEAD, OPTIONS, POST
//   curl localhost:8080/routes             # GET /view (pages.view)
import { App, Response, Route, Server } from "effect-web"

const actions = {
  "actions.get": Route.get("/get", Response.text("got")),
  "actions.post": Route.post("/post", Response.text("posted"))
}

const pages = {
  "pages.view": Route.view("/view", {
    get: Response.text("the view's GET"),
    post: Response.text("the view's POST")
  })
}

const table = App.make({ ...actions, ...pages })
const listing = App.routes(table).map(({ method, name, path }) => `${method} ${path} (${name})`)

export const app = App.make({ ...table.routes, listing: Route.get("/routes", Response.text(listing.join("\n"))) })

if (import.meta.main) Server.run(app)
