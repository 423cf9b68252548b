/**
 * Every HTTP error: its status, its headers, its problem details; and errors of one's own.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import * as Cookies from "effect/http/Cookies"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpError from "../src/HttpError.ts"

type Row = readonly [
  error: HttpError.HttpError & { readonly _tag: string },
  status: number,
  title: string,
  headers?: Readonly<Record<string, string>>,
  members?: Readonly<Record<string, unknown>>
]

const issue = new HttpError.Issue({ in: "body", path: ["a", 0], message: "Expected a string" })
const issues = { issues: [{ in: "body", path: ["a", 0], message: "Expected a string" }] }
const date = new Date("2026-01-02T03:04:05Z")

const rows: ReadonlyArray<Row> = [
  [new HttpError.BadRequest(), 400, "Bad Request"],
  [new HttpError.BadRequest({ issues: [issue] }), 400, "Bad Request", {}, issues],
  [new HttpError.Unauthorized(), 401, "Unauthorized"],
  [new HttpError.Unauthorized({ challenges: [] }), 401, "Unauthorized"],
  [
    new HttpError.Unauthorized({ challenges: ['Basic realm="a"', "Bearer"] }),
    401,
    "Unauthorized",
    { "www-authenticate": 'Basic realm="a", Bearer' }
  ],
  [new HttpError.PaymentRequired(), 402, "Payment Required"],
  [new HttpError.Forbidden(), 403, "Forbidden"],
  [new HttpError.NotFound(), 404, "Not Found"],
  [
    new HttpError.MethodNotAllowed({ method: "PUT", allowed: ["GET", "HEAD"] }),
    405,
    "Method Not Allowed",
    { allow: "GET, HEAD" },
    { method: "PUT", allowed: ["GET", "HEAD"] }
  ],
  [
    new HttpError.MethodNotAllowed({ method: "PUT", allowed: [] }),
    405,
    "Method Not Allowed",
    { allow: "" },
    { method: "PUT", allowed: [] }
  ],
  [new HttpError.NotAcceptable(), 406, "Not Acceptable"],
  [
    new HttpError.ProxyAuthenticationRequired({ challenges: ["Basic"] }),
    407,
    "Proxy Authentication Required",
    { "proxy-authenticate": "Basic" }
  ],
  [new HttpError.RequestTimeout(), 408, "Request Timeout", { connection: "close" }],
  [new HttpError.Conflict(), 409, "Conflict"],
  [new HttpError.Gone(), 410, "Gone"],
  [new HttpError.LengthRequired(), 411, "Length Required"],
  [new HttpError.PreconditionFailed(), 412, "Precondition Failed"],
  [new HttpError.ContentTooLarge(), 413, "Content Too Large"],
  [new HttpError.ContentTooLarge({ limit: 10 }), 413, "Content Too Large", {}, { limit: 10 }],
  [new HttpError.UriTooLong(), 414, "URI Too Long"],
  [new HttpError.UnsupportedMediaType(), 415, "Unsupported Media Type"],
  [
    new HttpError.UnsupportedMediaType({ accepts: ["a/b", "c/d"], acceptsEncodings: ["gzip"] }),
    415,
    "Unsupported Media Type",
    { accept: "a/b, c/d", "accept-encoding": "gzip" },
    { accepts: ["a/b", "c/d"], acceptsEncodings: ["gzip"] }
  ],
  [new HttpError.RangeNotSatisfiable(), 416, "Range Not Satisfiable"],
  [
    new HttpError.RangeNotSatisfiable({ size: 5 }),
    416,
    "Range Not Satisfiable",
    { "content-range": "bytes */5" },
    { size: 5 }
  ],
  [new HttpError.ExpectationFailed(), 417, "Expectation Failed"],
  [new HttpError.MisdirectedRequest(), 421, "Misdirected Request"],
  [new HttpError.UnprocessableContent({ issues: [issue] }), 422, "Unprocessable Content", {}, issues],
  [new HttpError.Locked(), 423, "Locked"],
  [new HttpError.FailedDependency(), 424, "Failed Dependency"],
  [new HttpError.TooEarly(), 425, "Too Early"],
  [
    new HttpError.UpgradeRequired({ protocol: "websocket" }),
    426,
    "Upgrade Required",
    { upgrade: "websocket", connection: "upgrade" },
    { protocol: "websocket" }
  ],
  [new HttpError.PreconditionRequired(), 428, "Precondition Required"],
  [new HttpError.TooManyRequests(), 429, "Too Many Requests"],
  [new HttpError.TooManyRequests({ retryAfter: "1.2 seconds" }), 429, "Too Many Requests", { "retry-after": "2" }],
  [
    new HttpError.TooManyRequests({ retryAfter: Duration.minutes(2) }),
    429,
    "Too Many Requests",
    { "retry-after": "120" }
  ],
  [
    new HttpError.TooManyRequests({ retryAfter: date }),
    429,
    "Too Many Requests",
    { "retry-after": "Fri, 02 Jan 2026 03:04:05 GMT" }
  ],
  [new HttpError.RequestHeaderFieldsTooLarge(), 431, "Request Header Fields Too Large"],
  [new HttpError.UnavailableForLegalReasons(), 451, "Unavailable For Legal Reasons"],
  [
    new HttpError.UnavailableForLegalReasons({ link: "https://a.example/\r\nx" }),
    451,
    "Unavailable For Legal Reasons",
    { link: '<https://a.example/x>; rel="blocked-by"' },
    { link: "https://a.example/\r\nx" }
  ],
  [new HttpError.InternalServerError(), 500, "Internal Server Error"],
  [new HttpError.NotImplemented(), 501, "Not Implemented"],
  [new HttpError.BadGateway(), 502, "Bad Gateway"],
  [new HttpError.ServiceUnavailable({ retryAfter: 1 }), 503, "Service Unavailable", { "retry-after": "1" }],
  [new HttpError.GatewayTimeout(), 504, "Gateway Timeout"],
  [new HttpError.HttpVersionNotSupported(), 505, "HTTP Version Not Supported"],
  [new HttpError.VariantAlsoNegotiates(), 506, "Variant Also Negotiates"],
  [new HttpError.InsufficientStorage(), 507, "Insufficient Storage"],
  [new HttpError.LoopDetected(), 508, "Loop Detected"],
  [new HttpError.NotExtended(), 510, "Not Extended"],
  [new HttpError.NetworkAuthenticationRequired(), 511, "Network Authentication Required"]
]

const answer = (error: HttpServerRespondable.Respondable) =>
  Effect.gen(function* () {
    const response = yield* HttpServerRespondable.toResponse(error)
    const { "content-length": length, "content-type": type, ...headers } = response.headers
    const text = yield* Effect.promise(() => HttpServerResponse.toWeb(response).text())
    assert.deepStrictEqual([type, length], ["application/problem+json", String(text.length)])
    return { status: response.status, headers, body: JSON.parse(text), response }
  })

describe("an HTTP error", () => {
  for (const [error, status, title, headers = {}, members = {}] of rows) {
    it.effect(`${status} ${error._tag} with ${JSON.stringify(headers)} is its problem details`, () =>
      Effect.gen(function* () {
        const { body, headers: sent, status: answered } = yield* answer(error)
        assert.deepStrictEqual(
          [answered, error.status, (error.constructor as unknown as { readonly status: number }).status, error.title],
          [status, status, status, title]
        )
        assert.deepStrictEqual({ ...sent }, headers)
        assert.deepStrictEqual(body, { type: "about:blank", title, status, ...members, _tag: error._tag })
        assert.strictEqual(error.message, `${status} ${title}`)
        assert.deepStrictEqual(
          [HttpError.isHttpError(error), HttpError.isClientError(error), HttpError.isServerError(error)],
          [true, status < 500, status >= 500]
        )
        assert.strictEqual(ErrorReporter.isIgnored(error), status < 500)
      })
    )
  }

  it("of every class is in the table", () => {
    const all = Object.entries(HttpError)
      .filter(([, value]) => "status" in value)
      .map(([name]) => name)
    assert.deepStrictEqual([...new Set(rows.map(([error]) => error._tag))].sort(), all.sort())
  })

  it.effect("shows its text, and of its cause nothing", () =>
    Effect.gen(function* () {
      const cause = new Error("the password is hunter2", { cause: "inner" })
      const error = new HttpError.BadGateway({ text: "Try again", cause })
      const { body, response } = yield* answer(error)
      assert.deepStrictEqual(body.detail, "Try again")
      assert.strictEqual(error.cause, cause)
      assert.strictEqual(error.message, "Try again")
      assert.notMatch(JSON.stringify([body, response.headers]), /hunter2|inner|stack|at /)
    })
  )

  it.effect("sends its own headers in place of those of the class, and its cookies", () =>
    Effect.gen(function* () {
      const cookies = Cookies.setUnsafe(Cookies.empty, "a", "1")
      const headers = { Allow: "POST", constructor: "1" }
      const { headers: sent, response } = yield* answer(
        new HttpError.MethodNotAllowed({ method: "GET", allowed: ["PUT"], headers, cookies })
      )
      assert.deepStrictEqual<unknown>({ ...sent }, { allow: "POST", constructor: "1" })
      assert.deepStrictEqual(HttpServerResponse.toWeb(response).headers.getSetCookie(), ["a=1"])
    })
  )

  it.effect("cannot change what describes its body", () =>
    Effect.gen(function* () {
      const headers = { "content-type": "text/html", "content-length": "1", "Content-Encoding": "gzip" }
      assert.deepStrictEqual({ ...(yield* answer(new HttpError.NotFound({ headers }))).headers }, {})
    })
  )

  const injections: ReadonlyArray<readonly [name: string, error: HttpError.HttpError]> = [
    ["a header", new HttpError.NotFound({ headers: { a: "b\r\nc: d" } })],
    ["a header name", new HttpError.NotFound({ headers: { "a\r\nb": "c" } })],
    ["a method", new HttpError.MethodNotAllowed({ method: "A", allowed: ["GET\r\nb: c"] })],
    ["a challenge", new HttpError.Unauthorized({ challenges: ["Basic\n"] })]
  ]
  for (const [name, error] of injections) {
    it.effect(`dies when ${name} would inject another header`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(HttpServerRespondable.toResponse(error))
        assert.match(String(exit), /TypeError/)
      })
    )
  }

  const strangers: ReadonlyArray<readonly [name: string, value: unknown]> = [
    ["an Error", new Error("a")],
    ["null", null],
    ["a string", "404"],
    ["an object with a status", { status: 404, title: "Not Found" }]
  ]
  for (const [name, value] of strangers) it(`${name} is none`, () => assert.isFalse(HttpError.isHttpError(value)))
})
