/**
 * A program with workers: `app.ts [options as JSON]`.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../../../../src/App.ts"
import * as Body from "../../../../src/Body.ts"
import * as RateLimit from "../../../../src/middleware/RateLimit.ts"
import * as RecordStore from "../../../../src/RecordStore.ts"
import * as Request from "../../../../src/Request.ts"
import * as Response from "../../../../src/Response.ts"
import * as Room from "../../../../src/Room.ts"
import * as Route from "../../../../src/Route.ts"
import * as Sse from "../../../../src/Sse.ts"
import * as Server from "../../../../src/server/Server.ts"
import * as Site from "../../../../src/server/Site.ts"
import * as WebSocket from "../../../../src/WebSocket.ts"

const { site, workers = 2, ...options } = JSON.parse(process.argv[2] ?? "{}")

const pid = String(process.pid)

const slow = Effect.suspend(() => {
  process.stdout.write(`asked ${pid}\n`)
  return Effect.delay(Effect.succeed(Response.text(`slow ${pid}`)), "700 millis")
})

// Sixteen pieces of 16 KiB, over a tenth of a second.
const piece = new Uint8Array(16 * 1024).fill(120)
const pieces = Stream.take(
  Stream.map(Stream.tick("7 millis"), () => piece),
  16
)

// Every worker knows what comes after an event.
const events = Effect.map(Request.header("last-event-id"), (last = "0") =>
  Sse.response(
    Stream.map(Stream.zipWithIndex(Stream.tick("20 millis")), ([, index]) => {
      const id = String(Number(last) + index + 1)
      return Sse.event(id, { id })
    })
  )
)

const records = RecordStore.memory()
const put = records.put("key", "value", { expected: undefined, expiresIn: "1 minute" })

const app = App.make({
  pid: Route.get("/", () => Response.text(pid)),
  slow: Route.get("/slow", slow),
  crash: Route.get("/crash", () => {
    process.kill(process.pid, "SIGKILL")
    return Response.empty()
  }),
  block: Route.get("/block", () => {
    for (;;);
  }),
  log: Route.get("/log", Effect.as(Effect.log("a line of the app"), Response.text("logged"))),
  upload: Route.post(
    "/upload",
    Effect.map(Body.bytes(), ({ length }) => Response.text(String(length)))
  ),
  download: Route.get("/download", () => Response.stream(pieces)),
  events: Route.get("/events", events),
  echo: Route.websocket(
    "/echo",
    WebSocket.raw({}, (socket) => Stream.runForEach(socket.messages, socket.send))
  ),
  room: Route.websocket(
    "/room",
    WebSocket.raw({}, (socket) => Effect.andThen(Room.join("a", socket, { presence: "b" }), Effect.never))
  ),
  limited: Route.get("/limited", () => Response.text("")).pipe(
    Route.use(RateLimit.make({ limit: 5, window: "1 minute" }))
  ),
  record: Route.get("/record", Effect.as(put, Response.text("")))
})

const sites = {
  unix: (path: string) => Site.unix({ path, mode: 0o660 }),
  tls: Site.tls,
  tcp: Site.tcp,
  systemd: () => Site.systemd()
}
const places =
  site === undefined ? { host: "127.0.0.1", port: 0 } : { sites: [sites[site[0] as "unix"](site[1])] as const }
Server.run(app, { ...places, ...options, ...(workers === null ? undefined : { workers }) })
