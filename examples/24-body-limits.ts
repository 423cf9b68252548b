// Limits of bodies: 1 MiB unless the app, a route or the reader says otherwise. Larger is 413, before it is read where possible.
//   curl -d 'four' localhost:8080/note                       # 4 characters
//   curl -i -d 'this is too long' localhost:8080/note        # 413 and "limit":10
//   curl -d 'this is not too long' localhost:8080/essay      # 20 characters
//   curl -i --json '"12345678"' localhost:8080/json          # 413 and "limit":8
import { Effect, Schema } from "effect"
import { App, Body, Response, Route, Server } from "effect-web"

const count = Effect.map(Body.text(), (text) => Response.text(`${text.length} characters`))

const json = Effect.map(Body.json(Schema.String, { limit: "8 B" }), (text) => Response.text(text))

export const app = App.make(
  {
    note: Route.post("/note", count),
    essay: Route.post("/essay", count).pipe(Route.bodyLimit("64 kB")),
    json: Route.post("/json", json)
  },
  { bodyLimit: "10 B" }
)

if (import.meta.main) Server.run(app)
