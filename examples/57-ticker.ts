// Server-sent events: a clock that ticks for whoever listens, and a countdown of typed events that ends.
//   curl -I localhost:8080/                                   # 200 and content-type: text/event-stream
//   curl -N localhost:8080/countdown                          # retry: 2000 and event: Tick and "left":1} and event: LiftOff
//   curl -i -H 'Last-Event-ID: 0' localhost:8080/countdown    # 204
import { Clock, Effect, Schedule, Schema, Stream } from "effect"
import { App, Response, Route, Server, Sse } from "effect-web"

// It ends when its client leaves, or when the server stops. Between two ticks a comment keeps the connection alive.
const clock = Stream.fromEffectSchedule(Clock.currentTimeMillis, Schedule.spaced("1 minute")).pipe(
  Stream.map((now) => new Date(now).toISOString()),
  Stream.ensuring(Effect.log("nobody looks at this clock any more"))
)

const Countdown = Schema.Union([
  Schema.TaggedStruct("Tick", { left: Schema.Int }),
  Schema.TaggedStruct("LiftOff", { at: Schema.Date })
])

const liftOff = Effect.map(Clock.currentTimeMillis, (now) => ({ _tag: "LiftOff", at: new Date(now) }) as const)

const counting = Stream.fromIterable([3, 2, 1]).pipe(
  Stream.map((left) => ({ _tag: "Tick", left }) as const),
  Stream.schedule(Schedule.spaced("1 second")),
  Stream.concat(Stream.fromEffect(liftOff))
)

// Each is an event named by its tag, whose data is JSON. The last has an id: who comes again with it is sent away by a 204,
// for a browser comes again whenever a stream ends.
const countdown = Sse.response(counting, {
  schema: Countdown,
  id: (event) => (event._tag === "LiftOff" ? "0" : undefined),
  retry: "2 seconds"
})

export const app = App.make({
  clock: Route.get("/", Sse.response(clock, { keepAlive: "20 seconds" })),
  countdown: Route.get(
    "/countdown",
    Effect.map(Sse.lastEventId, (id) => (id === "0" ? Response.empty() : countdown))
  )
})

if (import.meta.main) Server.run(app)
