import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { App, Response, Route } from "effect-web"
import { served } from "effect-web/testing/Served"

class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}

const app = App.make({
  home: Route.get(
    "/",
    Effect.map(Greeting, (greeting) => Response.text(greeting))
  )
})

served(
  "an app that needs services is given them, and so are its tests",
  app,
  (client) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* (yield* client.get("/")).text, yield* Greeting)
    }),
  { layer: Layer.succeed(Greeting, "hello") }
)

const withoutLayer = () =>
  // @ts-expect-error the service has to be given
  served("an app without its service", app, () => Effect.void)
assert.isFunction(withoutLayer)
