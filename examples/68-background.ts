// Background work belongs to the server: a stop awaits it, and the drain report counts it.
//   curl -X POST localhost:8080/orders      # ordered
//   curl -i -X POST localhost:8080/reports  # 202 and 1 report is being made
//   curl localhost:8080/                    # orders:
import { Effect, Schedule } from "effect"
import { App, Background, Response, Route, Server } from "effect-web"

const orders: Array<string> = []

// The client does not wait for the mail.
const order = Effect.gen(function* () {
  orders.push("a book")
  yield* Background.afterResponse(Effect.log("a mail is sent"))
  return Response.text("ordered")
})

// At most 4 reports at a time; the next is refused with 503.
const report = Effect.gen(function* () {
  yield* Background.fork("report", Effect.sleep("1 second"), { limit: 4 })
  return Response.text("1 report is being made", { status: 202 })
})

// Follows something for ever; when it fails it starts again, later each time.
const follow = Effect.forever(Effect.sleep("10 seconds"))

export const app = App.make({
  home: Route.get(
    "/",
    Effect.sync(() => Response.text(`orders: ${orders.length}`))
  ),
  order: Route.post("/orders", order),
  report: Route.post("/reports", report)
}).pipe(
  App.onStart(Background.fork("follow", follow, { restart: Schedule.exponential("1 second") })),
  App.onStart(
    Background.cron(
      "purge",
      "0 4 * * *",
      Effect.sync(() => orders.splice(0))
    )
  )
)

if (import.meta.main) Server.run(app)
