// Access log: a line for each request, when its last byte has left. In Apache's combined format, but not for /health.
//   curl -i 'localhost:8080/hello?token=secret'   # 200 and Hello
//   curl -i localhost:8080/nowhere                # 404
//   curl -i localhost:8080/health                 # ok
//   curl -i localhost:8080/inner                  # inner
// prints
//   127.0.0.1 - - [10/Oct/2026:13:55:36 +0200] "GET /hello?token=REDACTED HTTP/1.1" 200 5 "-" "curl/8.5.0"
//   127.0.0.1 - - [10/Oct/2026:13:55:36 +0200] "GET /nowhere HTTP/1.1" 404 73 "-" "curl/8.5.0"
//   200 0.000312 seconds, 5 bytes, completed, route inner
import { AccessLog, App, Response, Route, Server } from "effect-web"

// Around one route or one app, with atoms as aiohttp has them.
const timed = AccessLog.make({
  format: AccessLog.format("%s %Tf seconds, %B bytes, %{outcome}x, route %{route}x"),
  write: AccessLog.stdout
})

export const app = App.make({
  hello: Route.get("/hello", Response.text("Hello")),
  health: Route.get("/health", Response.text("ok")),
  inner: Route.get("/inner", Response.text("inner")).pipe(Route.use(timed))
})

// For the whole server, with what never became a request. Without `format` and `write` it goes through Effect's Logger, with fields.
export const options: Server.RunOptions = {
  accessLog: { format: AccessLog.combined, write: AccessLog.stdout, skip: ["health", "inner"], slow: "1 second" }
}

if (import.meta.main) Server.run(app, options)
