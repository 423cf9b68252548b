/**
 * Streamed responses against their promises: what fails before the first byte is answered, what is sent is framed right.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Redirect from "../../src/Redirect.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { both, get } from "./both.ts"

const appOf = (response: HttpServerResponse.HttpServerResponse) => App.make({ it: Route.get("/it", response) })

class Sold extends HttpError.define<Sold>()("Sold", { status: 409 }, { item: Schema.String }) {}

const nothing = Stream.make("", new Uint8Array(0)).pipe(Stream.rechunk(1))
const died = ["Error The handler died (GET /it)"]
const forbidden = Stream.fail(new HttpError.Forbidden())

describe("before its first byte a stream", () => {
  type Row = readonly [
    name: string,
    response: HttpServerResponse.HttpServerResponse,
    line: string,
    logs?: ReadonlyArray<string>
  ]
  const rows: ReadonlyArray<Row> = [
    ["fails with an HTTP error", Response.stream(forbidden), "403 Forbidden"],
    [
      "fails with one after some work",
      Response.stream(Stream.unwrap(Effect.andThen(Effect.sleep("5 millis"), new HttpError.NotFound()))),
      "404 Not Found"
    ],
    ["fails with an error of one's own", Response.stream(Stream.fail(new Sold({ item: "a" }))), "409 Conflict"],
    [
      "fails with a redirect",
      Response.stream(Stream.fail(new Redirect.SeeOther({ location: "/there" }))),
      "303 See Other"
    ],
    ["fails after chunks of nothing", Response.stream(Stream.concat(nothing, forbidden)), "403 Forbidden"],
    [
      "fails where a length is promised",
      Response.stream(forbidden, { contentLength: 5, headers: { etag: '"a"' } }),
      "403 Forbidden"
    ],
    ["fails with an unknown error", Response.stream(Stream.fail(new Error("x"))), "500 Internal Server Error", died],
    ["dies", Response.stream(Stream.die(new Error("x"))), "500 Internal Server Error", died],
    ["gives what is no bytes", HttpServerResponse.stream(Stream.make(1 as never)), "500 Internal Server Error", died],
    ["ends before its length", Response.stream(Stream.empty, { contentLength: 1 }), "500 Internal Server Error", died],
    ["is over its length", Response.stream(Stream.make("ab"), { contentLength: 1 }), "500 Internal Server Error", died],
    [
      "is over its length as the headers say it",
      Response.stream(Stream.make("ab"), { headers: { "content-length": "1" } }),
      "500 Internal Server Error",
      died
    ]
  ]
  for (const [name, response, line, wanted = []] of rows) {
    both(`${name}: it is answered with ${line}, and the connection goes on`, appOf(response), ({ logs, wire }) =>
      Effect.gen(function* () {
        for (const _ of [1, 2]) {
          yield* wire.send(get("/it"))
          const answer = yield* wire.answer()
          assert.strictEqual(answer.line, line)
          assert.strictEqual(answer.headers.etag, undefined)
        }
        assert.deepStrictEqual(logs, [...wanted, ...wanted])
      })
    )
  }
})

describe("a stream", () => {
  both("of nothing has no body", appOf(Response.stream(nothing)), ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/it"))
      const { body, framing } = yield* wire.answer()
      assert.deepStrictEqual([framing, body.length], ["length", 0])
    })
  )

  const lengths = [
    ["without a length", undefined],
    ["with its length", 6]
  ] as const
  for (const [name, contentLength] of lengths) {
    let runs = 0
    const body = Stream.suspend(() => {
      runs++
      return Stream.make("one", "", "two").pipe(Stream.rechunk(1))
    })
    both(
      `${name} is not run for HEAD, whose answer has the headers of GET`,
      appOf(Response.stream(body, { contentLength })),
      ({ wire }) =>
        Effect.gen(function* () {
          runs = 0
          yield* wire.send("HEAD /it HTTP/1.1\r\nHost: a\r\n\r\n")
          const head = yield* wire.answer("HEAD")
          assert.strictEqual(runs, 0)
          yield* wire.send(get("/it"))
          const answer = yield* wire.answer()
          assert.deepStrictEqual(
            [answer.framing, answer.body.toString()],
            [contentLength === undefined ? "chunked" : "length", "onetwo"]
          )
          assert.strictEqual(head.headers["content-length"], answer.headers["content-length"])
          assert.strictEqual(head.headers["content-type"], answer.headers["content-type"])
          assert.strictEqual(runs, 1)
        })
    )
  }

  both(
    "that fails when its length is sent has answered whole",
    appOf(Response.stream(Stream.concat(Stream.make("one"), Stream.fail(new Error("x"))), { contentLength: 3 })),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        assert.strictEqual((yield* wire.answer()).body.toString(), "one")
        assert.strictEqual(yield* wire.closed, "")
      })
  )
})
