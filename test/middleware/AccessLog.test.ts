/**
 * The access log: its formats, what it leaves out, where it goes, and that nothing in it reaches the answer.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as AccessLog from "../../src/middleware/AccessLog.ts"
import * as RequestId from "../../src/middleware/RequestId.ts"
import * as TrustedProxies from "../../src/middleware/TrustedProxies.ts"
import type { Outcome } from "../../src/Outcome.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"
import { until } from "../server/both.ts"

const routes = {
  home: Route.get("/", Response.text("hello")),
  item: Route.get(
    "/items/{id}",
    Effect.succeed(Response.setHeaders(Response.text("item"), { "x-tag": 'a"b', "set-cookie": "a=b" }))
  ),
  slow: Route.get("/slow", Effect.as(Effect.sleep("1500 millis"), Response.text("slow"))),
  health: Route.get("/health", Response.text("ok")),
  gone: Route.get("/gone", Effect.fail(new HttpError.Gone())),
  chunks: Route.get("/chunks", Response.stream(Stream.make("a", "bb"))),
  endless: Route.get("/endless", Response.stream(Stream.fromEffect(Effect.never)))
}
const app = App.make(routes)

interface Line {
  readonly level: string
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
}

interface Given {
  readonly client: Testing.Client
  /** What Effect's logger was given. */
  readonly logged: ReadonlyArray<Line>
  /** What `write` was given. */
  readonly lines: ReadonlyArray<string>
}

type Test = (given: Given) => Effect.Effect<unknown, unknown, Scope.Scope>

const recorder = () => {
  const logged: Array<Line> = []
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    const annotations = { ...fiber.getRef(References.CurrentLogAnnotations) }
    logged.push({ level: logLevel, message: [message].flat().join(" "), annotations })
  })
  return { logged, layer: Logger.layer([logger]) }
}

/** Runs a test with an access log for the server, or around the app; in memory and on a socket. */
const log = (
  name: string,
  options: AccessLog.Options & { readonly toLogger?: boolean },
  test: Test,
  around = false
) => {
  const { toLogger = false, ...rest } = options
  const clients = [
    ["in memory", Testing.client<HttpError.Gone, never, typeof routes, never>],
    ["on a socket", Testing.socketClient<HttpError.Gone, never, typeof routes, never>]
  ] as const
  for (const [place, make] of clients) {
    it.effect(`${name}, ${place}`, () => {
      const { layer, logged } = recorder()
      const lines: Array<string> = []
      const write = (text: string) => void lines.push(...text.split("\n").slice(0, -1))
      const all = toLogger ? rest : { write, ...rest }
      const used = around ? (app.pipe(App.use(AccessLog.make(all))) as typeof app) : app
      return Effect.flatMap(make(used, around ? {} : { accessLog: all }), (client) =>
        test({ client, logged, lines })
      ).pipe(Effect.scoped, Effect.provide(layer))
    })
  }
}

const some = (lines: ReadonlyArray<unknown>, count = 1) => until(() => lines.length >= count)

describe("a format", () => {
  type Row = readonly [format: string, path: string, wanted: string]
  const rows: ReadonlyArray<Row> = [
    ["%% %s %B", "/", "% 200 5"],
    ["%a", "/", "127.0.0.1"],
    ["%r", "/items/7?page=2", "GET /items/7?page=2 HTTP/1.1"],
    ['"%{X-Asked}i" "%{Missing}i"', "/", '"a\\"b" "-"'],
    ['"%{X-Tag}o" "%{Missing}o" %{Content-Length}o', "/items/7", '"a\\"b" "-" 4'],
    ["%T %Tf %D", "/", "0 0.000000 0"],
    ["%{route}x %{pattern}x %{outcome}x %{error}x", "/items/7", "item /items/{id} completed -"],
    ["%{route}x %{pattern}x %{outcome}x %{error}x", "/nowhere", "- - failed NotFound"],
    ["%{requestId}x %{protocol}x %{nothing}x", "/", "- - -"],
    ["%{method}x %{url}x %{status}x %{durationMs}x %{level}x", "/?a=b", "GET /?a=b 200 0 INFO"],
    ["%l %u %O %{A}e %", "/", "%l %u %O %{A}e %"],
    ["%{Authorization}i %{Cookie}i %{Set-Cookie}o", "/items/7", "<redacted> <redacted> <redacted>"],
    [
      "%r",
      "/?token=s&a=b&api_key=c&accessToken=d",
      "GET /?token=REDACTED&a=b&api_key=REDACTED&accessToken=REDACTED HTTP/1.1"
    ]
  ]
  const headers = { "x-asked": 'a"b', authorization: "Basic c2VjcmV0", cookie: "session=secret" }
  for (const [format, path, wanted] of rows) {
    log(`${format} of ${path} is ${wanted}`, { format: AccessLog.format(format) }, ({ client, lines }) =>
      Effect.gen(function* () {
        yield* client.get(path, { headers })
        yield* some(lines)
        assert.deepStrictEqual(lines, [wanted])
      })
    )
  }

  log("%b has the head in it, and %P the process", { format: AccessLog.format("%b %P") }, ({ client, lines }) =>
    Effect.gen(function* () {
      const wire = yield* Wire.open(client)
      yield* wire.send("GET /chunks HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      const received = yield* wire.closed
      yield* some(lines)
      assert.deepStrictEqual(lines, [`${received.length} <${process.pid}>`])
    })
  )

  log("durations are seconds and microseconds", { format: AccessLog.format("%T %Tf %D") }, ({ client, lines }) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(client.get("/slow"))
      yield* asleep
      yield* TestClock.adjust("1500 millis")
      yield* Fiber.join(fiber)
      yield* some(lines)
      assert.deepStrictEqual(lines, ["2 1.500000 1500000"])
    })
  )

  it.effect("%t is local time, with summer time", () =>
    Effect.gen(function* () {
      const zone = process.env.TZ
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          if (zone === undefined) delete process.env.TZ
          else process.env.TZ = zone
        })
      )
      const lines: Array<string> = []
      const accessLog = { format: AccessLog.format("%t"), write: (text: string) => void lines.push(text) }
      const client = yield* Testing.client(app, { accessLog })
      const instants = [
        ["Europe/Berlin", "2026-01-09T05:06:07Z", "[09/Jan/2026:06:06:07 +0100]\n"],
        ["Europe/Berlin", "2026-07-09T22:30:00Z", "[10/Jul/2026:00:30:00 +0200]\n"],
        ["America/St_Johns", "2026-12-01T00:00:00Z", "[30/Nov/2026:20:30:00 -0330]\n"]
      ] as const
      for (const [zone, instant, wanted] of instants) {
        process.env.TZ = zone
        yield* TestClock.setTime(new Date(instant).getTime())
        yield* client.get("/")
        yield* until(() => lines.includes(wanted))
      }
    })
  )
})

// Until the handler sleeps by the test's clock; nothing else tells.
const asleep = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 30)))

const agent = { "user-agent": "me/1.0", referer: "http://a/?token=secret" }

describe("ready formats", () => {
  const day = /\[\d\d\/(?:Jan|Dec)\/(?:1970|1969):\d\d:\d\d:\d\d [+-]\d{4}\]/
  const rows: ReadonlyArray<readonly [name: string, format: AccessLog.Format, path: string, wanted: RegExp]> = [
    ["common", AccessLog.common, "/", /^127\.0\.0\.1 - - TIME "GET \/ HTTP\/1\.1" 200 5$/],
    [
      "combined",
      AccessLog.combined,
      "/gone",
      /^127\.0\.0\.1 - - TIME "GET \/gone HTTP\/1\.1" 410 64 "http:\/\/a\/\?token=REDACTED" "me\/1\.0"$/
    ],
    [
      "standard",
      AccessLog.standard,
      "/",
      /^127\.0\.0\.1 TIME "GET \/ HTTP\/1\.1" 200 \d{3} "http:\/\/a\/\?token=REDACTED" "me\/1\.0"$/
    ],
    [
      "logfmt",
      AccessLog.logfmt,
      "/items/7?q=a%20b",
      /^timestamp=1970-01-01T00:00:00\.000Z level=INFO logger=effect-web\.access http\.method=GET http\.url="\/items\/7\?q=a%20b" http\.status=200 http\.route="\/items\/\{id\}" route=item outcome=completed durationMs=0 bytes=\d+ bodyBytes=4 remoteAddress=127\.0\.0\.1 userAgent=me\/1\.0$/
    ]
  ]
  for (const [name, format, path, wanted] of rows) {
    log(`${name} is as documented`, { format }, ({ client, lines }) =>
      Effect.gen(function* () {
        yield* client.get(path, { headers: agent })
        yield* some(lines)
        assert.match(String(lines[0]).replace(day, "TIME"), wanted)
      })
    )
  }

  log("json is an object with the fields that are there", { format: AccessLog.json }, ({ client, lines }) =>
    Effect.gen(function* () {
      yield* client.get("/nowhere", { headers: agent })
      yield* some(lines)
      const { bytes, ...rest } = JSON.parse(String(lines[0]))
      assert.isAbove(bytes, 73)
      assert.deepStrictEqual(rest, {
        timestamp: "1970-01-01T00:00:00.000Z",
        level: "INFO",
        logger: "effect-web.access",
        "http.method": "GET",
        "http.url": "/nowhere",
        "http.status": 404,
        outcome: "failed",
        error: "NotFound",
        durationMs: 0,
        bodyBytes: 73,
        remoteAddress: "127.0.0.1",
        userAgent: "me/1.0"
      })
    })
  )
})

describe("Effect's logger", () => {
  for (const around of [false, true]) {
    const place = around ? "as middleware" : "as an option"
    log(
      `gets a message at Info with fields, ${place}`,
      { toLogger: true },
      ({ client, logged }) =>
        Effect.gen(function* () {
          yield* client.get("/items/7?token=a")
          yield* client.get("/nowhere")
          yield* some(logged, 2)
          assert.deepStrictEqual(
            logged.map(({ level, message }) => [level, message]),
            [
              ["Info", "GET /items/7 200"],
              ["Info", "GET /nowhere 404"]
            ]
          )
          assert.deepInclude(logged[0]?.annotations, {
            logger: "effect-web.access",
            "http.url": "/items/7?token=REDACTED",
            "http.status": 200,
            route: "item",
            outcome: "completed"
          })
        }),
      around
    )
  }

  log("with a format gets the line alone", { toLogger: true, format: AccessLog.common }, ({ client, logged }) =>
    Effect.gen(function* () {
      yield* client.get("/")
      yield* some(logged)
      assert.match(String(logged[0]?.message), /"GET \/ HTTP\/1\.1" 200 5$/)
      assert.deepStrictEqual(logged[0]?.annotations, { logger: "effect-web.access" })
    })
  )

  log("of a slow request gets a warning", { toLogger: true, slow: "1 second" }, ({ client, logged }) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(client.get("/slow"))
      yield* asleep
      yield* TestClock.adjust("1500 millis")
      yield* Fiber.join(fiber)
      yield* some(logged)
      assert.deepStrictEqual([logged[0]?.level, logged[0]?.message], ["Warn", "GET /slow 200"])
    })
  )

  it.effect("gets nothing below its level, and no line is made", () => {
    let made = 0
    const format = () => String(made++)
    return Effect.gen(function* () {
      const client = yield* Testing.client(app, { accessLog: { format } })
      yield* client.get("/")
      yield* client.get("/gone")
      assert.strictEqual(made, 0)
    }).pipe(Effect.provideService(References.MinimumLogLevel, "Warn"))
  })
})

describe("what is left out", () => {
  const skip = ["health", 404, ({ method }: Outcome) => method === "POST"]
  log("are routes, statuses and what a predicate says", { format: AccessLog.format("%r"), skip }, ({ client, lines }) =>
    Effect.gen(function* () {
      yield* client.get("/health")
      yield* client.get("/nowhere")
      yield* client.post("/")
      yield* client.get("/")
      yield* some(lines)
      assert.deepStrictEqual(lines, ["GET / HTTP/1.1"])
    })
  )

  it.effect("is what a sample does not hit, but never what failed", () => {
    const chances = [0.1, 0.9, 0.3, 0.25]
    const random = { nextIntUnsafe: () => 0, nextDoubleUnsafe: () => chances.shift() ?? 0.99 }
    return Effect.gen(function* () {
      const lines: Array<string> = []
      const format: AccessLog.Format = ({ outcome }) => outcome.url
      const client = yield* Testing.client(app, {
        accessLog: { format, sample: 0.25, write: (text) => void lines.push(...text.trimEnd().split("\n")) }
      })
      for (const path of ["/?1", "/?2", "/?3", "/?4", "/gone"]) yield* client.get(path)
      yield* until(() => lines.includes("/gone"))
      assert.deepStrictEqual(lines, ["/?1", "/gone"])
    }).pipe(Effect.provideService(Random.Random, random))
  })

  it("a sample is a share", () => {
    assert.throws(() => AccessLog.make({ sample: 50 }), TypeError, "give a share from 0 to 1")
  })
})

describe("redaction", () => {
  const rows: ReadonlyArray<readonly [AccessLog.Options, string]> = [
    [{ redactQuery: true }, "/?REDACTED <redacted>"],
    [{ redactQuery: false }, "/?token=a&page=2 <redacted>"],
    [{ redactQuery: ["page"] }, "/?token=a&page=REDACTED <redacted>"],
    [{ redactHeaders: [] }, "/?token=REDACTED&page=2 Basic YQ=="],
    [{ redactHeaders: ["Authorization"] }, "/?token=REDACTED&page=2 <redacted>"]
  ]
  for (const [options, wanted] of rows) {
    const format = AccessLog.format("%{url}x %{Authorization}i")
    log(`${JSON.stringify(options)} gives ${wanted}`, { ...options, format }, ({ client, lines }) =>
      Effect.gen(function* () {
        yield* client.get("/?token=a&page=2", { headers: { authorization: "Basic YQ==" } })
        yield* some(lines)
        assert.deepStrictEqual(lines, [wanted])
      })
    )
  }
})

describe("what fails in the log", () => {
  const dying = (): string => {
    throw new Error("a format that dies")
  }
  const failing: ReadonlyArray<readonly [string, AccessLog.Options]> = [
    ["a format", { format: dying }],
    ["a predicate", { skip: [dying as () => never] }],
    ["a writer", { write: dying }]
  ]
  for (const [name, options] of failing) {
    log(`${name} is one warning a minute, and nothing to the answer`, { ...options }, ({ client, logged }) =>
      Effect.gen(function* () {
        for (let count = 0; count < 3; count++) {
          assert.strictEqual((yield* client.get("/")).status, 200)
          yield* asleep
        }
        assert.deepStrictEqual(
          logged.map(({ level, message }) => `${level} ${message}`),
          ["Warn The access log failed: a line is lost"]
        )
        yield* TestClock.adjust("1 minute")
        yield* client.get("/")
        yield* some(logged, 2)
        assert.deepInclude(logged[1]?.annotations, { logger: "effect-web.access", lost: 3 })
      })
    )
  }

  it.effect("a logger is nothing to the answer", () => {
    let calls = 0
    const logger = Logger.make(() => {
      calls++
      throw new Error("a logger that dies")
    })
    return Effect.gen(function* () {
      const client = yield* Testing.client(app, { accessLog: true })
      assert.strictEqual(yield* (yield* client.get("/")).text, "hello")
      assert.strictEqual(yield* (yield* client.get("/")).text, "hello")
      assert.isAtLeast(calls, 2)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})

describe("lines that are written", () => {
  it.effect("are all there when the server has stopped", () =>
    Effect.gen(function* () {
      let text = ""
      const write = (lines: string) => {
        text += lines
      }
      for (const around of [false, true]) {
        text = ""
        const accessLog = { format: AccessLog.format("%s"), write }
        const used = around ? (app.pipe(App.use(AccessLog.make(accessLog))) as typeof app) : app
        yield* Effect.scoped(
          Effect.flatMap(Testing.client(used, around ? {} : { accessLog }), (client) =>
            Effect.andThen(client.get("/"), client.get("/gone"))
          )
        )
        assert.strictEqual(text, "200\n410\n")
      }
    })
  )
})

describe("behind a trusted proxy", () => {
  for (const around of [false, true]) {
    it.effect(`the address is that of the client, ${around ? "as middleware" : "as an option"}`, () =>
      Effect.gen(function* () {
        const lines: Array<string> = []
        const accessLog = { format: AccessLog.format("%a"), write: (text: string) => void lines.push(text) }
        const inner = around ? (app.pipe(App.use(AccessLog.make(accessLog))) as typeof app) : app
        const used = inner.pipe(App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] })))
        const client = yield* Testing.client(used, around ? {} : { accessLog })
        yield* client.get("/", { headers: { "x-forwarded-for": "192.0.2.7" } })
        yield* some(lines)
        assert.deepStrictEqual(lines, ["192.0.2.7\n"])
      })
    )
  }
})

describe("under the web standard", () => {
  it.effect("a line comes when the body's stream has ended, with its bytes", () => {
    const { layer, logged } = recorder()
    const lines: Array<string> = []
    const format = AccessLog.format("%s %B %{outcome}x %{route}x %{requestId}x %{Content-Type}o")
    const write = (text: string) => void lines.push(...text.trimEnd().split("\n"))
    const handle = App.toWebHandler(
      app.pipe(App.use(AccessLog.make({ format, write })), App.use(RequestId.make({ generate: Effect.succeed("one") })))
    )
    return Effect.gen(function* () {
      const ask = (path: string) => Effect.promise(() => handle(new Request(`http://a${path}`)))
      const chunks = yield* ask("/chunks")
      assert.strictEqual(chunks.headers.get("x-request-id"), "one")
      yield* asleep
      assert.deepStrictEqual(lines, [])
      yield* Effect.promise(() => chunks.text())
      yield* some(lines)
      yield* ask("/")
      yield* some(lines, 2)
      yield* ask("/gone")
      yield* some(lines, 3)
      const left = yield* ask("/endless")
      yield* Effect.promise(() => left.body?.cancel() ?? Promise.resolve())
      yield* some(lines, 4)
      assert.deepStrictEqual(lines, [
        "200 3 completed chunks one application/octet-stream",
        "200 5 completed home one text/plain; charset=utf-8",
        "410 82 failed gone one application/problem+json",
        "200 0 clientAborted endless one application/octet-stream"
      ])
      assert.deepStrictEqual(logged, [])
    }).pipe(Effect.provide(layer))
  })
})
