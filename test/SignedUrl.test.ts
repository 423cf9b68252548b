/**
 * Signed URLs are let through as they were signed, until they expire.
 */
import * as Crypto from "node:crypto"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import type * as Middleware from "../src/Middleware.ts"
import * as Request from "../src/Request.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sealed from "../src/Sealed.ts"
import * as SignedUrl from "../src/SignedUrl.ts"
import { served } from "../src/testing/Served.ts"
import type * as Testing from "../src/testing/Testing.ts"

const secret = "a secret of thirty-two bytes; 001"
const keys = Sealed.keys(secret)
const links = SignedUrl.make({ keys })

const show = Effect.map(Effect.all([Request.method, Request.path]), ([method, path]) =>
  Response.text(`${method} ${path}`)
)
const app = App.make({
  report: Route.get("/reports/{name}", show).pipe(Route.use(links.verify)),
  ping: Route.post("/ping", show).pipe(Route.use(links.verify)),
  shop: Route.mount("/shop", App.make({ order: Route.get("/orders/{id}", show) }).pipe(App.use(links.verify)))
})
const urls = App.urls(app)

/** The status and the text of an answer. */
const get = Effect.fnUntraced(function* (client: Testing.Client, url: string, method: "GET" | "HEAD" | "POST" = "GET") {
  const response = yield* client.execute(HttpClientRequest.make(method)(url))
  return [response.status, yield* response.text] as const
})

served(
  "a URL of a route passes with its signature and not without",
  app,
  Effect.fnUntraced(function* (client) {
    const url = yield* links.sign(urls.report({ name: "2020 café" }), { expiresIn: "1 hour" })
    assert.match(url, /^\/reports\/2020%20caf%C3%A9\?expires=3600&signature=[\w-]{6}\.[\w-]{43}$/)
    assert.deepStrictEqual(yield* get(client, url), [200, "GET /reports/2020 café"])
    assert.deepStrictEqual(yield* get(client, url, "HEAD"), [200, ""])
    const [status, text] = yield* get(client, urls.report({ name: "2020 café" }))
    assert.strictEqual(status, 403)
    assert.include(text, "The URL has no valid signature")
  })
)

served(
  "it passes until it has expired, which is said then",
  app,
  Effect.fnUntraced(function* (client) {
    const url = yield* links.sign("/reports/a", { expiresIn: "1500 millis" })
    assert.include(url, "?expires=2&")
    yield* TestClock.adjust("1999 millis")
    assert.strictEqual((yield* get(client, url))[0], 200)
    yield* TestClock.adjust("1 millis")
    const [status, text] = yield* get(client, url)
    assert.strictEqual(status, 410)
    assert.include(text, "The URL has expired")
    // Who changes the end has no signature
    assert.strictEqual((yield* get(client, url.replace("expires=2", "expires=3")))[0], 403)
  })
)

served(
  "one for ever has no end",
  app,
  Effect.fnUntraced(function* (client) {
    const url = yield* links.sign("/reports/a", { expiresIn: Duration.infinity })
    assert.match(url, /^\/reports\/a\?signature=/)
    // A name that ends so is another name
    const other = yield* links.sign("/reports/a?notexpires=1", { expiresIn: Duration.infinity })
    yield* TestClock.adjust("36500 days")
    assert.strictEqual((yield* get(client, url))[0], 200)
    assert.strictEqual((yield* get(client, other))[0], 200)
  })
)

served(
  "it is for its method, or for any",
  app,
  Effect.fnUntraced(function* (client) {
    const sign = (method?: string) => links.sign("/ping", { expiresIn: "1 hour", ...(method && { method }) })
    assert.strictEqual((yield* get(client, yield* sign(), "POST"))[0], 403)
    assert.strictEqual((yield* get(client, yield* sign("GET"), "POST"))[0], 403)
    assert.strictEqual((yield* get(client, yield* sign("POST"), "POST"))[0], 200)
    assert.strictEqual((yield* get(client, yield* sign("post"), "POST"))[0], 200)
    assert.strictEqual((yield* get(client, yield* sign("*"), "POST"))[0], 200)
  })
)

served(
  "an absolute URL is for its host, whatever the scheme",
  app,
  Effect.fnUntraced(function* (client) {
    const path = "/reports/a"
    const url = yield* links.sign(client.url + path, { expiresIn: "1 hour" })
    assert.strictEqual(url.indexOf(`${client.url}${path}?expires=`), 0)
    assert.strictEqual((yield* get(client, url))[0], 200)
    const secure = yield* links.sign(client.url.replace("http:", "https:") + path, { expiresIn: "1 hour" })
    assert.strictEqual((yield* get(client, secure.replace("https:", "http:")))[0], 200)
    const elsewhere = new URL(yield* links.sign(`http://other.example${path}`, { expiresIn: "1 hour" }))
    assert.strictEqual((yield* get(client, elsewhere.pathname + elsewhere.search))[0], 403)
  })
)

served(
  "a mounted app lets only signed URLs pass, with query and fragment",
  app,
  Effect.fnUntraced(function* (client) {
    const plain = urls.shop.order({ id: 7 }, { query: { tag: ["a b", "c&d"], q: "it's" }, hash: "top" })
    const url = yield* links.sign(plain, { expiresIn: "1 hour" })
    assert.match(url, /^\/shop\/orders\/7\?tag=a\+b&tag=c%26d&q=it%27s&expires=3600&signature=[^#]+#top$/)
    assert.deepStrictEqual(yield* get(client, url), [200, "GET /shop/orders/7"])
    assert.strictEqual((yield* get(client, plain))[0], 403)
  })
)

describe("what is signed", () => {
  it.effect("is the method, the host, the path and the query, by HMAC-SHA-256 with a key of the purpose", () =>
    Effect.gen(function* () {
      const url = yield* links.sign("https://Example.com/a?b=c", { expiresIn: "1 minute" })
      const derived = Buffer.from(Crypto.hkdfSync("sha256", secret, "", "effect-web/SignedUrl/1/url", 37))
      const hmac = Crypto.createHmac("sha256", derived.subarray(0, 32)).update("GET\nexample.com\n/a?b=c&expires=60")
      const signature = `${derived.subarray(32).toString("base64url").slice(0, 6)}.${hmac.digest("base64url")}`
      assert.strictEqual(url, `https://example.com/a?b=c&expires=60&signature=${signature}`)
    })
  )

  it.effect("is what a browser sends", () =>
    Effect.gen(function* () {
      const url = yield* links.sign("/a b/../ü?x=y z'", { expiresIn: Duration.infinity })
      assert.match(url, /^\/%C3%BC\?x=y%20z%27&signature=/)
      assert.strictEqual(new URL(url, "http://a").href, `http://a${url}`)
    })
  )

  it("the failures of the middleware are those two", () => {
    expectTypeOf(links.verify).toEqualTypeOf<Middleware.Middleware<never, SignedUrl.Invalid | SignedUrl.Expired>>()
    assert.deepStrictEqual(links.verify.errors, [SignedUrl.Invalid, SignedUrl.Expired])
  })
})

describe("rotation", () => {
  const newer = "a newer secret which has more bytes"
  const route = (ring: Sealed.KeyRing) =>
    App.make({ a: Route.get("/a", show).pipe(Route.use(SignedUrl.make({ keys: ring }).verify)) })

  served(
    "a URL of an older secret of the ring passes",
    route(Sealed.keys(newer, secret)),
    Effect.fnUntraced(function* (client) {
      const sign = (ring: Sealed.KeyRing) => SignedUrl.make({ keys: ring }).sign("/a", { expiresIn: "1 hour" })
      assert.strictEqual((yield* get(client, yield* sign(keys)))[0], 200)
      assert.strictEqual((yield* get(client, yield* sign(Sealed.keys(newer))))[0], 200)
      assert.strictEqual((yield* get(client, yield* sign(Sealed.keys("another secret of thirty-two bytes"))))[0], 403)
    })
  )
})

describe("a URL that cannot be signed", () => {
  const rows: ReadonlyArray<readonly [url: string, message: RegExp]> = [
    ["reports/1", /"reports\/1" cannot be signed; give a path/],
    ["//evil.example/a", /cannot be signed/],
    ["/\\evil.example/a", /cannot be signed/],
    ["ftp://example.com/a", /cannot be signed/],
    ["http://a:b@example.com/a", /cannot be signed/],
    ["http://", /cannot be signed/],
    ["", /cannot be signed/],
    ["/a?expires=1", /a parameter "expires" already; rename it/],
    ["/a?b=c&%73ignature=1", /a parameter "signature" already; rename it/]
  ]
  for (const [url, message] of rows) {
    it(JSON.stringify(url), () => assert.throws(() => links.sign(url, { expiresIn: "1 hour" }), TypeError, message))
  }
})
