/**
 * Policies of routes: where they stand, which of two holds, and what the table of routes says of them.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as SqlClient from "effect/sql/SqlClient"
import * as App from "../src/App.ts"
import * as Deadline from "../src/Deadline.ts"
import type { ContentTooLarge, ServiceUnavailable } from "../src/HttpError.ts"
import type * as Middleware from "../src/Middleware.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { handle } from "./apps.ts"

const left = Effect.map(Deadline.remaining, (left) =>
  Response.text(left === undefined ? "none" : Duration.format(left))
)
const seen = Effect.map(Deadline.remaining, (left) => (left === undefined ? "none" : Duration.format(left)))
const show: Middleware.Middleware = (handler) =>
  Effect.flatMap(seen, (text) => Effect.map(handler, Response.setHeader("x-left", text)))

const inherits = Route.get("/inherits", left)
const own = Route.get("/own", left).pipe(Route.timeout("30 seconds"))
const foreign = Route.mountHandler("/foreign", left)
const inner = App.make({ inherits, own }).pipe(App.policy(Route.timeout("10 seconds")))
const outside = App.make({ inherits, own, foreign }).pipe(App.use(show), App.policy(Route.timeout("20 seconds")))
const inside = App.make({ inherits, own, inner: Route.mount("/inner", inner) }).pipe(
  App.policy(Route.timeout("20 seconds")),
  App.use(show)
)
const app = App.make({ outside: Route.mount("/outside", outside), inside: Route.mount("/inside", inside) })

describe("of two policies of one name", () => {
  it.effect.each<[path: string, handler: string, middleware: string]>([
    ["/outside/inherits", "20s", "20s"],
    // That of the route is inside of the middleware, and that of the app is not applied.
    ["/outside/own", "30s", "none"],
    ["/outside/foreign/x", "20s", "20s"],
    ["/inside/inherits", "20s", "none"],
    ["/inside/own", "30s", "none"],
    ["/inside/inner/inherits", "10s", "none"],
    ["/inside/inner/own", "30s", "none"]
  ])("the nearer holds: at %s there are %s for the handler and %s for middleware", ([path, handler, middleware]) =>
    Effect.map(handle(app, `GET ${path}`), ({ headers, text }) =>
      assert.deepStrictEqual([text, headers["x-left"]], [handler, middleware])
    )
  )

  it.effect("what is not found has none", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const spy: Middleware.Middleware = (handler) =>
        Effect.flatMap(Deadline.remaining, (left) => {
          seen.push(left === undefined ? "none" : "some")
          return handler
        })
      const app = App.make({ home: Route.get("/", left) }).pipe(App.use(spy), App.policy(Route.timeout("1 second")))
      for (const line of ["GET /", "GET /nowhere", "DELETE /"]) yield* Effect.exit(handle(app, line))
      assert.deepStrictEqual(seen, ["some", "none", "none"])
    })
  )

  it("two on one app are refused", () =>
    assert.throws(
      () => inner.pipe(App.policy(Route.timeout("1 second"))),
      TypeError,
      'The app has the policy "timeout" already; remove one of the two'
    ))
})

describe("the table of routes", () => {
  const gate = Route.concurrency({ limit: 2 })
  const table = App.make(
    {
      plain: Route.get("/plain", left),
      all: Route.get("/all", left).pipe(
        Route.bodyLimit("1 kB"),
        gate,
        Route.onDisconnect(Route.finishWithin("10 seconds")),
        Route.onDrain("interrupt"),
        Route.timeout("5 seconds")
      ),
      mounted: Route.mount(
        "/mounted",
        App.make({ deep: Route.get("/deep", left) }).pipe(App.policy(Route.onDisconnect("finish")))
      ),
      foreign: Route.mountHandler("/foreign", left)
    },
    { bodyLimit: "2 MB" }
  ).pipe(App.policy(Route.timeout("1 minute")))

  it("has the policies that hold for each, with their values", () => {
    const rows = App.routes(table).map(({ name, policies }) => [name, policies])
    const base = { bodyLimit: ByteSize.fromInputUnsafe("2 MB"), timeout: Duration.minutes(1) }
    assert.deepStrictEqual(rows, [
      ["plain", base],
      [
        "all",
        {
          bodyLimit: ByteSize.fromInputUnsafe("1 kB"),
          timeout: Duration.seconds(5),
          concurrency: { limit: 2, queue: 2, wait: Duration.seconds(10) },
          onDisconnect: { finishWithin: Duration.seconds(10) },
          onDrain: "interrupt"
        }
      ],
      ["mounted.deep", { ...base, onDisconnect: "finish" }],
      ["foreign", base]
    ])
  })
})

describe("the types", () => {
  const busy = Route.concurrency({ limit: 1 })
  const one = Route.get("/", left).pipe(
    Route.timeout("5 seconds"),
    Route.onDisconnect("finish"),
    Route.transactional,
    Route.bodyLimit("1 kB"),
    Route.onDrain("notify"),
    busy
  )
  const other = Route.get("/", left).pipe(
    busy,
    Route.onDrain("notify"),
    Route.bodyLimit("1 kB"),
    Route.transactional,
    Route.onDisconnect("finish"),
    Route.timeout("5 seconds")
  )
  type Failures = Deadline.Exceeded | ServiceUnavailable | ContentTooLarge

  it("are the same in any order", () => {
    expectTypeOf(one).toEqualTypeOf(other)
    expectTypeOf<Route.Failures<typeof one>>().toEqualTypeOf<Failures>()
    expectTypeOf<Route.Needs<typeof one>>().toEqualTypeOf<SqlClient.SqlClient>()
  })

  it("of an app say what its policies add", () => {
    const app = App.make({ home: Route.get("/", left) }).pipe(
      App.policy(Route.timeout("5 seconds")),
      App.policy(Route.transactional)
    )
    expectTypeOf(app["~E"]).toEqualTypeOf<Deadline.Exceeded | ServiceUnavailable>()
    expectTypeOf(app["~Added"]).toEqualTypeOf<Deadline.Exceeded | ServiceUnavailable>()
    expectTypeOf(app["~R"]).toEqualTypeOf<SqlClient.SqlClient>()
  })
})

describe("a wrong declaration", () => {
  it.each<[name: string, make: () => unknown, says: string]>([
    ["concurrency of none", () => Route.concurrency({ limit: 0 }), "the limit 0 is none; write a whole number from 1"],
    [
      "a queue below zero",
      () => Route.concurrency({ limit: 1, queue: -1 }),
      "the queue -1 is none; write a whole number from 0"
    ],
    ["no wait", () => Route.concurrency({ limit: 1, wait: 0 }), "is no time; write more than zero"],
    ["finishWithin of none", () => Route.finishWithin(0), "Route.finishWithin: 0 is no time; write more than zero"],
    [
      "another onDisconnect",
      () => Route.onDisconnect("stay" as never),
      '"stay" is unknown; write "interrupt", "finish" or Route.finishWithin(...)'
    ],
    [
      "another onDrain",
      () => Route.onDrain("stay" as never),
      '"stay" is unknown; write "await", "notify" or "interrupt"'
    ]
  ])("%s throws, naming the cure", (_, make, says) => assert.throws(make, TypeError, says))
})
