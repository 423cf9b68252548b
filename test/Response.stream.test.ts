/**
 * Streams of values by a schema: what they send, in described routes too, and what a value that does not encode does.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Ndjson from "effect/encoding/Ndjson"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Compression from "../src/middleware/Compression.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import { both, get } from "./server/both.ts"

class Row extends Schema.Class<Row>("Row")({ id: Schema.Int, at: Schema.Date, text: Schema.String }) {}

const at = new Date(0)
const row = (id: number, text = "") => new Row({ id, at, text })
const rows = Stream.make(row(1), row(2, "a\n\r\u2028é"), row(3)).pipe(Stream.rechunk(2))
const lines =
  '{"id":1,"at":"1970-01-01T00:00:00.000Z","text":""}\n' +
  '{"id":2,"at":"1970-01-01T00:00:00.000Z","text":"a\\n\\r\u2028é"}\n' +
  '{"id":3,"at":"1970-01-01T00:00:00.000Z","text":""}\n'
const numbers = Stream.range(1, 3)

describe("a stream of values is sent", () => {
  type Case = readonly [name: string, response: HttpServerResponse, type: string, body: string, status?: number]
  const cases: ReadonlyArray<Case> = [
    ["as a line of JSON for each", Response.ndjson(Row, rows), "application/x-ndjson", lines],
    ["as no line where there is none", Response.ndjson(Row, Stream.empty), "application/x-ndjson", ""],
    [
      "with the options of a response",
      Response.ndjson(Schema.Int, numbers, { status: 203, contentType: "application/jsonl" }),
      "application/jsonl",
      "1\n2\n3\n",
      203
    ],
    [
      "as text, as it is encoded",
      Response.textStream(Schema.FiniteFromString, numbers),
      "text/plain; charset=utf-8",
      "123"
    ],
    [
      "as text of another type",
      Response.textStream(Schema.String, Stream.make("a,b\n", "", "é"), { headers: { "content-type": "text/csv" } }),
      "text/csv",
      "a,b\né"
    ]
  ]
  for (const [name, response, type, body, status = 200] of cases) {
    served(name, App.make({ it: Route.get("/", response) }), (client) =>
      Effect.gen(function* () {
        const answer = yield* client.get("/")
        assert.deepStrictEqual([answer.status, answer.headers["content-type"]], [status, type])
        assert.strictEqual(yield* answer.text, body)
      })
    )
  }
})

describe("a described route", () => {
  class Closed extends HttpError.define<Closed>()("Closed", { status: 409 }) {}
  const app = App.make({
    rows: Route.get("/rows", { success: Response.ndjson(Row), errors: [Closed] }, () => Effect.succeed(rows)),
    text: Route.get("/text", { success: Response.textStream(Schema.String, { contentType: "text/csv" }) }, () =>
      Effect.succeed(Stream.make("a", "b"))
    ),
    closed: Route.get("/closed", { success: Response.ndjson(Row), errors: [Closed] }, () => Effect.fail(new Closed())),
    late: Route.get("/late", { success: Response.ndjson(Row) }, () => Effect.succeed(Stream.fail(new Closed())))
  })
  served("returns a stream of values", app, (client) =>
    Effect.gen(function* () {
      const answer = yield* client.get("/rows")
      assert.strictEqual(answer.headers["content-type"], "application/x-ndjson")
      assert.strictEqual(yield* answer.text, lines)
      const text = yield* client.get("/text")
      assert.deepStrictEqual([text.headers["content-type"], yield* text.text], ["text/csv", "ab"])
      assert.strictEqual((yield* client.get("/closed")).status, 409)
      assert.strictEqual((yield* client.get("/late")).status, 409)
    })
  )

  served("is read by Effect's own decoder", app, (client) =>
    Effect.gen(function* () {
      const answer = yield* client.get("/rows")
      const read = yield* answer.stream.pipe(
        Stream.pipeThroughChannel(Ndjson.decodeSchema(Schema.toCodecJson(Row))()),
        Stream.runCollect
      )
      assert.deepStrictEqual(read, [row(1), row(2, "a\n\r\u2028é"), row(3)])
    })
  )

  it("says what it sends", () => {
    const success = Response.ndjson(Row, { status: 202 })
    expectTypeOf(success).toEqualTypeOf<Response.Described<Stream.Stream<Row, unknown>>>()
    assert.deepStrictEqual([success.schema, success.status, success.contentType], [Row, 202, "application/x-ndjson"])
    const typed = Response.textStream(Schema.String, { headers: { "Content-Type": "text/csv" } })
    assert.strictEqual(typed.contentType, "text/csv")
  })
})

describe("a value that does not encode", () => {
  const bad = { id: 1.5, at, text: "" } as Row
  const app = App.make({
    first: Route.get("/first", Response.ndjson(Row, Stream.make(bad))),
    later: Route.get("/later", Response.ndjson(Row, Stream.make(row(1), bad).pipe(Stream.rechunk(1)))),
    text: Route.get("/text", Response.textStream(Schema.String, Stream.make(1 as never)))
  })
  both("is a 500 before the first byte", app, ({ logs, wire }) =>
    Effect.gen(function* () {
      for (const path of ["/first", "/text"]) {
        yield* wire.send(get(path))
        assert.strictEqual((yield* wire.answer()).status, 500)
      }
      assert.deepStrictEqual(logs, ["Error The handler died (GET /first)", "Error The handler died (GET /text)"])
    })
  )
  both("cuts the connection after it", app, ({ logs, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/later"))
      yield* wire.until('{"id":1,')
      assert.notInclude(yield* wire.closed, "\r\n0\r\n")
      assert.deepStrictEqual(logs, ["Error A response broke off after its head was sent (GET /later)"])
    })
  )
})

it("mistakes do not compile, and what cannot be written throws", () => {
  // @ts-expect-error the values are not those of the schema
  void Response.ndjson(Schema.Int, Stream.make("a"))
  // @ts-expect-error the schema does not encode to text
  void Response.textStream(Schema.Int, Stream.make(1))
  assert.throws(() => Response.ndjson(Schema.Int, { contentType: "a\r\nb" }), TypeError)
})

it.effect(
  "many large values that come at once are sent in pieces: a client that is slow does not hold all of them",
  () =>
    Effect.gen(function* () {
      const values = Array.from({ length: 1000 }, () => "x".repeat(10_000))
      const { body } = Response.ndjson(Schema.String, Stream.fromArray(values))
      assert.strictEqual(body._tag, "Stream")
      if (body._tag !== "Stream") return
      const pieces = yield* Stream.runCollect(body.stream)
      assert.isAtMost(Math.max(...pieces.map(({ length }) => length)), 64 * 1024 + 10_003)
      assert.isAtMost(pieces.length, 200)
      assert.isTrue(Buffer.concat(pieces).equals(Buffer.from(values.map((value) => `"${value}"\n`).join(""))))
    })
)

describe("a stream whose length is not its Content-Length is no answer, also where a middleware leaves that out:", () => {
  const text = "x".repeat(2000)
  const send = (contentLength: number, ...chunks: ReadonlyArray<string>) =>
    Route.get(
      "/",
      Response.stream(Stream.make(...chunks).pipe(Stream.rechunk(1)), { contentType: "text/plain", contentLength })
    )
  const rows: ReadonlyArray<readonly [name: string, route: ReturnType<typeof send>, wanted: ReadonlyArray<unknown>]> = [
    ["too few bytes", send(2001, text), [500, undefined, "Error The handler died (GET /)"]],
    ["too many bytes", send(2001, text, "yy"), [500, undefined, "Error The handler died (GET /)"]],
    ["as many", send(2002, text, "yy"), [200, "gzip"]]
  ]
  for (const [name, route, wanted] of rows) {
    both(name, App.make({ route }).pipe(App.use(Compression.make())), ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/", "Accept-Encoding: gzip\r\n"))
        const { headers, status } = yield* wire.answer()
        assert.deepStrictEqual<ReadonlyArray<unknown>>([status, headers["content-encoding"], ...logs], wanted)
      })
    )
  }
})
