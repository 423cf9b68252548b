// Routes: parameters, regular expressions, several in a segment, the rest of a path, methods. A fixed path beats a pattern.
//   curl localhost:8080/items/42               # item 42
//   curl localhost:8080/items/new              # a form for a new item
//   curl -i localhost:8080/items/x             # 404
//   curl localhost:8080/2026/hello.html        # hello of 2026, as html
//   curl localhost:8080/files/a/b/c.txt        # the path a/b/c.txt
//   curl -X PUT localhost:8080/items/42        # replaced 42
//   curl -i -X OPTIONS localhost:8080/items/42 # 204 and allow: GET, HEAD, OPTIONS, PUT
//   curl -X PURGE localhost:8080/cache         # any method: PURGE
import { Effect } from "effect"
import { App, Request, Response, Route, Server } from "effect-web"

export const app = App.make({
  item: Route.get("/items/{id:\\d+}", ({ params }) => Response.text(`item ${params.id}`)),
  replace: Route.put("/items/{id:\\d+}", ({ params }) => Response.text(`replaced ${params.id}`)),
  new: Route.get("/items/new", Response.text("a form for a new item")),
  article: Route.get("/{year:\\d{4}}/{name}.{ext}", ({ params }) =>
    Response.text(`${params.name} of ${params.year}, as ${params.ext}`)
  ),
  file: Route.get("/files/{path:.*}", ({ params }) => Response.text(`the path ${params.path}`)),
  cache: Route.any(
    "/cache",
    Effect.map(Request.method, (method) => Response.text(`any method: ${method}`))
  )
})

if (import.meta.main) Server.run(app)
