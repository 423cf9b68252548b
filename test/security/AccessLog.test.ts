/**
 * Attacks on the access log and on the ids of requests: what a client sends stands in one line, and gives nothing away.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as App from "../../src/App.ts"
import * as AccessLog from "../../src/middleware/AccessLog.ts"
import * as RequestId from "../../src/middleware/RequestId.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"
import { get, until } from "../server/both.ts"
import { attacks } from "./attacks.ts"

const app = App.make({
  home: Route.get("/", Response.text("hello")),
  echo: Route.get(
    "/echo",
    Effect.map(RequestId.current, (id) => Response.setHeader(Response.text("a"), "location", `/?token=${id}`))
  )
}).pipe(App.use(RequestId.make({ accept: true })))

/** The lines that a raw request leaves. */
const lineOf = (bytes: string, format: AccessLog.Format, options: AccessLog.Options = {}) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const write = (text: string) => void lines.push(text)
    const client = yield* Testing.client(app, { accessLog: { ...options, format, write } })
    const wire = yield* Wire.open(client)
    yield* wire.send(bytes)
    yield* until(() => lines.length > 0)
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
    const text = lines.join("")
    assert.strictEqual(text.split("\n").length, 2, "it is one line")
    assert.match(text, /^[ -~]*\n$/)
    return text.slice(0, -1)
  })

const is = (bytes: string, format: AccessLog.Format, wanted: string | RegExp, options?: AccessLog.Options) =>
  Effect.map(lineOf(bytes, format, options), (line) =>
    typeof wanted === "string" ? assert.strictEqual(line, wanted) : assert.match(line, wanted)
  )

const agent = AccessLog.format('"%{User-Agent}i"')
const request = AccessLog.format('"%r"')
const esc = "\x9b31m"

attacks("the access log", [
  {
    attack: "a quote in a header, to end its field and forge the next",
    stoppedBy: 'it is \\"',
    run: is(get("/", 'User-Agent: a" 200 "b\r\n'), agent, '"a\\" 200 \\"b"')
  },
  {
    attack: "a backslash before the closing quote",
    stoppedBy: "it is \\\\",
    run: is(get("/", "User-Agent: a\\\r\n"), agent, '"a\\\\"')
  },
  {
    attack: "an encoded line break in the path",
    stoppedBy: "it stays encoded",
    run: is(get("/%0d%0a127.0.0.1"), request, '"GET /%0d%0a127.0.0.1 HTTP/1.1"')
  },
  {
    attack: "a line break in a header",
    stoppedBy: "the parser: a 400 without a request",
    run: is(get("/", "User-Agent: a\rb\r\n"), AccessLog.format("%r %s %{User-Agent}i"), "- 400 -")
  },
  {
    attack: "control sequences of a terminal in a header, as C1 bytes",
    stoppedBy: "they are \\xhh",
    run: is(get("/", `User-Agent: a${esc}b\r\n`), agent, '"a\\x9b31mb"')
  },
  {
    attack: "control sequences in logfmt",
    stoppedBy: "they are \\xhh in quotes",
    run: is(get("/", `User-Agent: ${esc} outcome=defect\r\n`), AccessLog.logfmt, /userAgent="\\x9b31m outcome=defect"/)
  },
  {
    attack: "a key for logfmt in the URL",
    stoppedBy: "a value with = is in quotes",
    run: is(get("/?outcome=defect"), AccessLog.logfmt, / http\.url="\/\?outcome=defect" /)
  },
  {
    attack: "control sequences and a quote in JSON",
    stoppedBy: "they are escapes of JSON",
    run: Effect.map(lineOf(get("/", `User-Agent: ${esc}", "a": "\r\n`), AccessLog.json), (line) => {
      assert.include(line, '\\u009b31m\\"')
      assert.strictEqual(JSON.parse(line).userAgent, `${esc}", "a": "`)
    })
  },
  {
    attack: "the name of a field of another kind in JSON",
    stoppedBy: "clients name no fields",
    run: Effect.map(lineOf(get("/?__proto__=1", "__proto__: a\r\n"), AccessLog.json), (line) =>
      assert.isFalse(Object.hasOwn(JSON.parse(line), "__proto__"))
    )
  },
  {
    attack: "control sequences by Effect's logger",
    stoppedBy: "they are \\xhh in its fields and its message",
    run: Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.map(Logger.formatSimple, (line) => void lines.push(line))
      yield* Effect.gen(function* () {
        const wire = yield* Wire.open(yield* Testing.client(app, { accessLog: true }))
        yield* wire.send(get("/", `User-Agent: ${esc}\r\n`))
        yield* until(() => lines.length > 0)
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
      assert.match(lines.join(""), /^[ -~]*$/)
      assert.include(lines.join(""), "x9b31m")
    })
  },
  {
    attack: "a header of many kilobytes",
    stoppedBy: "it is cut behind 4096 characters",
    run: is(get("/", `User-Agent: ${"a".repeat(8000)}\r\n`), agent, `"${"a".repeat(4096)}..."`)
  },
  {
    attack: "secrets in the query",
    stoppedBy: "their values are REDACTED",
    run: is(
      get("/?access_token=a&newPassword=b&user%5Bpassword%5D=c&code=d&X-Amz-Signature=e&monkey=f"),
      request,
      '"GET /?access_token=REDACTED&newPassword=REDACTED&user%5Bpassword%5D=REDACTED&code=REDACTED&X-Amz-Signature=REDACTED&monkey=f HTTP/1.1"'
    )
  },
  {
    attack: "secrets in Referer and in Location",
    stoppedBy: "their values are REDACTED",
    run: is(
      get("/echo", "Referer: http://a/?code=b\r\nX-Request-Id: c\r\n"),
      AccessLog.format("%{Referer}i %{Location}o"),
      "http://a/?code=REDACTED /?token=REDACTED"
    )
  },
  {
    attack: "a user and a password in an absolute target",
    stoppedBy: "the request is refused, and they are REDACTED",
    run: is(get("http://me:secret@a/"), AccessLog.format("%r"), /^(?!.*secret)/)
  },
  {
    attack: "credentials in headers that a format asks for",
    stoppedBy: "they are <redacted>",
    run: is(
      get("/", "Authorization: Basic a\r\nCookie: b=c\r\n"),
      AccessLog.format("%{Authorization}i %{COOKIE}i"),
      "<redacted> <redacted>"
    )
  },
  {
    attack: "a forged request id with a line break by folding",
    stoppedBy: "the parser: a 400",
    run: is(get("/", "X-Request-Id: a\r\n b\r\n"), AccessLog.format("%s %{requestId}x"), /^(?:400 -|200 [0-9a-f]{32})$/)
  },
  {
    attack: "a request id that is markup",
    stoppedBy: "it is replaced",
    run: is(get("/", "X-Request-Id: <script>\r\n"), AccessLog.format("%{requestId}x"), /^[0-9a-f]{32}$/)
  }
])
