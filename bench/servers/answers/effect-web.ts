/** effect-web as its users write it. The built library by its path: it and this program load the root's one `effect`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { App, Body, Response, Route, Server } from "../../../dist/index.js"

const Person = Schema.Struct({ name: Schema.String, age: Schema.Int, tags: Schema.Array(Schema.String) })

const app = App.make({
  text: Route.get("/text", Effect.succeed(Response.text("Hello, World!"))),
  json: Route.get("/json", () => Effect.succeed(Response.json({ message: "Hello, World!" }))),
  user: Route.get("/users/{id}", ({ params }) => Effect.succeed(Response.text(`user ${params.id}`))),
  echo: Route.post("/echo", { body: Body.json(Person), success: Response.schema(Person) }, ({ body }) =>
    Effect.succeed(body)
  )
})

Server.run(app, { port: Number(process.env.PORT), host: "127.0.0.1" })
