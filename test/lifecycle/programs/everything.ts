/**
 * A program that starts a server with most of what there is, uses it, stops it, and says what is left: `everything.ts <folder> <key> <cert>`.
 *
 * It does not exit by itself: the process ends when nothing is active.
 */
import * as Fs from "node:fs"
import * as Http from "node:http"
import * as Https from "node:https"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../../src/App.ts"
import * as Background from "../../../src/Background.ts"
import * as Health from "../../../src/handlers/Health.ts"
import * as Proxy from "../../../src/handlers/Proxy.ts"
import * as StaticFiles from "../../../src/handlers/StaticFiles.ts"
import * as Multipart from "../../../src/Multipart.ts"
import * as AccessLog from "../../../src/middleware/AccessLog.ts"
import * as Compression from "../../../src/middleware/Compression.ts"
import * as RateLimit from "../../../src/middleware/RateLimit.ts"
import * as RecordStore from "../../../src/RecordStore.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Session from "../../../src/Session.ts"
import * as Sse from "../../../src/Sse.ts"
import * as Server from "../../../src/server/Server.ts"
import * as Site from "../../../src/server/Site.ts"
import * as Sqlite from "../../../src/server/Sqlite.ts"
import * as WebSocket from "../../../src/WebSocket.ts"

const [folder = "", key = "", cert = ""] = process.argv.slice(2)

class Visit extends Session.Service<Visit>()("Visit", { fields: { count: Schema.Int }, empty: { count: 0 } }) {}

const visit = Effect.gen(function* () {
  const { count } = yield* (yield* Visit).update((v) => ({ count: v.count + 1 }))
  yield* Background.afterResponse(Effect.sleep("20 millis"))
  return Response.text(`visit ${count}`)
})

const upload = Effect.gen(function* () {
  const part = yield* (yield* Multipart.reader).file("file")
  return Response.text(`saved ${yield* part.saveTo(`${folder}/upload`)}`)
})

const form = Effect.map(Multipart.form(Schema.Struct({ file: Multipart.File })), ({ file }) =>
  Response.text(`form ${file.size}`)
)

const app = (port: number) =>
  App.make({
    visit: Route.get("/", visit).pipe(Route.use(Session.make(Visit, { store: RecordStore.sql() }))),
    upload: Route.post("/upload", upload),
    form: Route.post("/form", form),
    static: Route.mountHandler("/static", StaticFiles.make({ root: folder })),
    events: Route.get("/events", Sse.response(Stream.concat(Stream.make("a"), Stream.never))),
    socket: Route.websocket(
      "/socket",
      WebSocket.raw({}, (socket) => Stream.runForEach(socket.messages, socket.send))
    ),
    proxy: Route.mountHandler(
      "/proxy",
      Proxy.make({ upstream: `http://127.0.0.1:${port}`, check: { path: "/health/live" } })
    ),
    slow: Route.get("/slow", Effect.never).pipe(Route.timeout("50 millis")),
    never: Route.get("/never", Effect.never),
    health: Route.mount("/health", Health.make({ checks: { ok: Effect.void } }))
  }).pipe(
    App.use(AccessLog.make({ write: () => {} })),
    App.use(Compression.make()),
    App.use(RateLimit.make({ limit: 1000, window: "1 minute" })),
    App.onStart(Background.cron("tick", "* * * * * *", Effect.sleep("10 millis"))),
    App.onStart(
      Background.fork("feed", Effect.andThen(Effect.sleep("10 millis"), Effect.fail("again")), {
        restart: Schedule.spaced("10 millis")
      })
    ),
    App.onStart(Effect.acquireRelease(Effect.void, () => Effect.void))
  )

let [fibers, most] = [0, 0]
const counting: Metric.FiberRuntimeMetricsService = {
  recordFiberStart: () => {
    fibers++
    most = Math.max(most, fibers)
  },
  recordFiberEnd: () => void fibers--
}

const left = (): string => {
  // What standard output and the parent's pipes are made of is there before.
  const active = process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|TTYWrap)$/.test(name))
  return JSON.stringify({
    active: active.sort(),
    fibers,
    listeners: process.eventNames().map(String).sort(),
    files: Fs.readdirSync(folder).sort()
  })
}

interface Ask extends Https.RequestOptions {
  readonly body?: string
}

const ask = (path: string, { body, ...options }: Ask = {}, module: typeof Http | typeof Https = Http) =>
  Effect.callback<string>((resume) => {
    const request = module.request({ path, agent: false, rejectUnauthorized: false, ...options }, (response) => {
      let text = `${response.statusCode} `
      response.on("data", (chunk) => (text += chunk))
      response.on("close", () => resume(Effect.succeed(text.slice(0, 40))))
    })
    request.on("error", () => resume(Effect.succeed("cut")))
    request.end(body)
  })

const multipart = `--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--b--\r\n`
const posted: Ask = { method: "POST", headers: { "content-type": "multipart/form-data; boundary=b" }, body: multipart }

const use = Effect.gen(function* () {
  const host = "127.0.0.1"
  const upstream = yield* Server.start(app(1), { host, port: 0 })
  const at = upstream.addresses[0]?.port ?? 0
  const { addresses } = yield* Server.start(app(at), {
    sites: [
      Site.tcp({ host, port: 0 }),
      Site.tls({ host, port: 0, key, cert }),
      Site.unix({ path: `${folder}/app.sock` })
    ],
    accessLog: { write: () => {} },
    shutdownTimeout: "200 millis"
  })
  const [tcp = 0, tls = 0] = addresses.map(({ port }) => port)
  const to = { host, port: tcp }
  const keepAlive = { ...to, headers: { connection: "keep-alive" } }
  const answers = yield* Effect.all([
    ask("/", to),
    ask("/", { host, port: tls }, Https),
    ask("/", { socketPath: `${folder}/app.sock` }),
    ask("/upload", { ...to, ...posted }),
    ask("/form", { ...to, ...posted }),
    ask("/static/upload", to),
    ask("/proxy/static/upload", to),
    ask("/slow", to),
    ask("/health/ready", keepAlive),
    ask("/none", to)
  ])
  process.stdout.write(`answers ${answers.map((text) => text.slice(0, 3)).join(" ")}\n`)
  // These are there when it stops.
  const socket = new globalThis.WebSocket(`ws://${host}:${tcp}/socket`)
  yield* Effect.callback<void>((resume) => {
    socket.onopen = () => socket.send("hello")
    socket.onmessage = () => resume(Effect.void)
  })
  for (const path of ["/events", "/never", "/proxy/events", "/proxy/never"]) yield* Effect.forkDetach(ask(path, to))
  yield* Effect.forkDetach(ask("/events", { host, port: tls }, Https))
  yield* Effect.sleep("300 millis")
  process.stdout.write(`during ${JSON.stringify({ active: process.getActiveResourcesInfo().length, most })}\n`)
})

process.on("exit", () => process.stdout.write(`exit ${left()}\n`))
process.stdout.write(`before ${left()}\n`)

const program = Effect.scoped(use).pipe(
  Effect.provide(Sqlite.layer({ filename: `${folder}/app.db` })),
  Effect.provide(Logger.layer([])),
  Effect.provideService(Metric.FiberRuntimeMetrics, counting)
)
Effect.runFork(program).addObserver((exit) => {
  if (exit._tag === "Failure") process.stdout.write(`${exit.cause}\n`)
  // The ends of the clients close in these turns.
  let turns = 20
  const next = (): void => {
    if (turns-- > 0) setImmediate(next)
    else process.stdout.write(`after ${left()}\n`)
  }
  next()
})
