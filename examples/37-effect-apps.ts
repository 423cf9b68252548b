// Effect's own HttpRouter and HttpApi apps, and any handler, mounted below a prefix of an app.
//   curl localhost:8080/                       # home
//   curl localhost:8080/legacy/users/7         # user 7 of the router
//   curl localhost:8080/api/greet/Ada          # {"hello":"Ada"}
//   curl localhost:8080/raw/any/thing          # the handler sees /any/thing
//   curl -i localhost:8080/legacy/nope         # 404
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { App, Response, Route, Server } from "effect-web"

const legacy = HttpRouter.add(
  "GET",
  "/users/:id",
  Effect.map(HttpRouter.params, ({ id }) => HttpServerResponse.text(`user ${id} of the router`))
)

const Api = HttpApi.make("api").add(
  HttpApiGroup.make("greetings").add(
    HttpApiEndpoint.get("greet", "/greet/:name", {
      params: { name: Schema.String },
      success: Schema.Struct({ hello: Schema.String })
    })
  )
)

const greetings = HttpApiBuilder.group(Api, "greetings", (handlers) =>
  handlers.handle("greet", ({ params }) => Effect.succeed({ hello: params.name }))
)

const raw = Effect.map(HttpServerRequest.HttpServerRequest, (request) =>
  HttpServerResponse.text(`the handler sees ${request.url}`)
)

export const app = App.make({
  home: Route.get("/", Response.text("home")),
  legacy: Route.mountHandler("/legacy", legacy),
  api: Route.mountHandler("/api", HttpApiBuilder.layer(Api).pipe(Layer.provide([greetings, HttpServer.layerServices]))),
  raw: Route.mountHandler("/raw", raw)
})

if (import.meta.main) Server.run(app)
