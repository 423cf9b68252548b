// An app is a handler: it runs under Effect's own HttpServer, and as a function from Request to Response on Bun, Deno or Workers.
//   curl localhost:8080/            # Hello, Anonymous
//   curl localhost:8080/Ada         # Hello, Ada
//   curl -i -X PUT localhost:8080/  # 405
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { App, Request, Response, Route } from "effect-web"

const hello = Effect.map(Request.params, ({ name = "Anonymous" }) => Response.text(`Hello, ${name}`))

export const app = App.make({ home: Route.get("/", hello), user: Route.get("/{name}", hello) })

/** Bun.serve({ fetch }), Deno.serve(fetch), export default { fetch } */
export const fetch = App.toWebHandler(app)

/** For any layer of an HttpServer. */
export const serve = HttpServer.serve(App.toHandler(app))

if (import.meta.main) {
  const main = Layer.provide(
    serve,
    NodeHttpServer.layer(() => createServer(), { port: 8080 })
  )
  NodeRuntime.runMain(Layer.launch(main))
}
