/**
 * The page for development.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Logger from "effect/Logger"
import * as ErrorResponse from "../../../src/ErrorResponse.ts"
import * as HttpError from "../../../src/HttpError.ts"

const source = ["one", "two", "three <b>", "four", "five", "six", "seven", "eight"].join("\n")
const asked: Array<string> = []
const readSource = (path: string): string | undefined => {
  asked.push(path)
  return path.endsWith("/app.ts") ? source : undefined
}

const ask = (accept: string) =>
  HttpServerRequest.fromWeb(new Request("http://localhost/a?b=<i>", { headers: { accept } }))

const page = (
  cause: Cause.Cause<unknown>,
  accept = "text/html",
  renderer = ErrorResponse.development({ readSource })
) =>
  Effect.gen(function* () {
    asked.length = 0
    const response = yield* ErrorResponse.answer(cause, ask(accept), renderer)
    return { response, text: yield* Effect.promise(() => HttpServerResponse.toWeb(response).text()) }
  }).pipe(Effect.provide(Logger.layer([])))

const failed = (message: string, frames: ReadonlyArray<string>, cause?: unknown): Error => {
  const error = new Error(message, { cause })
  error.stack = [`Error: ${message}`, ...frames].join("\n")
  return error
}

describe("the page shows", () => {
  it.effect("the message, the request and the source around a frame, escaped", () =>
    Effect.gen(function* () {
      const { response, text } = yield* page(
        Cause.die(failed("a <script>", ["    at run (file:///srv/my%20app/app.ts:3:7)"]))
      )
      assert.strictEqual(response.status, 500)
      assert.strictEqual(response.headers["content-type"], "text/html; charset=utf-8")
      assert.strictEqual(response.headers.vary, "Accept")
      assert.notMatch(text, /<script|<i>|<b>/)
      assert.include(text, "<title>500 Internal Server Error: a &lt;script&gt;</title>")
      assert.include(text, "<code>GET /a?b=%3Ci%3E</code>")
      assert.include(text, "<code>run /srv/my app/app.ts:3:7</code>")
      assert.include(
        text,
        "<pre>    1 one\n    2 two\n<mark>    3 three &lt;b&gt;</mark>    4 four\n    5 five\n    6 six\n</pre>"
      )
      assert.deepStrictEqual(asked, ["/srv/my app/app.ts"])
    })
  )

  it.effect("what caused it, nested, and what it was part of", () =>
    Effect.gen(function* () {
      const root = failed("root", ["    at /srv/app.ts:8:1"])
      const cause = Cause.combine(
        Cause.die(failed("outer", [], failed("middle", [], root))),
        Cause.die(failed("beside", []))
      )
      const { text } = yield* page(cause)
      for (const message of ["outer", "middle", "root", "beside"]) assert.include(text, `<pre>${message}</pre>`)
      assert.match(text, /outer.*Caused by<\/p><section>.*middle.*Caused by<\/p><section>.*root/s)
      assert.include(text, "<mark>    8 eight</mark></pre>")
    })
  )

  it.effect("the spans of the fiber", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Effect.withSpan(Effect.die(new Error("a")), "load <user>"))
      const { text } = yield* page(exit._tag === "Failure" ? exit.cause : Cause.empty)
      assert.match(text, /<li><code>load &lt;user&gt;/)
    })
  )

  it.effect("the whole cause as text", () =>
    Effect.gen(function* () {
      const cause = Cause.die(failed("a", []))
      assert.include((yield* page(cause)).text, `<summary>The whole cause</summary><pre>${Cause.pretty(cause)}</pre>`)
    })
  )

  it.effect("a cause without reasons", () =>
    Effect.map(page(Cause.empty), ({ text }) => assert.include(text, "<title>500 Internal Server Error: </title>"))
  )

  it.effect("a typed failure of 500 and above with its cause, and its headers", () =>
    Effect.gen(function* () {
      const { response, text } = yield* page(
        Cause.fail(new HttpError.ServiceUnavailable({ cause: failed("database", []), retryAfter: 1 }))
      )
      assert.deepStrictEqual([response.status, response.headers["retry-after"]], [503, "1"])
      assert.include(text, "<pre>database</pre>")
    })
  )
})

const frames: ReadonlyArray<readonly [name: string, frame: string, wanted: string, read: ReadonlyArray<string>]> = [
  ["a frame of Node", "at listen (node:net:1:2)", "listen node:net:1:2", []],
  ["a dependency", "at f (/srv/node_modules/a/app.ts:1:2)", "f /srv/node_modules/a/app.ts:1:2", []],
  ["a frame without a function", "at file:///srv/app.ts:1:2", " /srv/app.ts:1:2", ["/srv/app.ts"]],
  ["a frame of Windows", "at f (file:///C:/a/app.ts:1:2)", "f C:/a/app.ts:1:2", ["C:/a/app.ts"]],
  ["a frame without a place", "at my span", "my span", []],
  ["a source that is not there", "at f (/srv/gone.ts:1:2)", "f /srv/gone.ts:1:2", ["/srv/gone.ts"]],
  ["a line that is not there", "at f (/srv/app.ts:9:2)", "f /srv/app.ts:9:2", ["/srv/app.ts"]],
  ["the line before the first", "at f (/srv/app.ts:0:2)", "f /srv/app.ts:0:2", ["/srv/app.ts"]],
  ["a URL that is none", "at f (file://%:1:2)", "f file://%:1:2", ["file://%"]]
]

describe("a frame:", () => {
  for (const [name, frame, wanted, read] of frames) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { text } = yield* page(Cause.die(failed("a", [`    ${frame}`])))
        assert.include(text, `<li><code>${wanted}</code>`)
        assert.deepStrictEqual(asked, read)
      })
    )
  }

  it.effect("a message that looks like one reads no file", () =>
    Effect.gen(function* () {
      const { text } = yield* page(Cause.die(failed("a\n    at f (/etc/app.ts:1:2)", [])))
      assert.deepStrictEqual(asked, [])
      assert.notInclude(text, "<li>")
    })
  )

  it.effect("no source is shown without a way to read it", () =>
    Effect.gen(function* () {
      const { text } = yield* page(
        Cause.die(failed("a", ["    at f (/srv/app.ts:1:2)"])),
        "text/html",
        ErrorResponse.development()
      )
      assert.include(text, "<li><code>f /srv/app.ts:1:2</code></li>")
    })
  )
})

describe("the usual answer goes to", () => {
  const secret = Cause.die(failed("hunter2", []))
  const rows: ReadonlyArray<
    readonly [name: string, cause: Cause.Cause<unknown>, accept: string, status: number, type: RegExp]
  > = [
    ["who asks for JSON", secret, "application/json", 500, /^application\/problem\+json/],
    ["who asks for text", secret, "text/plain", 500, /^text\/plain/],
    [
      "a failure below 500",
      Cause.fail(new HttpError.NotFound({ cause: failed("hunter2", []) })),
      "text/html",
      404,
      /^text\/html/
    ]
  ]
  for (const [name, cause, accept, status, type] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { response, text } = yield* page(cause, accept)
        assert.strictEqual(response.status, status)
        assert.match(response.headers["content-type"] ?? "", type)
        assert.notInclude(text, "hunter2")
      })
    )
  }

  it.effect("a failure without a cause", () =>
    Effect.gen(function* () {
      const failure = { error: new HttpError.InternalServerError(), request: undefined, cause: undefined }
      const response = yield* ErrorResponse.development({ readSource })(failure)
      assert.strictEqual(response.headers["content-type"], "application/problem+json")
    })
  )
})
