// The options of a server as a whole program. It drains on Ctrl+C and SIGTERM and exits with 0; a second signal exits at once.
//   curl localhost:8080/           # Running
//   curl localhost:8080/slow       # Done
import { Effect } from "effect"
import { App, Response, Route, Server } from "effect-web"

const slow = Effect.delay(Effect.succeed(Response.text("Done")), "2 seconds")

export const app = App.make({
  home: Route.get("/", Response.text("Running")),
  slow: Route.get("/slow", slow)
})

if (import.meta.main) {
  Server.run(app, {
    host: "127.0.0.1",
    port: Number(process.env.PORT ?? 8080),
    backlog: 128,
    shutdownTimeout: "10 seconds",
    interruptGrace: "1 second",
    keepAliveTimeout: "75 seconds",
    headersTimeout: "5 seconds",
    requestTimeout: "5 minutes",
    maxHeaderSize: 8192,
    development: true,
    print: (line) => process.stdout.write(`${line}\n`),
    handleSignals: true
  })
}
