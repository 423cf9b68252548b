/**
 * Limits of requests: in memory by the TestClock, and in a Redis that servers share.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as TestClock from "effect/testing/TestClock"
import { expectTypeOf } from "vitest"
import * as App from "../../src/App.ts"
import type * as HttpError from "../../src/HttpError.ts"
import { networkOf } from "../../src/internal/rateLimit/addressKey.ts"
import * as Memory from "../../src/internal/rateLimit/memory.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as RateLimit from "../../src/middleware/RateLimit.ts"
import * as TrustedProxies from "../../src/middleware/TrustedProxies.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as RedisServer from "../redisServer.ts"
import { recorder } from "../server/both.ts"

const routes = { home: Route.get("/", Effect.succeed(Response.text("fine"))) }
const three = App.make(routes).pipe(App.use(RateLimit.make({ limit: 3, window: "1 minute" })))

/** The status, what the client is told of its limit, and when to come back. */
const get = Effect.fnUntraced(function* (client: Testing.Client, path = "/", headers: Record<string, string> = {}) {
  const response = yield* client.get(path, { headers })
  const { ratelimit, "retry-after": after } = response.headers
  return [response.status, ratelimit, after]
})
const statuses = (client: Testing.Client, count: number, path = "/", headers: Record<string, string> = {}) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.map(get(client, path, headers), ([status]) => status))

served("a client that asks too often gets 429 and when to come back", three, (client) =>
  Effect.gen(function* () {
    const first = yield* client.get("/")
    assert.strictEqual(first.headers["ratelimit-policy"], '"3-in-60s";q=3;w=60')
    assert.strictEqual(first.headers.ratelimit, '"3-in-60s";r=2;t=20')
    assert.deepStrictEqual(yield* statuses(client, 4), [200, 200, 429, 429])
    const refused = yield* client.get("/", { headers: { accept: "application/json" } })
    assert.strictEqual(refused.headers["ratelimit-policy"], '"3-in-60s";q=3;w=60')
    assert.match(refused.headers.ratelimit ?? "", /^"3-in-60s";r=0;t=\d+$/)
    assert.deepStrictEqual(yield* refused.json, {
      type: "about:blank",
      title: "Too Many Requests",
      status: 429,
      detail: "Too many requests: come back later",
      _tag: "TooManyRequests"
    })
  })
)

it.effect("when the window is over a client has its whole limit again", () =>
  Effect.gen(function* () {
    const client = yield* Testing.client(three)
    assert.deepStrictEqual(yield* statuses(client, 3), [200, 200, 200])
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(yield* get(client), [429, '"3-in-60s";r=0;t=50', "50"])
    yield* TestClock.adjust("50 seconds")
    assert.deepStrictEqual(yield* statuses(client, 4), [200, 200, 200, 429])
  })
)

it.effect("a token bucket gives the limit back one by one", () =>
  Effect.gen(function* () {
    const limit = RateLimit.make({ limit: 3, window: "1 minute", algorithm: "token-bucket", name: "bucket" })
    const client = yield* Testing.client(App.make(routes).pipe(App.use(limit)))
    assert.deepStrictEqual(yield* get(client), [200, '"bucket";r=2;t=20', undefined])
    assert.deepStrictEqual(yield* statuses(client, 3), [200, 200, 429])
    yield* TestClock.adjust("5 seconds")
    assert.deepStrictEqual(yield* get(client), [429, '"bucket";r=0;t=15', "15"])
    yield* TestClock.adjust("15 seconds")
    assert.deepStrictEqual(yield* statuses(client, 2), [200, 429])
    yield* TestClock.adjust("1 hour")
    assert.deepStrictEqual(yield* statuses(client, 4), [200, 200, 200, 429])
  })
)

it.effect("two servers of one app count apart, and so do the tests of it", () =>
  Effect.gen(function* () {
    const [one, other] = [yield* Testing.client(three), yield* Testing.client(three)]
    assert.deepStrictEqual(yield* statuses(one, 4), [200, 200, 200, 429])
    assert.deepStrictEqual(yield* statuses(other, 4), [200, 200, 200, 429])
  })
)

class User extends Context.Service<User, { readonly id: string | undefined }>()("test/User") {}
const byUser = Effect.map(User, ({ id }) => id)
const user = Middleware.provide(
  User,
  Effect.map(Request.header("x-user"), (id) => ({ id }))
)

served(
  "a limit by user counts each apart, and by address who is none",
  App.make(routes).pipe(App.use(RateLimit.make({ limit: 1, window: "1 minute", key: byUser })), App.use(user)),
  (client) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* statuses(client, 2, "/", { "x-user": "ada" }), [200, 429])
      assert.deepStrictEqual(yield* statuses(client, 2, "/", { "x-user": "grace" }), [200, 429])
      assert.deepStrictEqual(yield* statuses(client, 2), [200, 429])
    })
)

served(
  "behind a trusted proxy each client is counted apart, an IPv6 one by its network",
  App.make(routes).pipe(
    App.use(RateLimit.make({ limit: 1, window: "1 minute" })),
    App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] }))
  ),
  (client) =>
    Effect.gen(function* () {
      const from = (address: string) => statuses(client, 1, "/", { "x-forwarded-for": address })
      assert.deepStrictEqual(
        [yield* from("6.6.6.6"), yield* from("6.6.6.6"), yield* from("6.6.6.7")],
        [[200], [429], [200]]
      )
      assert.deepStrictEqual([yield* from("7.7.7.7, 6.6.6.6"), yield* from("::ffff:6.6.6.6")], [[429], [429]])
      assert.deepStrictEqual(
        [yield* from("2001:db8::1"), yield* from("2001:db8::2"), yield* from("2001:db8:0:1::1")],
        [[200], [429], [200]]
      )
    })
)

served(
  "a limit by header counts each value apart",
  App.make(routes).pipe(
    App.use(RateLimit.make({ limit: 1, window: "1 minute", key: RateLimit.byHeader("X-Api-Key") }))
  ),
  (client) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* statuses(client, 2, "/", { "x-api-key": "a" }), [200, 429])
      assert.deepStrictEqual(yield* statuses(client, 2, "/", { "x-api-key": "b" }), [200, 429])
      assert.deepStrictEqual(yield* statuses(client, 2), [200, 429])
    })
)

served(
  "a request may cost more, or nothing, or not be counted",
  App.make(routes).pipe(
    App.use(
      RateLimit.make({
        limit: 10,
        window: "1 minute",
        cost: Effect.map(Request.query, (query) => Number(query.get("cost") ?? 1)),
        skip: Effect.map(Request.header("x-monitor"), (value) => value === "yes")
      })
    )
  ),
  (client) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* get(client, "/?cost=8"), [200, '"10-in-60s";r=2;t=48', undefined])
      assert.deepStrictEqual((yield* get(client, "/?cost=0"))[0], 200)
      assert.deepStrictEqual((yield* get(client, "/?cost=3"))[0], 429)
      assert.deepStrictEqual((yield* get(client, "/?cost=11"))[0], 429)
      assert.deepStrictEqual(yield* get(client, "/?cost=3", { "x-monitor": "yes" }), [200, undefined, undefined])
      assert.deepStrictEqual(yield* statuses(client, 3), [200, 200, 429])
    })
)

served(
  "limits compose: each counts what comes to it, and the answer tells of all, also one of a path that is not there",
  App.make({
    ...routes,
    search: Route.get("/search", Effect.succeed(Response.text("found"))).pipe(
      Route.use(RateLimit.make({ limit: 1, window: "1 second", name: "search" }))
    )
  }).pipe(
    App.use(RateLimit.make({ limit: 4, window: "1 minute", name: "minute" })),
    App.use(RateLimit.make({ limit: 1000, window: "1 day", name: "day" }))
  ),
  (client) =>
    Effect.gen(function* () {
      const found = yield* client.get("/search")
      const policies = found.headers["ratelimit-policy"]?.split(", ").toSorted()
      assert.deepStrictEqual(policies, ['"day";q=1000;w=86400', '"minute";q=4;w=60', '"search";q=1;w=1'])
      assert.deepStrictEqual(
        found.headers.ratelimit
          ?.split(", ")
          .map((item) => item.replace(/;t=\d+/, ""))
          .toSorted(),
        ['"day";r=999', '"minute";r=3', '"search";r=0']
      )
      const missing = yield* client.get("/nothing")
      assert.strictEqual(missing.status, 404)
      assert.include(missing.headers.ratelimit, '"minute";r=2')
      assert.deepStrictEqual(yield* statuses(client, 3), [200, 200, 429])
    })
)

served(
  "the older fields tell of the limit that is nearest",
  App.make(routes).pipe(
    App.use(RateLimit.make({ limit: 10, window: "1 minute", headers: "legacy" })),
    App.use(RateLimit.make({ limit: 1000, window: "1 day", headers: "legacy" })),
    App.use(RateLimit.make({ limit: 5000, window: "1 day", headers: "none" }))
  ),
  (client) =>
    Effect.gen(function* () {
      const { headers } = yield* client.get("/")
      const names = Object.keys(headers).filter((name) => name.startsWith("ratelimit"))
      assert.deepStrictEqual(
        names.map((name) => [name, headers[name]]),
        [
          ["ratelimit-limit", "10"],
          ["ratelimit-remaining", "9"],
          ["ratelimit-reset", "6"]
        ]
      )
    })
)

it("an IPv6 client is its /64 network", () => {
  const rows = [
    ["198.51.100.7", "198.51.100.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::ffff", "2001:db8:1:2::/64"],
    ["::ffff:198.51.100.7", "198.51.100.7"],
    ["fe80::1%eth0", "fe80::/64"],
    ["::1", "::/64"],
    ["unknown", "unknown"],
    ["a:b", "a:b"]
  ] as const
  for (const [address, key] of rows) assert.strictEqual(networkOf(address), key)
})

it.effect("in memory the number of keys is bounded, and a key in use outlives a flood of others", () =>
  Effect.gen(function* () {
    const store = Memory.store(100)
    const take = (key: string) => store.fixedWindow({ key, tokens: 1, limit: 10, refillRate: Duration.seconds(6) })
    for (let n = 0; n < 10_000; n++) {
      yield* take(`flood ${n}`)
      if (n % 50 === 0) yield* take("in use")
    }
    assert.deepStrictEqual([(yield* take("in use"))[0], store.size], [11, 100])
    yield* TestClock.adjust("1 minute")
    for (let n = 0; n < 100; n++) yield* take("one")
    assert.strictEqual(store.size, 1)
  })
)

it.effect("a cost that is no count is a defect, and changes nothing", () => {
  const cost = Effect.map(Request.queryString, Number)
  const app = App.make({ home: Route.get("/", Response.text("home")) }).pipe(
    App.use(RateLimit.make({ limit: 2, window: "1 minute", cost }))
  )
  return Effect.gen(function* () {
    const client = yield* Testing.client(app)
    const statuses = yield* Effect.forEach(["2", "x", "-5", "Infinity", "1"], (n) =>
      Effect.map(client.get(`/?${n}`), ({ status }) => status)
    )
    assert.deepStrictEqual(statuses, [200, 500, 500, 429, 429])
  })
})

it("what a limit cannot be is refused when it is declared", () => {
  const limiter = RateLimiter.RateLimiter
  const rows: ReadonlyArray<readonly [() => unknown, string]> = [
    [() => RateLimit.make({ limit: 0, window: "1 minute" }), "give a count from 1"],
    [() => RateLimit.make({ limit: 1.5, window: "1 minute" }), "give a count from 1"],
    [() => RateLimit.make({ limit: 1, window: "0 seconds" }), 'as "1 minute"'],
    [() => RateLimit.make({ limit: 1, window: Duration.infinity }), 'as "1 minute"'],
    // Meant for a minute: a number is of milliseconds
    [() => RateLimit.make({ limit: 1, window: 60 }), 'the window of 60ms is below a second; give one as "1 minute"'],
    [() => RateLimit.make({ limit: 1, window: "1 minute", cost: 2 }), "give one from 0 to it"],
    [() => RateLimit.make({ limit: 1, window: "1 minute", name: 'a"b' }), "is no name"],
    [() => RateLimit.make({ limit: 1, window: "1 minute", limiter }), "told apart by name"]
  ]
  for (const [declare, message] of rows) assert.throws(declare, message)
})

it("the types tell what it fails with and needs", () => {
  const plain = RateLimit.make({ limit: 1, window: "1 minute" })
  expectTypeOf(plain).toEqualTypeOf<Middleware.Middleware<never, HttpError.TooManyRequests>>()
  const limiter = RateLimiter.RateLimiter
  const closed = RateLimit.make({
    limit: 1,
    window: "1 minute",
    name: "a",
    limiter,
    onStoreFailure: "closed",
    key: byUser
  })
  expectTypeOf(closed).toEqualTypeOf<
    Middleware.Middleware<
      never,
      HttpError.TooManyRequests | HttpError.ServiceUnavailable,
      User | RateLimiter.RateLimiter
    >
  >()
})

const shared = (onStoreFailure: "open" | "closed", algorithm: "fixed-window" | "token-bucket" = "fixed-window") =>
  App.make(routes).pipe(
    App.use(
      RateLimit.make({
        limit: 10,
        window: "1 minute",
        name: "shared",
        key: RateLimit.byHeader("x-api-key"),
        limiter: RateLimiter.RateLimiter,
        algorithm,
        onStoreFailure
      })
    )
  )

describe.runIf(RedisServer.isInstalled)("with redis-server", () => {
  const start = Effect.fnUntraced(function* (path: string, ...options: Parameters<typeof shared>) {
    const redis = NodeRedis.layer({ socket: { path, tls: false } })
    const limiter = RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreRedis()))
    const context = yield* Layer.build(Layer.provideMerge(limiter, redis))
    const client = yield* Effect.provide(Testing.client(shared(...options)), context)
    return { client, node: Context.get(context, NodeRedis.NodeRedis) }
  })

  for (const algorithm of ["fixed-window", "token-bucket"] as const) {
    it.live(`two servers share a limit (${algorithm})`, () =>
      Effect.gen(function* () {
        const { path } = yield* RedisServer.make
        const [one, other] = [yield* start(path, "open", algorithm), yield* start(path, "open", algorithm)]
        const all = [...Array.from({ length: 10 }, () => one.client), ...Array.from({ length: 10 }, () => other.client)]
        const found = yield* Effect.forEach(all, (client) => Effect.map(client.get("/"), ({ status }) => status), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(
          [found.filter((each) => each === 200).length, found.filter((each) => each === 429).length],
          [10, 10]
        )
        assert.deepStrictEqual(yield* statuses(other.client, 1, "/", { "x-api-key": "secret" }), [200])
        const keys = yield* Effect.promise(() => one.node.client.keys("*"))
        assert.notInclude(keys.join(" "), "secret")
        assert.isTrue(
          keys.every((key) => /^ratelimiter:\{shared:[ft]:[^{}]+\}(:refill)?$/.test(key)),
          keys.join(" ")
        )
      })
    )
  }

  it.live("without Redis requests go on, with a warning, or are 503 where that is wanted", () => {
    const log = recorder()
    return Effect.gen(function* () {
      const server = yield* RedisServer.make
      const [open, closed] = [yield* start(server.path, "open"), yield* start(server.path, "closed")]
      assert.deepStrictEqual([yield* statuses(open.client, 1), yield* statuses(closed.client, 1)], [[200], [200]])
      // Else they would wait for it when they are closed.
      for (const { node } of [open, closed]) yield* Effect.addFinalizer(() => Effect.sync(() => node.client.destroy()))
      yield* server.kill
      assert.deepStrictEqual(
        yield* statuses(open.client, 30),
        Array.from({ length: 30 }, () => 200)
      )
      assert.deepStrictEqual(yield* statuses(closed.client, 3), [503, 503, 503])
      const warnings = log.logs.filter((line) => line.includes("Requests are not limited"))
      assert.deepStrictEqual(warnings, ["Warn Requests are not limited: the rate limiter failed"])
      assert.deepStrictEqual(
        log.logs.filter((line) => line.startsWith("Error")),
        []
      )
    }).pipe(Effect.provide(log.layer))
  })
})
