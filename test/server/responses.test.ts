/**
 * What handlers may give, and what they may not: every mistake is a 500 that is logged, or a connection that is cut.
 */
import { Readable } from "node:stream"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import type { Handler } from "../../src/Handler.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { both, get } from "./both.ts"

const appOf = <E>(handler: Handler<E>) => App.make({ it: Route.get("/it", handler) })
const succeed = (value: unknown) => Effect.succeed(value as HttpServerResponse.HttpServerResponse)
const probe = App.make({ probe: Route.get("/probe", Effect.succeed(Response.text("probe"))) })
const died = "Error The handler died (GET /it)"

describe("is a 500 that is logged", () => {
  type Row = readonly [name: string, handler: Handler]
  const text = (headers: Record<string, string>) => succeed(HttpServerResponse.text("body", { headers }))
  const sized = (length: string) =>
    succeed(HttpServerResponse.setHeader(HttpServerResponse.text("body"), "content-length", length))
  const rows: ReadonlyArray<Row> = [
    ["nothing", succeed(undefined)],
    ["null", succeed(null)],
    ["a string", succeed("text")],
    ["a number", succeed(200)],
    ["an object", succeed({ status: 200 })],
    ["a Response of the web", succeed(new globalThis.Response("text"))],
    ["a promise", succeed(Promise.resolve(Response.text("text")))],
    ["a defect", Effect.die(new Error("secret"))],
    ["an exception", Effect.sync(() => JSON.parse("secret"))],
    ["a status of 99", succeed(HttpServerResponse.empty({ status: 99 }))],
    ["a status of 100", succeed(HttpServerResponse.empty({ status: 100 }))],
    ["a status of 101", succeed(HttpServerResponse.empty({ status: 101 }))],
    ["a status of 999", succeed(HttpServerResponse.empty({ status: 999 }))],
    ["a status that is no number", succeed(HttpServerResponse.empty({ status: Number.NaN }))],
    ["CR and LF in a header", text({ x: "a\r\nSet-Cookie: b" })],
    ["LF in a header", text({ x: "a\nb" })],
    ["CR in a header", text({ x: "a\rb" })],
    ["NUL in a header", text({ x: "a\0b" })],
    ["a header above latin1", text({ x: "\u010d\u010a" })],
    ["CR and LF in the name of a header", text({ "x\r\ny": "a" })],
    ["an empty name of a header", text({ "": "a" })],
    ["CR and LF in the reason phrase", succeed(HttpServerResponse.empty({ status: 200, statusText: "a\r\nb: c" }))],
    ["a length that is more than the body", sized("5")],
    ["a length that is less than the body", sized("3")],
    ["a length that is no number", sized("x")],
    [
      "a length of an empty body",
      succeed(HttpServerResponse.empty({ status: 200, headers: { "content-length": "5" } }))
    ],
    [
      "a transfer coding",
      succeed(HttpServerResponse.stream(Stream.make(new Uint8Array(1)), { headers: { "transfer-encoding": "gzip" } }))
    ],
    [
      "a length of a stream that is no number",
      succeed(HttpServerResponse.stream(Stream.make(new Uint8Array(1)), { headers: { "content-length": "x" } }))
    ],
    [
      "a stream whose first chunk is more than its length",
      succeed(Response.stream(Stream.make("abc"), { contentLength: 2 }))
    ],
    ["a stream of nothing that has a length", succeed(Response.stream(Stream.empty, { contentLength: 2 }))],
    [
      "an exception of a stream",
      succeed(
        Response.stream(
          Stream.suspend(() => {
            throw new Error("secret")
          })
        )
      )
    ],
    ["a stream of what is no bytes", succeed(HttpServerResponse.stream(Stream.make(1 as never)))],
    ["a failure of a stream before its first chunk", succeed(Response.stream(Stream.fail(new Error("secret"))))],
    ["a defect of a stream before its first chunk", succeed(Response.stream(Stream.die(new Error("secret"))))],
    [
      "an error of a Node stream before its first chunk",
      Effect.sync(() =>
        HttpServerResponse.raw(
          new Readable({
            read() {
              this.destroy(new Error("secret"))
            }
          })
        )
      )
    ],
    [
      "an error of a web stream before its first chunk",
      Effect.sync(() =>
        HttpServerResponse.raw(new ReadableStream({ pull: (controller) => controller.error(new Error("secret")) }))
      )
    ],
    ["a body of no kind", succeed(HttpServerResponse.raw(Symbol("secret")))]
  ]
  for (const [name, handler] of rows) {
    both(name, appOf(handler), ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/it"))
        const answer = yield* wire.answer()
        assert.strictEqual(answer.line, "500 Internal Server Error")
        assert.strictEqual(answer.headers["content-type"], "application/problem+json")
        assert.notInclude(answer.body.toString(), "secret")
        assert.deepStrictEqual(logs, [died])
        // The connection goes on.
        yield* wire.send(get("/it"))
        assert.strictEqual((yield* wire.answer()).status, 500)
      })
    )
  }
})
void [Middleware, HttpBody, HttpError, probe]
