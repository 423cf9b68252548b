/**
 * A program that tests start and signal: `run.ts <port> [options as JSON]`.
 */
import * as Effect from "effect/Effect"
import * as App from "../../../src/App.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Server from "../../../src/server/Server.ts"

const [port, options = "{}"] = process.argv.slice(2)

const app = App.make({
  home: Route.get("/", Effect.succeed(Response.text("home"))),
  slow: Route.get(
    "/slow",
    Effect.gen(function* () {
      process.stdout.write("asked\n")
      yield* Effect.sleep("300 millis")
      return Response.text("slow")
    })
  ),
  never: Route.get(
    "/never",
    Effect.suspend(() => {
      process.stdout.write("asked\n")
      return Effect.never
    })
  )
})

Server.run(app, { host: "127.0.0.1", port: Number(port), ...JSON.parse(options) })
