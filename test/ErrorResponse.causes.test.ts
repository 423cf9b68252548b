/**
 * What answers a Cause: the failure that comes first, in a form that can be rendered.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Multipart from "effect/http/Multipart"
import * as HttpApiError from "effect/http-api/HttpApiError"
import * as ErrorResponse from "../src/ErrorResponse.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Redirect from "../src/Redirect.ts"
import * as Response from "../src/Response.ts"

class Answers extends Data.Error<{
  readonly response: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>
  readonly cause?: unknown
  readonly reason?: unknown
}> {
  [HttpServerRespondable.symbol]() {
    return this.response
  }
}
class Throws extends Data.Error {
  [HttpServerRespondable.symbol](): never {
    throw new Error("at once")
  }
}

const answers = (response: HttpServerResponse.HttpServerResponse, cause?: unknown) =>
  new Answers({ response: Effect.succeed(response), cause })
const request = HttpServerRequest.fromWeb(new Request("http://localhost/a"))
const tooLarge = new HttpError.ContentTooLarge({ limit: 1 })
const parse = (options: object) =>
  new HttpServerError.HttpServerError({ reason: new HttpServerError.RequestParseError({ request, ...options }) })
const empty400 = Effect.succeed(HttpServerResponse.empty({ status: 400 }))
const ready = Response.text("mine", { status: 418 })
const notFound = new HttpError.NotFound()
const loop: { cause?: unknown } = {}
loop.cause = loop

type Row = readonly [
  name: string,
  cause: Cause.Cause<unknown>,
  wanted: string | HttpServerResponse.HttpServerResponse,
  defect?: boolean
]
const causes: ReadonlyArray<Row> = [
  ["an HTTP error", Cause.fail(notFound), "404 NotFound"],
  ["an HTTP error that died", Cause.die(notFound), "404 NotFound"],
  ["a response that failed", Cause.fail(ready), ready],
  ["a response that died", Cause.die(ready), ready],
  ["an empty response that failed", Cause.fail(Response.empty({ status: 404 })), "404"],
  ["a redirect", Cause.fail(new Redirect.Found({ location: "/" })), "302"],
  ["an error with its own answer", Cause.fail(answers(ready)), ready],
  ["an error with an empty answer", Cause.fail(answers(HttpServerResponse.empty({ status: 403 }))), "403 Forbidden"],
  [
    "an error with an answer of no bytes",
    Cause.fail(answers(HttpServerResponse.text("", { status: 403 }))),
    "403 Forbidden"
  ],
  ["an error with an empty 405", Cause.fail(answers(HttpServerResponse.empty({ status: 405 }))), "405 Status405"],
  ["an error with an empty 204", Cause.fail(answers(HttpServerResponse.empty())), "204"],
  ["an error with an impossible status", Cause.fail(answers(HttpServerResponse.empty({ status: 600 }))), "600"],
  [
    "an error with a reason without a cause",
    Cause.fail(new Answers({ response: empty400, reason: {} })),
    "400 BadRequest"
  ],
  [
    "an error with a reason that is text",
    Cause.fail(new Answers({ response: empty400, reason: "a" })),
    "400 BadRequest"
  ],
  ["Effect's body that is too large", Cause.fail(parse({ reason: "BodyTooLarge" })), "413 ContentTooLarge"],
  [
    "Effect's body that is too large, died as in HttpApi",
    Cause.die(parse({ reason: "BodyTooLarge" })),
    "413 ContentTooLarge"
  ],
  ["one of our errors inside Effect's", Cause.fail(parse({ cause: tooLarge })), "413 ContentTooLarge"],
  [
    "one of our errors deep inside",
    Cause.fail(parse({ cause: new Error("a", { cause: tooLarge }) })),
    "413 ContentTooLarge"
  ],
  ["a cause that is its own", Cause.fail(parse({ cause: loop })), "400 BadRequest"],
  ["Effect's multipart limit", Cause.fail(Multipart.MultipartError.fromReason("TooManyParts")), "413 ContentTooLarge"],
  [
    "one of our errors inside a multipart error",
    Cause.fail(Multipart.MultipartError.fromReason("Parse", tooLarge)),
    "413 ContentTooLarge"
  ],
  ["Effect's missing route", Cause.fail(new HttpServerError.RouteNotFound({ request })), "404 NotFound"],
  ["Effect's internal error", Cause.fail(new HttpServerError.InternalError({ request })), "500 InternalServerError"],
  ["an error of HttpApi", Cause.fail(new HttpApiError.Unauthorized()), "401 Unauthorized"],
  ["a failure that knows no answer", Cause.fail(new Error("a")), "500 InternalServerError", true],
  ["a failure that is nothing", Cause.fail(undefined), "500 InternalServerError", true],
  ["a defect", Cause.die(new Error("a")), "500 InternalServerError", true],
  ["no reason at all", Cause.empty, "500 InternalServerError", true],
  ["an answer that fails", Cause.fail(new Answers({ response: Effect.fail("a") })), "500 InternalServerError", true],
  ["an answer that dies", Cause.fail(new Answers({ response: Effect.die("a") })), "500 InternalServerError", true],
  ["an answer that throws", Cause.fail(new Throws()), "500 InternalServerError", true],
  ["the first of two failures", Cause.combine(Cause.fail(notFound), Cause.fail(new HttpError.Gone())), "404 NotFound"],
  ["a defect beside interrupts", Cause.combine(Cause.interrupt(1), Cause.die("a")), "500 InternalServerError", true],
  ["a failure beside interrupts", Cause.combine(Cause.interrupt(1), Cause.fail(notFound)), "404 NotFound"],
  [
    "a failure beside a defect, which is told",
    Cause.combine(Cause.die("a"), Cause.fail(notFound)),
    "404 NotFound",
    true
  ],
  ["interruption only", Cause.combine(Cause.interrupt(1), Cause.interrupt(2)), "503 ServiceUnavailable"]
]

describe("the answer to", () => {
  for (const [name, cause, wanted, defect = false] of causes) {
    it.effect(`${name} is ${typeof wanted === "string" ? wanted : "itself"}`, () =>
      Effect.gen(function* () {
        const found = yield* ErrorResponse.fromCause(cause)
        const tag = HttpError.isHttpError(found.answer) ? ` ${found.answer.name}` : ""
        if (typeof wanted === "string") assert.strictEqual(`${found.answer.status}${tag}`, wanted)
        else assert.strictEqual(found.answer, wanted)
        assert.deepStrictEqual([found.defect, found.interrupted], [defect, wanted.toString().startsWith("503")])
      })
    )
  }

  it.effect("an empty response keeps its headers and cookies where it is rendered", () =>
    Effect.gen(function* () {
      const empty = Response.empty({ status: 401, headers: { "www-authenticate": "Basic" } }).pipe(
        Response.setCookie("a", "1")
      )
      const { cookies, headers, status } = yield* ErrorResponse.answer(
        Cause.fail(answers(empty)),
        request,
        ErrorResponse.render
      )
      assert.deepStrictEqual(
        [status, headers["www-authenticate"], headers["content-type"]],
        [401, "Basic", "application/problem+json"]
      )
      assert.notStrictEqual(headers["content-length"], "0")
      assert.isFalse(Cookies.isEmpty(cookies))
    })
  )
})
