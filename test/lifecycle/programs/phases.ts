/**
 * A server whose requests wait in any phase until SIGUSR2 opens their gate: `phases.ts [options as JSON]`.
 *
 * It says "stopping" when its stop begins, and what a handler does when it does it.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Stream from "effect/Stream"
import * as App from "../../../src/App.ts"
import * as Background from "../../../src/Background.ts"
import * as Body from "../../../src/Body.ts"
import * as Health from "../../../src/handlers/Health.ts"
import * as Proxy from "../../../src/handlers/Proxy.ts"
import * as Multipart from "../../../src/Multipart.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Sse from "../../../src/Sse.ts"
import * as Server from "../../../src/server/Server.ts"
import * as WebSocket from "../../../src/WebSocket.ts"

/** What a test asks for. */
interface Given extends Server.Options {
  readonly upstream?: string
  readonly file?: string
  readonly target?: string
  readonly waitsInOnDrain?: boolean
}

const given: Given = JSON.parse(process.argv[2] ?? "{}")
const { file = import.meta.filename, target = "", upstream = "http://127.0.0.1:1", waitsInOnDrain, ...options } = given

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))
const gate = Latch.makeUnsafe()
process.on("SIGUSR2", () => gate.openUnsafe())
const gated = Effect.andThen(say("asked"), gate.await)

const upload = Effect.gen(function* () {
  const parts = yield* Multipart.reader
  const part = yield* parts.file("file")
  yield* say("asked")
  return Response.text(`saved ${yield* part.saveTo(target)}`)
})

const echo = Effect.gen(function* () {
  yield* say("asked")
  return Response.bytes(yield* Body.bytes())
})

const app = App.make({
  home: Route.get("/", Response.text("home")),
  echo: Route.post("/echo", echo),
  gate: Route.get("/gate", Effect.as(gated, Response.text("through"))),
  hold: Route.get("/hold", Effect.andThen(say("held"), Effect.never)),
  timed: Route.get("/timed", Effect.andThen(say("asked"), Effect.never)).pipe(Route.timeout("600 millis")),
  poll: Route.get("/poll", Effect.andThen(say("asked"), Effect.never)).pipe(Route.onDrain("interrupt")),
  stream: Route.get(
    "/stream",
    Response.stream(Stream.concat(Stream.make("one,"), Stream.fromEffect(Effect.as(gated, "two"))))
  ),
  file: Route.get("/file", Response.file(file)),
  upload: Route.post("/upload", upload),
  events: Route.get("/events", Sse.response(Stream.concat(Stream.make("a"), Stream.never))),
  socket: Route.websocket(
    "/socket",
    WebSocket.raw({}, (socket) => Effect.andThen(socket.send("ready"), Stream.runDrain(socket.messages)))
  ),
  proxy: Route.mountHandler("/proxy", Proxy.make({ upstream })),
  task: Route.get(
    "/task",
    Effect.as(Background.fork("mail", Effect.andThen(gated, say("mailed"))), Response.text("ok"))
  ),
  cron: Route.get(
    "/cron",
    Effect.as(Background.cron("tick", "* * * * * *", Effect.andThen(gated, say("ticked"))), Response.text("ok"))
  ),
  health: Route.mount("/health", Health.make({}))
}).pipe(
  App.onDrain(Effect.andThen(say("stopping"), waitsInOnDrain === true ? gate.await : Effect.void)),
  App.onStop(say("stopped"))
)

Server.run(app, { host: "127.0.0.1", port: 0, ...options })
