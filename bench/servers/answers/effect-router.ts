/** Effect's own HttpRouter on NodeHttpServer, without logger: what effect-web stands on. */
import * as Http from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const Person = Schema.Struct({ name: Schema.String, age: Schema.Int, tags: Schema.Array(Schema.String) })
const respond = HttpServerResponse.schemaJson(Person)

const routes = HttpRouter.addAll([
  HttpRouter.route("GET", "/text", Effect.succeed(HttpServerResponse.text("Hello, World!"))),
  HttpRouter.route(
    "GET",
    "/json",
    Effect.sync(() => HttpServerResponse.jsonUnsafe({ message: "Hello, World!" }))
  ),
  HttpRouter.route(
    "GET",
    "/users/:id",
    Effect.map(HttpRouter.params, ({ id }) => HttpServerResponse.text(`user ${id}`))
  ),
  HttpRouter.route(
    "POST",
    "/echo",
    Effect.flatMap(HttpServerRequest.schemaBodyJson(Person), (person) => respond(person))
  )
])

HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(NodeHttpServer.layer(Http.createServer, { port: Number(process.env.PORT), host: "127.0.0.1" })),
  Layer.launch,
  NodeRuntime.runMain
)
