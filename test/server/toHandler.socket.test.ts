/**
 * An app as a standard Effect HTTP app: under Effect's own server on Node it answers as under ours.
 */
import * as Zlib from "node:zlib"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { get, post, recorder, until } from "./both.ts"
import { connectTo } from "./started.ts"

const events: Array<string> = []

const app = App.make({
  hello: Route.get("/hello/{name}", ({ params }) => Effect.succeed(Response.text(`Hello, ${params.name}`))),
  echo: Route.post(
    "/echo",
    Effect.map(Body.bytes(), (bytes) => Response.bytes(bytes))
  ),
  json: Route.post(
    "/json",
    Effect.map(Body.json(Schema.Struct({ a: Schema.Int })), (value) => Response.json(value))
  ),
  stream: Route.post(
    "/stream",
    Effect.map(Stream.runCount(Body.stream({ limit: "10 bytes" })), (count) => Response.json(count))
  ),
  tagged: Route.get("/tagged", Effect.succeed(Response.text("tagged").pipe(Response.etag("1")))),
  chunks: Route.get("/chunks", Effect.succeed(Response.stream(Stream.make("one", "two")))),
  forbidden: Route.get(
    "/forbidden",
    Effect.suspend(() => Effect.fail(new HttpError.Forbidden()))
  ),
  defect: Route.get("/defect", Effect.die(new Error("secret"))),
  nothing: Route.get("/nothing", Effect.succeed(undefined as never)),
  never: Route.get(
    "/never",
    Effect.suspend(() => {
      events.push("started")
      return Effect.never
    }).pipe(Effect.onInterrupt(() => Effect.sync(() => void events.push("interrupted"))))
  )
}).pipe(App.use(Middleware.onResponse(Response.setHeader("x-app", "1"))))

const gzipped = Zlib.gzipSync("hello")
const gzippedPost = Buffer.concat([
  Buffer.from(`POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: ${gzipped.length}\r\n\r\n`),
  gzipped
])

const json = "Content-Type: application/json\r\n"
const problem = { "content-type": "application/problem+json", "x-app": "1" }

type Row = readonly [
  name: string,
  bytes: string | Uint8Array,
  line: number,
  facts: { readonly body?: string; readonly headers?: Readonly<Record<string, string>>; readonly method?: string }
]

const rows: ReadonlyArray<Row> = [
  ["parameters", get("/hello/Ada"), 200, { body: "Hello, Ada", headers: { "x-app": "1" } }],
  ["an unknown path", get("/unknown"), 404, { headers: problem }],
  ["another method", post("/hello/Ada", ""), 405, { headers: { ...problem, allow: "GET, HEAD, OPTIONS" } }],
  ["OPTIONS", "OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n", 204, { headers: { allow: "OPTIONS, POST" } }],
  ["HEAD", "HEAD /hello/Ada HTTP/1.1\r\nHost: a\r\n\r\n", 200, { method: "HEAD", headers: { "content-length": "10" } }],
  ["a body", post("/echo", "body"), 200, { body: "body" }],
  ["a body in gzip", gzippedPost, 200, { body: "hello" }],
  ["a body above the limit", post("/echo", "x".repeat(1_048_577)), 413, { headers: problem }],
  ["a stream within its limit", post("/stream", "x".repeat(10)), 200, {}],
  ["a stream above its limit", post("/stream", "x".repeat(11)), 413, { headers: problem }],
  ["a body that is no JSON", post("/json", "{", json), 400, { headers: problem }],
  ["a body that is not the schema", post("/json", '{"a":1.5}', json), 422, { headers: problem }],
  ["a body of another type", post("/json", "{}"), 415, { headers: problem }],
  ["a typed failure", get("/forbidden"), 403, { headers: problem }],
  ["a precondition", get("/tagged", 'If-None-Match: "1"\r\n'), 304, {}],
  ["a stream", get("/chunks"), 200, { body: "onetwo" }],
  [
    "a bad Host",
    "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    400,
    { headers: { "content-type": "application/problem+json" } }
  ]
]

/** Runs a test against the app under Effect's server. */
const served = <E>(test: (port: number, logs: ReadonlyArray<string>) => Effect.Effect<unknown, E, never>) => {
  const { layer, logs } = recorder()
  return Effect.gen(function* () {
    yield* HttpServer.serveEffect(App.toHandler(app))
    const { address } = yield* HttpServer.HttpServer
    yield* test("port" in address ? address.port : 0, logs)
  }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(NodeHttpServer.layerTest, layer)))
}

describe("under Effect's server", () => {
  for (const [name, bytes, status, { body, headers = {}, method }] of rows) {
    it.live(name, () =>
      served((port, logs) =>
        Effect.scoped(
          Effect.gen(function* () {
            const wire = yield* connectTo(port)
            yield* wire.send(bytes)
            const answer = yield* wire.answer(method)
            assert.strictEqual(answer.status, status)
            if (body !== undefined) assert.strictEqual(answer.body.toString(), body)
            for (const [name, value] of Object.entries(headers)) assert.strictEqual(answer.headers[name], value)
            assert.deepStrictEqual(logs, [])
          })
        )
      )
    )
  }

  for (const path of ["/defect", "/nothing"]) {
    it.live(`${path} is a 500 that is logged`, () =>
      served((port, logs) =>
        Effect.scoped(
          Effect.gen(function* () {
            const wire = yield* connectTo(port)
            yield* wire.send(get(path))
            const answer = yield* wire.answer()
            assert.deepStrictEqual([answer.status, answer.headers["content-type"]], [500, "application/problem+json"])
            assert.notInclude(answer.body.toString(), "secret")
            assert.deepStrictEqual(logs, [`Error The handler died (GET ${path})`])
          })
        )
      )
    )
  }

  it.live("a client that leaves interrupts its handler", () =>
    served((port) =>
      Effect.scoped(
        Effect.gen(function* () {
          const wire = yield* connectTo(port)
          yield* wire.send(get("/never"))
          yield* until(() => events.length === 1)
          wire.socket.destroy()
          yield* until(() => events.length === 2)
          assert.deepStrictEqual(events, ["started", "interrupted"])
        })
      )
    )
  )
})
