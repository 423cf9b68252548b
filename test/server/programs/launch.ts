/**
 * A program whose server is a layer with a service; the service says when it is released.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as App from "../../../src/App.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Server from "../../../src/server/Server.ts"

class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {
  static readonly layer = Layer.effect(
    Greeting,
    Effect.acquireRelease(Effect.succeed("hello"), () => Effect.sync(() => process.stdout.write("released\n")))
  )
}

const app = App.make({
  home: Route.get(
    "/",
    Effect.map(Greeting, (greeting) => Response.text(greeting))
  )
})

Server.layer(app, { host: "127.0.0.1", port: 0 }).pipe(Layer.provide(Greeting.layer), Server.launch())
