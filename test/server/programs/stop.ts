/**
 * A program that starts a server, asks it, and stops it: then nothing keeps the process alive.
 */
import * as Http from "node:http"
import * as Effect from "effect/Effect"
import * as App from "../../../src/App.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Server from "../../../src/server/Server.ts"

const app = App.make({ home: Route.get("/", Effect.succeed(Response.text("home"))) })

const asked = (url: string) =>
  Effect.callback<string>((resume) => {
    Http.get(url, { agent: new Http.Agent({ keepAlive: true }) }, (response) => {
      response.on("data", (chunk) => process.stdout.write(chunk))
      response.on("end", () => resume(Effect.succeed("")))
    })
  })

Effect.gen(function* () {
  const { url } = yield* Server.start(app, { host: "127.0.0.1", port: 0 })
  yield* asked(url)
}).pipe(Effect.scoped, Effect.runFork)
