/**
 * Logs, problems, policies, time limits and events over HTTP/2.
 */
import type * as Http2 from "node:http2"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../../src/App.ts"
import * as Body from "../../../src/Body.ts"
import * as HttpError from "../../../src/HttpError.ts"
import * as AccessLog from "../../../src/middleware/AccessLog.ts"
import type { Outcome } from "../../../src/Outcome.ts"
import * as Request from "../../../src/Request.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Sse from "../../../src/Sse.ts"
import { until } from "../both.ts"
import { start } from "../started.ts"
import { ask, post, session, test } from "./client.ts"

describe("logs and problems over HTTP/2", () => {
  const lines: Array<string> = []
  const app = App.make({
    home: Route.get("/", Response.text("home")),
    gone: Route.get("/gone", Effect.fail(new HttpError.Gone({ text: "It was sold" })))
  })
  test(
    "a line of the access log says HTTP/2.0 and the bytes of the body",
    app,
    (client) =>
      Effect.gen(function* () {
        yield* ask(client, { ":path": "/", "user-agent": "me" })
        yield* ask(client, { ":path": "/gone" })
        yield* until(() => lines.length === 2)
        assert.match(String(lines[0]), /^127\.0\.0\.1 .* "GET \/ HTTP\/2\.0" 200 4 "-" "me"$/)
        assert.match(String(lines[1]), /"GET \/gone HTTP\/2\.0" 410 \d+/)
      }),
    { accessLog: { format: (entry) => `${lines.push(AccessLog.combined(entry) as string)}` } }
  )
  test("failures are problems", app, (client) =>
    Effect.gen(function* () {
      const { body, headers, status } = yield* ask(client, { ":path": "/gone", accept: "application/json" })
      assert.deepStrictEqual([status, headers["content-type"]], [410, "application/problem+json"])
      assert.include(String(body), "It was sold")
      const methods = yield* ask(client, post("/gone"))
      assert.deepStrictEqual([methods.status, methods.headers.allow], [405, "GET, HEAD, OPTIONS"])
      assert.strictEqual((yield* ask(client, { ":path": "/nowhere" })).status, 404)
    })
  )
})

describe("policies over HTTP/2", () => {
  const seen: Array<string> = []
  let open = () => {}
  const gate = Effect.callback<void>((resume) => {
    open = () => resume(Effect.void)
    seen.push("waits")
  })
  const never = Effect.onInterrupt(Effect.never, () => Effect.sync(() => seen.push("interrupted")))
  const through = Effect.map(gate, () => {
    seen.push("through")
    return Response.text("through")
  })
  const app = App.make({
    slow: Route.get("/slow", never).pipe(Route.timeout("50 millis")),
    one: Route.get("/one", through).pipe(Route.concurrency({ limit: 1 })),
    finish: Route.get("/finish", through).pipe(Route.onDisconnect("finish"))
  })
  const tried: typeof test = (name, app, run, options) =>
    test(
      name,
      app,
      (client, server) => {
        seen.length = 0
        return run(client, server)
      },
      options
    )
  tried("a time limit interrupts, and is 503", app, (client) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask(client, { ":path": "/slow" })).status, 503)
      assert.deepStrictEqual(seen, ["interrupted"])
    })
  )
  tried("one place is one place for all streams of a session", app, (client) =>
    Effect.gen(function* () {
      const first = yield* Effect.forkChild(ask(client, { ":path": "/one" }), { startImmediately: true })
      yield* until(() => seen.length === 1)
      assert.strictEqual((yield* ask(client, { ":path": "/one" })).status, 503)
      open()
      assert.strictEqual((yield* Fiber.join(first)).status, 200)
    })
  )
  tried("a handler that finishes does so when its stream is reset", app, (client) =>
    Effect.gen(function* () {
      const stream = client.request({ ":path": "/finish" }).on("error", () => {})
      yield* until(() => seen.length === 1)
      const closed = Effect.callback<void>((resume) => void stream.once("close", () => resume(Effect.void)))
      stream.close(8)
      yield* closed
      open()
      yield* until(() => seen.length === 2)
      assert.deepStrictEqual(seen, ["waits", "through"])
    })
  )
})

describe("what becomes of a request over HTTP/2", () => {
  const outcomes: Array<Pick<Outcome, "result" | "status">> = []
  const read = Effect.map(Body.bytes(), ({ length }) => Response.text(String(length)))
  const app = App.make({
    read: Route.post("/read", read),
    never: Route.post("/never", Effect.never),
    stream: Route.post("/stream", Response.stream(Stream.concat(Stream.make(Buffer.from("a")), Stream.never)))
  })
  const accessLog: AccessLog.Options = {
    format: ({ outcome: { result, status } }) => `${outcomes.push({ result, status })}`
  }
  const rows: ReadonlyArray<
    readonly [name: string, path: string, begin: (stream: Http2.ClientHttp2Stream) => void, wanted: string]
  > = [
    ["a body that does not come within requestTimeout is 408", "/read", () => {}, "408 timedOut 408 0"],
    [
      "a request that is not whole within requestTimeout is reset when nobody reads it",
      "/never",
      () => {},
      "reset timedOut 408 2"
    ],
    ["so is one whose answer has begun", "/stream", () => {}, "200 timedOut 200 2"],
    [
      "one with less than its length is the client's fault",
      "/never",
      (stream) => stream.end("12"),
      "reset clientAborted 499 1"
    ]
  ]
  for (const [name, path, begin, wanted] of rows) {
    test(
      name,
      app,
      (client) =>
        Effect.gen(function* () {
          outcomes.length = 0
          const stream = client.request({ ...post(path), "content-length": 4 }, { endStream: false })
          let said = "reset"
          stream.on("response", (headers) => {
            said = String(headers[":status"])
          })
          stream.on("error", () => {}).resume()
          begin(stream)
          yield* Effect.callback<void>((resume) => void stream.once("close", () => resume(Effect.void)))
          yield* until(() => outcomes.length === 1)
          const [{ result, status } = { result: "", status: 0 }] = outcomes
          assert.strictEqual(`${said} ${result} ${status} ${stream.rstCode}`, wanted)
        }),
      { accessLog, headersTimeout: "200 millis", requestTimeout: "200 millis" }
    )
  }
})

describe("an upload that its client breaks off, over HTTP/2", () => {
  const slow = Effect.flatMap(Request.current, ({ stream }) =>
    Effect.as(
      Stream.runForEach(stream, () => Effect.sleep(10)),
      Response.text("")
    )
  )
  const app = App.make({
    echo: Route.post(
      "/echo",
      Effect.map(Request.current, ({ stream }) => Response.stream(stream))
    ),
    slow: Route.post("/slow", slow),
    read: Route.post("/read", Effect.as(Body.bytes(), Response.text("")))
  })
  for (const path of ["/echo", "/slow", "/read"]) {
    test(`ends its reader, and nothing else: ${path}`, app, (client) =>
      Effect.gen(function* () {
        const stream = client.request(post(path), { endStream: false }).on("error", () => {})
        for (let at = 0; at < 10; at++) stream.write(Buffer.alloc(65_536))
        yield* Effect.sleep(30)
        const closed = Effect.callback<void>((resume) => void stream.once("close", () => resume(Effect.void)))
        stream.close(8)
        yield* closed
        yield* Effect.sleep(30)
        assert.strictEqual((yield* ask(client, post("/read"), "body")).status, 200)
      })
    )
  }
})

describe("events over HTTP/2", () => {
  const Tick = Schema.Struct({ at: Schema.Int })
  it.live("a client that comes again on another stream goes on where it was", () =>
    Effect.gen(function* () {
      const channel = yield* Sse.channel({ schema: Tick, replay: 10 })
      const events = Effect.map(channel.subscribe, (events) => Sse.response(events))
      const { server } = yield* start(App.make({ events: Route.get("/", events) }), { h2c: true })
      const client = yield* session(server)
      const listen = (headers: Http2.OutgoingHttpHeaders) => {
        const stream = client.request({ ":path": "/", ...headers }).on("error", () => {})
        let text = ""
        stream.on("data", (chunk: Buffer) => {
          text += chunk
        })
        return { stream, text: () => text }
      }
      const first = listen({ "last-event-id": "0" })
      yield* channel.publish({ at: 1 })
      yield* until(() => first.text().includes('"at":1'))
      first.stream.close(8)
      yield* channel.publish({ at: 2 })
      const [id = ""] = /(?<=id: ?)\S+(?=\n(?:event: ?\S+\n)?data: ?\{"at":1)/.exec(first.text()) ?? []
      const second = listen({ "last-event-id": id })
      yield* until(() => second.text().includes('"at":2'))
      assert.notInclude(second.text(), '"at":1')
      assert.notInclude(second.text(), "reset")
    }).pipe(Effect.scoped)
  )
})
