/**
 * Attacks on rate limits: who is limited tries to be someone else.
 */
import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import { networkOf } from "../../src/internal/rateLimit/addressKey.ts"
import * as Memory from "../../src/internal/rateLimit/memory.ts"
import * as Policy from "../../src/internal/rateLimit/policy.ts"
import * as RateLimit from "../../src/middleware/RateLimit.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { attacks } from "./attacks.ts"

const app = App.make({ home: Route.get("/", Effect.succeed(Response.text("fine"))) }).pipe(
  App.use(RateLimit.make({ limit: 1, window: "1 minute" }))
)

/** One request is answered, and then each with other header fields is refused. */
const refused = (fields: ReadonlyArray<Record<string, string>>, path = "/") =>
  Effect.gen(function* () {
    const client = yield* Testing.client(app)
    assert.strictEqual((yield* client.get("/")).status, 200)
    for (const headers of fields) assert.strictEqual((yield* client.get(path, { headers })).status, 429)
  })

const bucket = (name: string) => Policy.make({ limit: 1, window: "1 minute", name, algorithm: "token-bucket" })

/** Ten requests in a minute, counted for so many keys: whether one more is refused. */
const counters = (capacity: number) => {
  const store = Memory.store(capacity)
  const take = (key: string) =>
    Effect.map(
      store.fixedWindow({ key, tokens: 1, limit: 10, refillRate: Duration.seconds(6) }),
      ([count]) => count > 10
    )
  return { store, take }
}

attacks("rate limits", [
  {
    attack: "each request names another client in X-Forwarded-For, Forwarded or X-Real-IP",
    stoppedBy: "no field counts that no trusted proxy has written",
    run: refused([
      { "x-forwarded-for": "6.6.6.6" },
      { forwarded: "for=6.6.6.7" },
      { "x-real-ip": "6.6.6.8" },
      { "x-forwarded-for": "::1, 127.0.0.2" }
    ])
  },
  {
    attack: "each request has another path, query, case or method",
    stoppedBy: "a limit of the app counts whatever comes to it, what is not found included",
    run: Effect.andThen(refused([{}], "/?again"), refused([{}], "/nothing"))
  },
  {
    attack: "each request comes from another address of one's own IPv6 network",
    stoppedBy: "a /64 network is one client",
    run: Effect.sync(() => {
      const keys = Array.from({ length: 1000 }, (_, n) => networkOf(`2001:db8:1:2:${(n * 61).toString(16)}::1`))
      assert.deepStrictEqual([...new Set(keys)], ["2001:db8:1:2::/64"])
    })
  },
  {
    attack: "a hundred thousand keys, to fill the memory",
    stoppedBy: "so many are kept",
    run: Effect.gen(function* () {
      const { store, take } = counters(1000)
      for (let n = 0; n < 100_000; n++) yield* take(`${n}`)
      assert.strictEqual(store.size, 1000)
    })
  },
  {
    attack: "a hundred thousand keys, to have one's own counter forgotten that is over",
    stoppedBy: "those that have used most are kept",
    run: Effect.gen(function* () {
      const { take } = counters(1000)
      for (let n = 0; n < 10; n++) assert.isFalse(yield* take("attacker"))
      for (let n = 0; n < 100_000; n++) yield* take(`${n}`)
      assert.isTrue(yield* take("attacker"))
    })
  },
  {
    attack: "ten thousand keys that use nine tenths of their limits, for the same",
    stoppedBy: "those that have used most are kept",
    run: Effect.gen(function* () {
      const { take } = counters(1000)
      for (let n = 0; n < 10; n++) assert.isFalse(yield* take("attacker"))
      for (let n = 0; n < 90_000; n++) yield* take(`${Math.floor(n / 9)}`)
      assert.isTrue(yield* take("attacker"))
    })
  },
  {
    attack: "as many keys that are over as there is room for, so that others are not counted",
    stoppedBy: "those that were asked for last are kept, whatever they have used",
    run: Effect.gen(function* () {
      const { store, take } = counters(1000)
      for (let n = 0; n < 20_000; n++) yield* take(`${Math.floor(n / 10)}`)
      for (let n = 0; n < 10; n++) for (let other = 0; other < 400; other++) assert.isFalse(yield* take(`new ${other}`))
      for (let other = 0; other < 400; other++) assert.isTrue(yield* take(`new ${other}`))
      assert.strictEqual(store.size, 1000)
    })
  },
  {
    attack: "a key that ends in :refill, which is another client's second key in Effect's token bucket",
    stoppedBy: "keys stand in braces, and have none within",
    run: Effect.sync(() => {
      const victim = Policy.key(bucket("a"), "ann")
      for (const who of ["ann:refill", "ann}:refill", "{ann}:refill", "ann%7D:refill"]) {
        assert.notStrictEqual(Policy.key(bucket("a"), who), `${victim}:refill`)
        assert.match(Policy.key(bucket("a"), who), /^\{[^{}]*\}$/)
      }
      assert.notStrictEqual(Policy.key(bucket("a"), "%7B"), Policy.key(bucket("a"), "{"))
    })
  },
  {
    attack: "a key of 8 kB, or of what no key may have",
    stoppedBy: "only its hash is kept",
    run: Effect.gen(function* () {
      const limit = RateLimit.make({ limit: 1, window: "1 minute", key: RateLimit.byHeader("x-api-key") })
      const own = App.make({ home: Route.get("/", Effect.succeed(Response.text("fine"))) }).pipe(App.use(limit))
      const client = yield* Testing.client(own)
      for (const key of ["x".repeat(8000), "{}", "a\tb", "constructor", "__proto__"]) {
        const headers = { "x-api-key": key }
        assert.strictEqual((yield* client.get("/", { headers })).status, 200)
        assert.strictEqual((yield* client.get("/", { headers })).status, 429)
      }
    })
  }
])
