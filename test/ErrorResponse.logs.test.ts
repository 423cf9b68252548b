/**
 * What is logged and reported of a failure.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as ErrorResponse from "../src/ErrorResponse.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Redirect from "../src/Redirect.ts"
import * as Response from "../src/Response.ts"

const request = HttpServerRequest.fromWeb(new Request("http://localhost/a/b?token=hunter2", { method: "POST" }))

const observed = (
  cause: Cause.Cause<unknown>,
  options?: { readonly request?: undefined; readonly renderer: ErrorResponse.Renderer }
) =>
  Effect.gen(function* () {
    const lines: Array<{ readonly text: string; readonly cause: Cause.Cause<unknown>; readonly annotations: object }> =
      []
    const reports: Array<string> = []
    const logger = Logger.make(({ cause, fiber, logLevel, message }) => {
      const text = `${logLevel} ${[message].flat().join(" ")}`
      lines.push({ text, cause, annotations: { ...fiber.getRef(References.CurrentLogAnnotations) } })
    })
    const reporter = ErrorReporter.make(({ error }) => void reports.push(error.message))
    yield* ErrorResponse.answer(
      cause,
      options === undefined ? request : undefined,
      options?.renderer ?? ErrorResponse.render
    ).pipe(
      Effect.provideService(References.MinimumLogLevel, "All"),
      Effect.provide(Layer.merge(Logger.layer([logger]), ErrorReporter.layer([reporter])))
    )
    return { lines, reports }
  })

const inner = new Error("inner")
type Row = readonly [name: string, cause: Cause.Cause<unknown>, logged: string | undefined, reported?: string]
const rows: ReadonlyArray<Row> = [
  ["a defect", Cause.die(new Error("a")), "Error The handler died", "a"],
  ["a failure that knows no answer", Cause.fail(new Error("a")), "Error The handler died", "a"],
  [
    "a defect beside a failure",
    Cause.combine(Cause.fail(new HttpError.NotFound()), Cause.die(new Error("a"))),
    "Error The handler died",
    "a"
  ],
  [
    "a 5xx with a cause",
    Cause.fail(new HttpError.InsufficientStorage({ cause: inner })),
    "Error The handler failed with 507 Insufficient Storage",
    "507 Insufficient Storage"
  ],
  [
    "a 502 with a cause",
    Cause.fail(new HttpError.BadGateway({ cause: inner })),
    "Warn The handler failed with 502 Bad Gateway",
    "502 Bad Gateway"
  ],
  [
    "a 503 with a cause",
    Cause.fail(new HttpError.ServiceUnavailable({ cause: inner })),
    "Warn The handler failed with 503 Service Unavailable",
    "503 Service Unavailable"
  ],
  [
    "a 5xx without",
    Cause.fail(new HttpError.ServiceUnavailable()),
    "Warn The handler failed with 503 Service Unavailable",
    "503 Service Unavailable"
  ],
  ["an unregistered 5xx", Cause.fail(ErrorResponse.byStatus(599)), "Warn The handler failed with 599", "599"],
  [
    "a 4xx with a cause",
    Cause.fail(new HttpError.BadRequest({ cause: inner })),
    "Debug The handler failed with 400 Bad Request"
  ],
  ["a 4xx without", Cause.fail(new HttpError.BadRequest()), undefined],
  [
    "a response of 500",
    Cause.fail(Response.text("a", { status: 500 })),
    "Warn The handler failed with 500 Internal Server Error"
  ],
  [
    "a response of 500 that died",
    Cause.die(Response.text("a", { status: 500 })),
    "Warn The handler failed with 500 Internal Server Error"
  ],
  ["a response of 404", Cause.die(Response.text("a", { status: 404 })), undefined],
  ["a response of 200", Cause.die(Response.text("a")), undefined],
  ["a redirect", Cause.fail(new Redirect.Found({ location: "/" })), undefined],
  ["an interruption", Cause.interrupt(1), undefined]
]

describe("the log of", () => {
  for (const [name, cause, logged, reported] of rows) {
    it.effect(`${name} is ${logged ?? "empty"}`, () =>
      Effect.gen(function* () {
        const { lines, reports } = yield* observed(cause)
        assert.deepStrictEqual(
          lines.map(({ text }) => text),
          logged === undefined ? [] : [logged]
        )
        assert.deepStrictEqual(reports, reported === undefined ? [] : [reported])
        const shown = lines[0]?.cause
        if (shown !== undefined)
          assert.strictEqual(shown === cause, !logged?.startsWith("Warn") || name.endsWith(" with a cause"))
      })
    )
  }

  it.effect("a failure names the method and the path without the query", () =>
    Effect.gen(function* () {
      const { lines } = yield* observed(Cause.die("a"))
      assert.deepStrictEqual(lines[0]?.annotations, { "http.method": "POST", "http.path": "/a/b" })
    })
  )

  it.effect("a renderer that dies has both, and without a request no annotations", () =>
    Effect.gen(function* () {
      const renderer: ErrorResponse.Renderer = () => Effect.die(inner)
      const { lines } = yield* observed(Cause.die("a"), { renderer })
      assert.deepStrictEqual(
        lines.map(({ annotations, text }) => [text, annotations]),
        [
          ["Error The handler died", {}],
          ["Error The error response died", {}]
        ]
      )
      assert.strictEqual(Cause.squash(lines[1]!.cause), inner)
    })
  )
})
