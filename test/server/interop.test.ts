/**
 * The request as Effect's own: what takes one of Effect takes ours.
 */
import * as Http from "node:http"
import * as Zlib from "node:zlib"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Multipart from "effect/http/Multipart"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { both, get, post } from "./both.ts"

type Request = HttpServerRequest.HttpServerRequest
const request = HttpServerRequest.HttpServerRequest

type Answered = App.App<never, never, { readonly it: Route.Any }>

/** An app that answers with what is made of the request. */
const seen = <E, R>(f: (request: Request) => Effect.Effect<unknown, E, R>): Answered =>
  App.make({
    it: Route.any(
      "/it",
      Effect.flatMap(request, f).pipe(
        Effect.map((value): HttpServerResponse.HttpServerResponse => Response.json(value)),
        Effect.orDie
      )
    )
    // The engine has Node's services too.
  }) as unknown as Answered

type Row = readonly [name: string, app: Answered, bytes: string | Uint8Array, wanted: unknown]

const boundary = "Content-Type: multipart/form-data; boundary=x\r\n"
const field = '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
const parts = [
  field,
  '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n'
].join("")

const gzipped = Zlib.gzipSync(parts)
const gzippedPost = Buffer.concat([
  Buffer.from(
    `POST /it HTTP/1.1\r\nHost: a\r\n${boundary}Content-Encoding: gzip\r\nContent-Length: ${gzipped.length}\r\n\r\n`
  ),
  gzipped
])

const persisted = seen((request) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { file, name } = yield* request.multipart
      const [first] = file as ReadonlyArray<Multipart.PersistedFile>
      const content = yield* (yield* FileSystem.FileSystem).readFileString(first?.path ?? "")
      return [name, first?.name, content]
    })
  )
)

const rows: ReadonlyArray<Row> = [
  [
    "toIncomingMessage gives Node's own",
    seen((request) =>
      Effect.sync(() => {
        const incoming = NodeHttpServerRequest.toIncomingMessage(request)
        return [incoming instanceof Http.IncomingMessage, incoming.method, incoming.url]
      })
    ),
    get("/it?a=1"),
    [true, "GET", "/it?a=1"]
  ],
  [
    "toServerResponse gives Node's own",
    seen((request) =>
      Effect.sync(() => NodeHttpServerRequest.toServerResponse(request) instanceof Http.ServerResponse)
    ),
    get("/it"),
    true
  ],
  [
    "toWeb of GET",
    seen((request) =>
      Effect.map(HttpServerRequest.toWeb(request), ({ headers, method, url }) => [method, url, headers.get("x")])
    ),
    get("/it?a=1", "X: y\r\n"),
    ["GET", "http://a/it?a=1", "y"]
  ],
  [
    "toWeb of POST, with its body",
    seen((request) => Effect.flatMap(HttpServerRequest.toWeb(request), (web) => Effect.promise(() => web.text()))),
    post("/it", "body"),
    "body"
  ],
  [
    "toURL",
    seen((request) => Effect.succeed(Option.map(HttpServerRequest.toURL(request), String).pipe(Option.getOrNull))),
    get("/it?a=1"),
    "http://a/it?a=1"
  ],
  ["text", seen((request) => request.text), post("/it", "body"), "body"],
  ["json", seen((request) => request.json), post("/it", '{"a":1}'), { a: 1 }],
  ["json of nothing", seen((request) => request.json), get("/it"), null],
  [
    "urlParamsBody",
    seen((request) => Effect.map(request.urlParamsBody, (params) => [...params])),
    post("/it", "a=1&b=2"),
    [
      ["a", "1"],
      ["b", "2"]
    ]
  ],
  [
    "arrayBuffer",
    seen((request) => Effect.map(request.arrayBuffer, (buffer) => [...new Uint8Array(buffer)])),
    post("/it", "\x01\x02"),
    [1, 2]
  ],
  ["stream", seen((request) => Stream.mkString(Stream.decodeText(request.stream))), post("/it", "body"), "body"],
  [
    "schemaBodyJson",
    seen(() => HttpServerRequest.schemaBodyJson(Schema.Struct({ a: Schema.Number }))),
    post("/it", '{"a":1}'),
    { a: 1 }
  ],
  [
    "schemaHeaders",
    seen(() => HttpServerRequest.schemaHeaders(Schema.Struct({ x: Schema.String }))),
    get("/it", "X: y\r\n"),
    { x: "y" }
  ],
  [
    "schemaCookies",
    seen(() => HttpServerRequest.schemaCookies(Schema.Struct({ a: Schema.String }))),
    get("/it", "Cookie: a=1\r\n"),
    { a: "1" }
  ],
  [
    "schemaBodyUrlParams",
    seen(() => HttpServerRequest.schemaBodyUrlParams(Schema.Struct({ a: Schema.String }))),
    post("/it", "a=1"),
    { a: "1" }
  ],
  [
    "schemaBodyForm of a multipart form",
    seen(() => Effect.scoped(HttpServerRequest.schemaBodyForm(Schema.Struct({ name: Schema.String })))),
    post("/it", parts, boundary),
    { name: "Ada" }
  ],
  ["multipart in temporary files", persisted, post("/it", parts, boundary), ["Ada", "a.txt", "hello"]],
  ["multipart in gzip", persisted, gzippedPost, ["Ada", "a.txt", "hello"]],
  [
    "multipart after the body was read whole",
    seen((request) => Effect.andThen(request.text, Effect.scoped(Effect.map(request.multipart, ({ name }) => name)))),
    post("/it", parts, boundary),
    "Ada"
  ],
  [
    "multipartStream",
    seen((request) => Stream.runCollect(Stream.map(request.multipartStream, (part) => part.key))),
    post("/it", `${field}--x--\r\n`, boundary),
    ["name"]
  ],
  [
    "the body twice",
    seen((request) => Effect.all([request.text, request.text, request.json])),
    post("/it", '"a"'),
    ['"a"', '"a"', "a"]
  ],
  [
    "the body twice at once",
    seen((request) => Effect.all([request.text, request.text], { concurrency: 2 })),
    post("/it", "a"),
    ["a", "a"]
  ],
  [
    "the body whole, then as a stream",
    seen((request) => Effect.all([request.text, Stream.mkString(Stream.decodeText(request.stream))])),
    post("/it", "a"),
    ["a", "a"]
  ],
  [
    "the body of a changed request",
    seen((request) => Effect.all([request.modify({ url: "/other" }).text, request.text])),
    post("/it", "a"),
    ["a", "a"]
  ],
  [
    "the address of the client",
    seen(({ remoteAddress }) => Effect.succeed(Option.getOrNull(remoteAddress))),
    get("/it"),
    "127.0.0.1"
  ],
  [
    "the text of a request shows no secrets",
    seen((request) => Effect.succeed(String(request))),
    get("/it"),
    "NodeRequest(GET /it)"
  ]
]

describe("of a request", () => {
  for (const [name, app, bytes, wanted] of rows) {
    both(name, app, ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(bytes)
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.status, JSON.parse(answer.body.toString())], [200, wanted])
        assert.deepStrictEqual(logs, [])
      })
    )
  }
})

describe("a body that is taken as a stream", () => {
  const twice = seen((request) => Effect.andThen(Stream.runDrain(request.stream), request.text))
  both("comes once: to read it again is a defect that says so", twice, ({ logs, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(post("/it", "a"))
      assert.strictEqual((yield* wire.answer()).status, 500)
      assert.deepStrictEqual(logs, ["Error The handler died (POST /it)"])
    })
  )
})

describe("a client error inside Effect's own API", () => {
  const limited = Multipart.limitsServices({ maxTotalSize: "10 bytes" })
  const app = App.make({
    multipart: Route.post(
      "/multipart",
      Effect.scoped(
        Effect.as(
          Effect.flatMap(request, ({ multipart }) => multipart),
          Response.empty()
        )
      )
    ),
    limited: Route.post(
      "/limited",
      Effect.scoped(
        Effect.as(
          Effect.flatMap(request, ({ multipart }) => multipart),
          Response.empty()
        )
      ).pipe(Effect.provideContext(limited as never))
    ),
    json: Route.post(
      "/json",
      Effect.as(
        Effect.flatMap(request, ({ json }) => json),
        Response.empty()
      )
    ),
    upgrade: Route.get(
      "/upgrade",
      Effect.as(
        Effect.flatMap(request, ({ upgrade }) => upgrade),
        Response.empty()
      )
    ),
    body: Route.post("/body", Effect.as(Body.json(Schema.Struct({ a: Schema.Number })), Response.empty()))
    // The engine has Node's services too.
  }) as unknown as Answered
  const rows: ReadonlyArray<readonly [name: string, bytes: string, status: number]> = [
    ["a multipart body that ends too early", post("/multipart", parts.slice(0, 100), boundary), 400],
    ["a multipart body without a boundary", post("/multipart", parts, "Content-Type: multipart/form-data\r\n"), 400],
    ["a multipart body of another type", post("/multipart", parts, "Content-Type: text/plain\r\n"), 400],
    ["a multipart body in an unknown coding", post("/multipart", parts, `${boundary}Content-Encoding: x\r\n`), 415],
    ["a multipart body in a broken coding", post("/multipart", parts, `${boundary}Content-Encoding: gzip\r\n`), 400],
    ["a multipart body that is too large", post("/limited", parts, boundary), 413],
    ["a body that is no JSON", post("/json", "{"), 400],
    ["a body that is not the schema", post("/body", "{}", "Content-Type: application/json\r\n"), 422],
    ["a body that is too large", post("/json", "x".repeat(1_048_577)), 413],
    ["an upgrade that was not asked for", get("/upgrade"), 426]
  ]
  for (const [name, bytes, status] of rows) {
    both(`${name} is a ${status}`, app, ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(bytes)
        assert.strictEqual((yield* wire.answer()).status, status)
        assert.deepStrictEqual(
          logs.filter((line) => !line.startsWith("Debug")),
          []
        )
      })
    )
  }
})
