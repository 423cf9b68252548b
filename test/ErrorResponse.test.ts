/**
 * How failures are rendered: by `Accept`, escaped, and with nothing of their cause.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Logger from "effect/Logger"
import * as ErrorResponse from "../src/ErrorResponse.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Response from "../src/Response.ts"

const ask = (accept?: string) =>
  HttpServerRequest.fromWeb(new Request("http://localhost/a", { headers: accept === undefined ? {} : { accept } }))
const quiet = Effect.provide(Logger.layer([]))

const answered = (cause: Cause.Cause<unknown>, accept?: string, renderer = ErrorResponse.render) =>
  Effect.gen(function* () {
    const response = yield* ErrorResponse.answer(cause, ask(accept), renderer)
    const body = yield* Effect.promise(() => HttpServerResponse.toWeb(response).text())
    return { status: response.status, headers: response.headers, body, response }
  }).pipe(quiet)

const problem = "application/problem+json"
const html = "text/html; charset=utf-8"
const text = "text/plain; charset=utf-8"

const accepts: ReadonlyArray<readonly [accept: string | undefined, wanted: string]> = [
  [undefined, problem],
  ["", problem],
  ["*/*", problem],
  ["application/problem+json", problem],
  ["application/json", problem],
  ["application/*", problem],
  ["APPLICATION/JSON", problem],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", html],
  ["text/html", html],
  ["text/*", html],
  ["text/html, application/json", problem],
  ["text/html;q=0.5, application/json;q=0.4", html],
  ["text/plain", text],
  ["text/plain, text/html;q=0.9", text],
  ["text/html;q=0, */*", problem],
  ["image/png", problem],
  ["*/*;q=0", problem],
  ["gibberish", problem],
  ["__proto__", problem],
  ["constructor/toString", problem]
]

describe("by Accept", () => {
  for (const [accept, wanted] of accepts) {
    it.effect(`${accept === undefined ? "nothing" : JSON.stringify(accept)} gets ${wanted}`, () =>
      Effect.gen(function* () {
        const { headers, status } = yield* answered(Cause.fail(new HttpError.NotFound()), accept)
        assert.deepStrictEqual([status, headers["content-type"], headers.vary], [404, wanted, "Accept"])
      })
    )
  }

  it.effect("no request gets problem details", () =>
    Effect.gen(function* () {
      const response = yield* ErrorResponse.answer(
        Cause.fail(new HttpError.NotFound()),
        undefined,
        ErrorResponse.render
      )
      assert.strictEqual(response.headers["content-type"], problem)
    })
  )
})

const script = new HttpError.NotFound({ text: "<script>alert('1')</script>" })
const page = (title: string, paragraph: string) =>
  `<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title></head>\n<body><h1>${title}</h1>${paragraph}</body>\n</html>\n`
const mine = ErrorResponse.byStatus(499)

const bodies: ReadonlyArray<readonly [name: string, error: HttpError.HttpError, accept: string, body: string]> = [
  [
    "HTML is escaped",
    script,
    "text/html",
    page("404 Not Found", "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</p>")
  ],
  ["HTML has no paragraph without a text", new HttpError.Gone(), "text/html", page("410 Gone", "")],
  ["HTML of an unregistered status has no title", mine, "text/html", page("499", "")],
  ["text is the status, the title and the text", script, "text/plain", "404: Not Found\n<script>alert('1')</script>"],
  ["text is one line without a text", new HttpError.Gone(), "text/plain", "410: Gone"],
  ["text of an unregistered status has no title", mine, "text/plain", "499"],
  [
    "problem details have the fields",
    new HttpError.ContentTooLarge({ limit: 5, text: "Too much" }),
    "*/*",
    '{"type":"about:blank","title":"Content Too Large","status":413,"detail":"Too much","limit":5,"_tag":"ContentTooLarge"}'
  ]
]

describe("a body:", () => {
  for (const [name, error, accept, wanted] of bodies) {
    it.effect(name, () =>
      Effect.map(answered(Cause.fail(error), accept), ({ body }) => assert.strictEqual(body, wanted))
    )
  }

  for (const accept of [problem, "text/html", "text/plain"]) {
    it.effect(`${accept} has the headers and cookies of the error, its Vary as well`, () =>
      Effect.gen(function* () {
        const cookies = Cookies.setUnsafe(Cookies.empty, "a", "1")
        const error = new HttpError.Unauthorized({
          challenges: ["Basic"],
          headers: { vary: "Cookie", "content-type": "a/b" },
          cookies
        })
        const { headers, response } = yield* answered(Cause.fail(error), accept)
        assert.strictEqual(headers["www-authenticate"], "Basic")
        assert.strictEqual(headers.vary, "Cookie, Accept")
        assert.notStrictEqual(headers["content-type"], "a/b")
        assert.strictEqual(Cookies.isEmpty(response.cookies), false)
      })
    )

    it.effect(`${accept} shows nothing of a defect, of a cause or of an unanswered failure`, () =>
      Effect.gen(function* () {
        const secret = new Error("hunter2", { cause: new Error("hunter3") })
        const causes = [
          Cause.die(secret),
          Cause.fail(secret),
          Cause.die("hunter2"),
          Cause.fail({ _tag: "hunter2", message: "hunter2", status: 200 }),
          Cause.fail(new HttpError.BadGateway({ cause: secret })),
          Cause.fail(new HttpError.BadRequest({ cause: secret })),
          Cause.combine(Cause.fail(new HttpError.BadRequest()), Cause.die(secret))
        ]
        for (const cause of causes) {
          const { body, headers } = yield* answered(cause, accept)
          assert.notMatch(JSON.stringify([body, headers]), /hunter|ErrorResponse\.test|node_modules|\bat /)
        }
      })
    )

    it.effect(`${accept} of an error that would inject a header is a 500 without it`, () =>
      Effect.gen(function* () {
        const { headers, status } = yield* answered(
          Cause.fail(new HttpError.NotFound({ headers: { a: "b\r\nc: d" } })),
          accept
        )
        assert.deepStrictEqual([status, headers.a, headers.vary], [500, undefined, "Accept"])
      })
    )
  }
})

describe("byStatus", () => {
  const statuses: ReadonlyArray<readonly [status: number, tag: string]> = [
    [400, "BadRequest"],
    [404, "NotFound"],
    [405, "Status405"],
    [418, "Status418"],
    [426, "Status426"],
    [499, "Status499"],
    [500, "InternalServerError"],
    [511, "NetworkAuthenticationRequired"],
    [599, "Status599"]
  ]
  for (const [status, tag] of statuses) {
    it(`${status} is ${tag}, of one class`, () => {
      const error = ErrorResponse.byStatus(status)
      assert.deepStrictEqual([error.status, error.name], [status, tag])
      assert.strictEqual(ErrorResponse.byStatus(status).constructor, error.constructor)
    })
  }

  it("takes a text, headers, cookies and a cause", () => {
    const options = { text: "a", headers: { b: "c" }, cookies: Cookies.empty, cause: "d" }
    const { cause, cookies, headers, text } = ErrorResponse.byStatus(404, options)
    assert.deepStrictEqual<unknown>({ text, headers, cookies, cause }, options)
  })

  for (const status of [200, 399, 600, Number.NaN]) {
    it(`${status} throws a TypeError`, () =>
      assert.throws(() => ErrorResponse.byStatus(status), TypeError, /400 to 599/))
  }
})

describe("a renderer of one's own", () => {
  it.effect("gets the error and the request, and the cause from 500 on", () =>
    Effect.gen(function* () {
      const seen: Array<ErrorResponse.Failure> = []
      const renderer: ErrorResponse.Renderer = (failure) => {
        seen.push(failure)
        return Effect.succeed(Response.text("mine", { status: failure.error.status }))
      }
      const causes = [Cause.fail(new HttpError.NotFound()), Cause.fail(new HttpError.BadGateway()), Cause.die("a")]
      for (const cause of causes) assert.strictEqual((yield* answered(cause, undefined, renderer)).body, "mine")
      assert.deepStrictEqual(
        seen.map(({ cause, error, request }) => [error.status, request?.url, cause]),
        [
          [404, "/a", undefined],
          [502, "/a", causes[1]],
          [500, "/a", causes[2]]
        ]
      )
    })
  )

  const broken: ReadonlyArray<readonly [name: string, renderer: ErrorResponse.Renderer]> = [
    ["dies", () => Effect.die(new Error("hunter2"))],
    // What a renderer in JavaScript may do.
    ["fails", () => Effect.fail("hunter2") as unknown as Effect.Effect<never>],
    [
      "throws",
      () => {
        throw new Error("hunter2")
      }
    ]
  ]
  for (const [name, renderer] of broken) {
    it.effect(`that ${name} is replaced by a plain 500`, () =>
      Effect.gen(function* () {
        const { body, status } = yield* answered(Cause.fail(new HttpError.NotFound()), "text/plain", renderer)
        assert.deepStrictEqual([status, body], [500, "500: Internal Server Error"])
      })
    )
  }
})
