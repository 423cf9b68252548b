// Workers that give way to new ones: by how many requests they have had, how much memory they take, how old they are.
//   curl localhost:8080/   # has had
import { Effect, Layer, Logger } from "effect"
import { App, Response, Route, Server } from "effect-web"

let requests = 0

const home = Effect.sync(() => Response.text(`process ${process.pid} has had ${++requests} requests`))

export const app = App.make({ home: Route.get("/", home) })

const logger = Logger.layer([Logger.consoleJson])

if (import.meta.main) {
  Server.layer(app, { port: Number(process.env.PORT ?? 8080) }).pipe(
    Layer.provide(logger),
    Server.launch({
      workers: {
        count: 2,
        maxRequests: 100_000,
        maxMemory: "512 MiB",
        maxAge: "1 day",
        // A worker that takes longer to start is killed; after so many that do not start the program ends with 1.
        startTimeout: "20 seconds",
        maxRestarts: 5,
        // The supervisor builds no layer of the app: its own loggers are given here.
        logger
      }
    })
  )
}
