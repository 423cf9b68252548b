/**
 * Ids of requests: where they come from, and everywhere they go.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as ErrorResponse from "../../src/ErrorResponse.ts"
import { html } from "../../src/Html.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as AccessLog from "../../src/middleware/AccessLog.ts"
import * as RequestId from "../../src/middleware/RequestId.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import * as Wire from "../conformance/wire.ts"
import { upgrade } from "../frames.ts"
import { get, until } from "../server/both.ts"

/** What an outgoing client was asked to send. */
const upstream = HttpClient.make((request) =>
  Effect.succeed(
    HttpClientResponse.fromWeb(request, new globalThis.Response(request.headers["x-request-id"] ?? "none"))
  )
)

const routes = {
  current: Route.get(
    "/",
    Effect.map(RequestId.current, (id) => Response.text(String(id)))
  ),
  logs: Route.get("/logs", Effect.as(Effect.log("from the handler"), Response.text("a"))),
  streams: Route.get("/streams", Response.stream(Stream.fromEffect(Effect.as(Effect.log("from the stream"), "a")))),
  defect: Route.get("/defect", Effect.die(new Error("a"))),
  breaks: Route.get("/breaks", Response.stream(Stream.concat(Stream.make("some"), Stream.die("a")))),
  denied: Route.get("/denied", Response.text("a")).pipe(Route.use(Middleware.before(Effect.die(new Error("denied"))))),
  inner: Route.get(
    "/inner",
    Effect.map(RequestId.current, (id) => Response.text(String(id)))
  ).pipe(Route.use(RequestId.make())),
  out: Route.get(
    "/out",
    Effect.gen(function* () {
      const client = RequestId.propagate(upstream)
      const sent = yield* Effect.forEach(
        [
          client.get("http://b/"),
          client.execute(HttpClientRequest.setHeader(HttpClientRequest.get("http://b/"), "x-request-id", "own")),
          upstream.get("http://b/")
        ],
        Effect.flatMap(({ text }) => text),
        { concurrency: "unbounded" }
      )
      return Response.text(sent.join(" "))
    }).pipe(Effect.orDie)
  ),
  socket: Route.websocket(
    "/socket",
    WebSocket.raw({}, (socket) => Effect.andThen(Effect.log("from the socket"), socket.send("hi")))
  )
}

const ids = () => {
  let count = 0
  return Effect.sync(() => `id-${++count}`)
}

const app = App.make(routes).pipe(App.use(RequestId.make()))
const hex = /^[0-9a-f]{32}$/

served("an id", app, (client) =>
  Effect.gen(function* () {
    const first = yield* client.get("/")
    const second = yield* client.get("/")
    const id = String(first.headers["x-request-id"])
    assert.match(id, hex)
    assert.strictEqual(yield* first.text, id)
    assert.notStrictEqual(second.headers["x-request-id"], id)
    const brought = yield* client.get("/", { headers: { "x-request-id": "mine" } })
    assert.match(String(brought.headers["x-request-id"]), hex)
  })
)

it.effect("no two of a thousand requests have the same id", () =>
  Effect.gen(function* () {
    const client = yield* Testing.client(app)
    const all = new Set<unknown>()
    for (let count = 0; count < 1000; count++) all.add((yield* client.get("/")).headers["x-request-id"])
    assert.strictEqual(all.size, 1000)
  })
)

describe("an id that a request brings", () => {
  const rows: ReadonlyArray<readonly [brought: string, taken: boolean]> = [
    ["a", true],
    ["aZ0._-", true],
    ["x".repeat(128), true],
    ["x".repeat(129), false],
    ["", false],
    ["a b", false],
    ["a,b", false],
    ["a;b", false],
    ['a"b', false],
    ["ä", false],
    ["a/../b", false],
    ["<a>", false]
  ]
  const accepting = App.make(routes).pipe(App.use(RequestId.make({ accept: true })))
  for (const [brought, taken] of rows) {
    it.effect(`as ${JSON.stringify(brought.slice(0, 20))} is ${taken ? "taken" : "replaced"}`, () =>
      Effect.gen(function* () {
        const wire = yield* Wire.open(yield* Testing.client(accepting))
        yield* wire.send(get("/", `X-Request-Id: ${brought}\r\n`))
        const { body, headers } = yield* wire.answer()
        const id = String(headers["x-request-id"])
        assert.strictEqual(String(body), id)
        if (taken) assert.strictEqual(id, brought)
        else assert.match(id, hex)
      })
    )
  }

  it.effect("twice is replaced", () =>
    Effect.gen(function* () {
      const wire = yield* Wire.open(yield* Testing.client(accepting))
      yield* wire.send(get("/", "X-Request-Id: a\r\nX-Request-Id: b\r\n"))
      assert.match(String((yield* wire.answer()).headers["x-request-id"]), hex)
    })
  )

  const trusting = RequestId.make({ accept: ({ headers }) => headers["x-proxy"] === "secret", header: "X-Trace" })
  served(
    "is taken from whom the check trusts, in the header that is said",
    App.make(routes).pipe(App.use(trusting)),
    (client) =>
      Effect.gen(function* () {
        const trusted = yield* client.get("/", { headers: { "x-trace": "a", "x-proxy": "secret" } })
        assert.strictEqual(trusted.headers["x-trace"], "a")
        const other = yield* client.get("/", { headers: { "x-trace": "a" } })
        assert.match(String(other.headers["x-trace"]), hex)
        assert.isUndefined(other.headers["x-request-id"])
      })
  )

  it("a header with a bad name is refused when it is declared", () => {
    assert.throws(() => RequestId.make({ header: "x request" }), TypeError, "leave it out for x-request-id")
  })
})

served("the id is on error answers", app.pipe(App.use(RequestId.make({ generate: ids() }))), (client) =>
  Effect.gen(function* () {
    const ask = (path: string, accept: string) => client.get(path, { headers: { accept } })
    const missing = yield* ask("/nowhere", "*/*")
    assert.deepInclude(yield* missing.json, { status: 404, requestId: missing.headers["x-request-id"] })
    const page = yield* ask("/nowhere", "text/html")
    assert.include(yield* page.text, `<p>Request <code>${page.headers["x-request-id"]}</code></p>`)
    const text = yield* ask("/nowhere", "text/plain")
    assert.strictEqual(yield* text.text, `404: Not Found\nRequest ${text.headers["x-request-id"]}`)
    assert.match(String(missing.headers["x-request-id"]), /^id-\d+$/)
    assert.match(String((yield* client.post("/logs")).headers["x-request-id"]), /^id-\d+$/)
    assert.match(String((yield* client.get("/inner")).headers["x-request-id"]), /^id-\d+$/)
  }).pipe(quiet)
)

const own = ErrorResponse.html(({ error, request }) => html`${error.status} ${RequestId.of(request)}`)
served(
  "the id is there for error pages of one's own",
  App.make(routes, { errorResponse: own }).pipe(App.use(RequestId.make())),
  (client) =>
    Effect.gen(function* () {
      const response = yield* client.get("/nowhere", { headers: { accept: "text/html" } })
      assert.strictEqual(yield* response.text, `404 ${response.headers["x-request-id"]}`)
    })
)

served("the id is on requests of a client that propagates it, where they have none", app, (client) =>
  Effect.gen(function* () {
    const response = yield* client.get("/out")
    assert.strictEqual(yield* response.text, `${response.headers["x-request-id"]} own none`)
  })
)

it.effect("outside of requests there is no id", () =>
  Effect.gen(function* () {
    assert.isUndefined(yield* RequestId.current)
    assert.strictEqual(yield* (yield* RequestId.propagate(upstream).get("http://b/")).text, "none")
  })
)

function quiet<A, E, R>(effect: Effect.Effect<A, E, R>) {
  return Effect.provide(effect, Logger.layer([]))
}

describe("the id is on the line", () => {
  const rows: ReadonlyArray<readonly [path: string, line: string, level: string]> = [
    ["/logs", "from the handler", "Info"],
    ["/streams", "from the stream", "Info"],
    ["/defect", "The handler died", "Error"],
    ["/denied", "The handler died", "Error"],
    ["/breaks", "A response broke off after its head was sent", "Error"],
    ["/socket", "from the socket", "Info"]
  ]
  for (const order of ["inside of", "outside of"] as const) {
    const both = [App.use(AccessLog.make()), App.use(RequestId.make())] as const
    const [first, second] = order === "inside of" ? [both[1], both[0]] : both
    const app = App.make(routes).pipe(first, second)
    for (const [path, line, level] of rows) {
      it.effect(`of what is logged for ${path}, and of the access log; with RequestId ${order} AccessLog`, () => {
        const logged: Array<readonly [level: string, message: string, requestId: unknown, outcome: unknown]> = []
        const logger = Logger.make(({ fiber, logLevel, message }) => {
          const { outcome, requestId } = fiber.getRef(References.CurrentLogAnnotations)
          logged.push([logLevel, [message].flat().join(" "), requestId, outcome])
        })
        return Effect.gen(function* () {
          const wire = yield* Wire.open(yield* Testing.client(app))
          let head: string
          if (path === "/socket") head = (yield* upgrade(wire, path)).head
          else {
            yield* wire.send(get(path, "Connection: close\r\n"))
            head = yield* wire.until("\r\n\r\n")
          }
          wire.socket.on("data", () => {})
          if (path === "/socket") wire.socket.destroy()
          const id = /x-request-id: (\w+)/.exec(head)?.[1]
          assert.match(String(id), hex)
          yield* until(() => logged.some(([, , , outcome]) => outcome !== undefined))
          const access = logged.filter(([, , , outcome]) => outcome !== undefined)
          const others = logged.filter(([, , , outcome]) => outcome === undefined)
          assert.deepStrictEqual(others, [[level, line, id, undefined]])
          assert.deepStrictEqual(
            access.map(([, , requestId]) => requestId),
            [id]
          )
        }).pipe(Effect.provide(Logger.layer([logger])))
      })
    }
  }
})
