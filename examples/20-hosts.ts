// Apps by host: one name, or a pattern with parameters. Other hosts get the routes beside them.
//   curl localhost:8080/                               # the site
//   curl -H 'Host: api.localhost' localhost:8080/      # {"api":1}
//   curl -H 'Host: ada.localhost' localhost:8080/      # the page of ada
//   curl -i -H 'Host: api.localhost' localhost:8080/x  # 404
import { Effect } from "effect"
import { App, Request, Response, Route, Server } from "effect-web"

const api = App.make({ home: Route.get("/", Response.json({ api: 1 })) })

const tenant = App.make({
  home: Route.get(
    "/",
    Effect.map(Request.params, ({ tenant }) => Response.text(`the page of ${tenant}`))
  )
})

export const app = App.make({
  api: Route.host("api.localhost", api),
  tenant: Route.host("{tenant}.localhost", tenant),
  home: Route.get("/", Response.text("the site")),
  x: Route.get("/x", Response.text("only here"))
})

if (import.meta.main) Server.run(app)
