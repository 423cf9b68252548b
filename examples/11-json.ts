// JSON, with a status and headers where they are not the usual ones.
//   curl localhost:8080/                   # {"some":"data"}
//   curl -i -X POST localhost:8080/users   # 201 and location: /users/1 and {"id":1,"name":"Ada"}
//   curl -i -X DELETE localhost:8080/users # 204
import { App, Response, Route, Server } from "effect-web"

const created = Response.json({ id: 1, name: "Ada" }, { status: 201, headers: { location: "/users/1" } })

export const app = App.make({
  home: Route.get("/", Response.json({ some: "data" })),
  create: Route.post("/users", created),
  clear: Route.delete("/users", Response.empty())
})

if (import.meta.main) Server.run(app)
