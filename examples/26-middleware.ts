// Middleware: functions from handler to handler, for the whole app or one route. The last applied is the outermost.
//   curl -i localhost:8080/                                # server-timing: total;dur= and x-frame-options: DENY
//   curl -i localhost:8080/nope                            # 404 and x-frame-options: DENY
//   curl -i localhost:8080/report                          # 403 and x-frame-options: DENY
//   curl -H 'X-Role: auditor' localhost:8080/report        # the report
//   curl -i localhost:8080/flaky                           # 503 and retry-after: 5
import { Data, Duration, Effect } from "effect"
import { App, HttpError, Middleware, Request, Response, Route, Server } from "effect-web"

// Wraps the handler.
const timing: Middleware.Middleware = (handler) =>
  Effect.map(Effect.timed(handler), ([duration, response]) =>
    Response.setHeader(response, "server-timing", `total;dur=${Duration.toMillis(duration)}`)
  )

// Runs before the handler; what it fails with is answered in the handler's place.
const auditorsOnly = Middleware.before(
  Effect.gen(function* () {
    if ((yield* Request.header("x-role")) !== "auditor") return yield* new HttpError.Forbidden()
  }),
  { errors: [HttpError.Forbidden] }
)

// Changes every answer just before it is sent: those to failures and unknown paths too.
const secure = Middleware.onResponse((response) => Response.setHeader(response, "x-frame-options", "DENY"))

// Catches a failure of the handlers, which then need not know how it is answered.
class Overloaded extends Data.TaggedError("Overloaded") {}

const later = Middleware.catch(
  Overloaded,
  () => Effect.fail(new HttpError.ServiceUnavailable({ retryAfter: "5 seconds" })),
  { errors: [HttpError.ServiceUnavailable] }
)

export const app = App.make({
  home: Route.get("/", Response.text("home")),
  report: Route.get("/report", Response.text("the report")).pipe(Route.use(auditorsOnly)),
  flaky: Route.get("/flaky", Effect.fail(new Overloaded()))
}).pipe(App.use(later), App.use(timing), App.use(secure))

if (import.meta.main) Server.run(app)
