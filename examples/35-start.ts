// A server inside a program that runs already: it lives as long as its scope, and interrupting its fiber is its graceful stop.
//   curl localhost:8080/           # Hello
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Deferred, Effect, Fiber } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { App, Response, Route, Server } from "effect-web"

export const app = App.make({ home: Route.get("/", Response.text("Hello")) })

/** Serves on a free port, asks itself once, and stops. */
export const program = Effect.gen(function* () {
  const ready = yield* Deferred.make<string>()
  const serve = Effect.gen(function* () {
    const server = yield* Server.start(app, { host: "127.0.0.1", port: 0 })
    yield* Deferred.succeed(ready, server.url)
    return yield* Effect.never
  })
  const fiber = yield* Effect.forkChild(Effect.scoped(serve))
  const url = yield* Deferred.await(ready)
  const response = yield* HttpClient.get(url)
  yield* Console.log(`${yield* response.text} from ${url}`)
  yield* Fiber.interrupt(fiber)
  yield* Console.log("The server has stopped")
})

if (import.meta.main) NodeRuntime.runMain(Effect.provide(program, FetchHttpClient.layer))
