// Streams: a body is sent as it is made, and making it stops when the client leaves. And a download with a name, from a service.
//   curl -N localhost:8080/                     # tick 5
//   curl -i localhost:8080/report               # content-disposition: attachment; filename="report.csv" and 3,9
//   curl -d 'shout it' localhost:8080/shout     # SHOUT IT
import { Context, Effect, Layer, Schedule, Stream } from "effect"
import { App, Body, Response, Route, Server } from "effect-web"

const ticks = Stream.fromSchedule(Schedule.spaced("100 millis")).pipe(
  Stream.take(5),
  Stream.map((n) => `tick ${n + 1}\n`),
  Stream.ensuring(Effect.log("the ticking has stopped"))
)

class Database extends Context.Service<Database, { readonly rows: Stream.Stream<string> }>()("app/Database") {
  static readonly layer = Layer.succeed(Database, {
    rows: Stream.range(1, 3).pipe(Stream.map((n) => `${n},${n * n}\n`))
  })
}

// The body of a response needs no services: what it needs is asked for before.
const report = Effect.map(Database, ({ rows }) =>
  Response.stream(Stream.concat(Stream.make("n,square\n"), rows), { contentType: "text/csv" }).pipe(
    Response.attachment("report.csv")
  )
)

const shout = Body.stream({ limit: "1 MB" }).pipe(
  Stream.decodeText(),
  Stream.map((text) => text.toUpperCase())
)

export const app = App.make({
  ticks: Route.get("/", Response.stream(ticks, { contentType: "text/plain" })),
  report: Route.get("/report", report),
  shout: Route.post(
    "/shout",
    Effect.map(Stream.mkString(shout), (text) => Response.text(text))
  )
})

export const layer = Database.layer

if (import.meta.main) Server.layer(app).pipe(Layer.provide(layer), Server.launch())
