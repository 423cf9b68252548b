// Streams: a body is sent as it is made, and making it stops when the client leaves. And a download with a name.
//   curl -N localhost:8080/                     # tick 5
//   curl -i localhost:8080/report               # content-disposition: attachment; filename="report.csv" and 3,9
//   curl -d 'shout it' localhost:8080/shout     # SHOUT IT
import { Effect, Schedule, Stream } from "effect"
import { App, Body, Response, Route, Server } from "effect-web"

const ticks = Stream.fromSchedule(Schedule.spaced("100 millis")).pipe(
  Stream.take(5),
  Stream.map((n) => `tick ${n + 1}\n`),
  Stream.ensuring(Effect.log("the ticking has stopped"))
)

const rows = Stream.range(1, 3).pipe(Stream.map((n) => `${n},${n * n}\n`))

const report = Response.stream(Stream.concat(Stream.make("n,square\n"), rows), { contentType: "text/csv" }).pipe(
  Response.attachment("report.csv")
)

const shout = Body.stream({ limit: "1 MB" }).pipe(
  Stream.decodeText(),
  Stream.map((text) => text.toUpperCase())
)

export const app = App.make({
  ticks: Route.get("/", Effect.succeed(Response.stream(ticks, { contentType: "text/plain" }))),
  report: Route.get("/report", Effect.succeed(report)),
  shout: Route.post(
    "/shout",
    Effect.map(Stream.mkString(shout), (text) => Response.text(text))
  )
})

if (import.meta.main) Server.run(app)
