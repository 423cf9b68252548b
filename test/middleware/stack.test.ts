/**
 * The middleware for browsers together, and in front of a proxy: pairs that could break each other.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Proxy from "../../src/handlers/Proxy.ts"
import * as StaticFiles from "../../src/handlers/StaticFiles.ts"
import * as Compression from "../../src/middleware/Compression.ts"
import * as Cors from "../../src/middleware/Cors.ts"
import * as Csrf from "../../src/middleware/Csrf.ts"
import * as Hosts from "../../src/middleware/Hosts.ts"
import * as SecurityHeaders from "../../src/middleware/SecurityHeaders.ts"
import * as TrustedProxies from "../../src/middleware/TrustedProxies.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sealed from "../../src/Sealed.ts"
import { served } from "../../src/testing/Served.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Folder from "../folder.ts"
import { upstream } from "../handlers/upstream.ts"
import { asks } from "./asks.ts"

const ours = "https://example.com"
const keys = Sealed.keys("0123456789abcdef0123456789abcdef")
const folder = Folder.make({ "large.txt": "a".repeat(5000) })

const Order = Schema.Struct({ item: Schema.String })
const app = App.make({
  read: Route.get("/", Response.json({ read: true })),
  order: Route.post("/order", { body: Body.json(Order), success: Response.schema(Order) }, ({ body }) =>
    Effect.succeed(body)
  ),
  form: Route.post(
    "/form",
    Effect.map(Body.form(Order), ({ item }) => Response.text(item))
  ),
  files: Route.mountHandler("/files", StaticFiles.make({ root: folder.path })),
  tenant: Route.host("{tenant}.example.com", App.make({ home: Route.get("/", Response.text("tenant")) }))
}).pipe(
  App.use(Csrf.make({ trustedOrigins: ["https://app.test"], tokens: { keys } })),
  App.use(Compression.make()),
  App.use(Cors.make({ origins: [ours, "https://app.test"], credentials: true })),
  App.use(Hosts.make({ allowed: ["example.com", "*.example.com"] })),
  App.use(SecurityHeaders.make()),
  App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] }))
)

const host = { host: "example.com" }
const origin = "access-control-allow-origin"
const strict = { "x-frame-options": "DENY", "x-content-type-options": "nosniff" }

served(
  "all together",
  app,
  asks([
    {
      ask: "GET /",
      with: { ...host, origin: ours },
      status: 200,
      has: { ...strict, [origin]: ours, vary: "Origin, Accept-Encoding" }
    },
    {
      ask: "POST /order",
      with: { ...host, origin: ours, "sec-fetch-site": "same-origin" },
      sends: ["application/json", '{"item":"tea"}'],
      status: 200,
      has: { ...strict, [origin]: ours },
      says: /"tea"/
    },
    {
      ask: "POST /form",
      with: { ...host, "sec-fetch-site": "same-origin" },
      sends: ["application/x-www-form-urlencoded", "item=tea"],
      status: 200,
      says: /^tea$/
    },
    // Allowed to read is not allowed to send
    {
      ask: "OPTIONS /order",
      with: { ...host, origin: "https://app.test", "access-control-request-method": "POST" },
      status: 204,
      has: strict
    },
    {
      ask: "POST /form",
      with: { ...host, origin: "https://app.test", "sec-fetch-site": "cross-site" },
      sends: ["application/x-www-form-urlencoded", "item=tea"],
      status: 200
    },
    {
      ask: "POST /form",
      with: { ...host, origin: "https://evil.test", "sec-fetch-site": "cross-site" },
      sends: ["application/x-www-form-urlencoded", "item=tea"],
      status: 403,
      has: { ...strict, [origin]: undefined, vary: "Accept, Origin, Accept-Encoding" }
    },
    { ask: "POST /form", with: host, sends: ["application/x-www-form-urlencoded", "item=tea"], status: 403 },
    {
      ask: "GET /files/large.txt",
      with: { ...host, origin: ours, "accept-encoding": "gzip" },
      status: 200,
      has: { ...strict, [origin]: ours, "content-encoding": "gzip" }
    },
    {
      ask: "HEAD /files/large.txt",
      with: { ...host, origin: ours },
      status: 200,
      has: { ...strict, [origin]: ours, "content-length": "5000" }
    },
    { ask: "GET /", with: { host: "acme.example.com" }, status: 200, has: strict, says: /^tenant$/ },
    { ask: "GET /", with: { host: "evil.test", origin: ours }, status: 421, has: { ...strict, [origin]: undefined } }
  ])
)

it.effect("under the web standard they do the same", () =>
  Effect.gen(function* () {
    const page = Effect.gen(function* () {
      return Response.text(`${yield* SecurityHeaders.nonce} ${yield* Csrf.token}`)
    })
    const handle = App.toWebHandler(
      App.make({ page: Route.get("/", page), write: Route.post("/", Response.text("written")) }).pipe(
        App.use(Csrf.make({ tokens: { keys } })),
        App.use(Cors.make({ origins: [ours] })),
        App.use(Hosts.make({ allowed: ["shop.test"], https: "redirect" })),
        App.use(SecurityHeaders.make())
      )
    )
    const ask = (url: string, init?: RequestInit) => Effect.promise(() => handle(new globalThis.Request(url, init)))
    const shown = yield* ask("https://shop.test/", { headers: { origin: ours } })
    const [nonce, token] = (yield* Effect.promise(() => shown.text())).split(" ") as [string, string]
    assert.include(shown.headers.get("content-security-policy"), `'nonce-${nonce}'`)
    assert.include(shown.headers.get("strict-transport-security"), "max-age")
    assert.strictEqual(shown.headers.get(origin), ours)
    const cookie = shown.headers.get("set-cookie")!.split(";")[0]!
    assert.match(cookie, /^__Host-csrf=/)
    const write = { method: "POST", headers: { cookie, "x-csrf-token": token } }
    assert.strictEqual((yield* ask("https://shop.test/", write)).status, 200)
    assert.strictEqual((yield* ask("https://shop.test/", { method: "POST" })).status, 403)
    const preflight = { origin: ours, "access-control-request-method": "POST" }
    assert.strictEqual((yield* ask("https://shop.test/", { method: "OPTIONS", headers: preflight })).status, 204)
    assert.strictEqual((yield* ask("https://shop.test/x", { method: "OPTIONS", headers: preflight })).status, 404)
    assert.strictEqual((yield* ask("https://evil.test/")).status, 421)
    const moved = yield* ask("http://shop.test/?a=1")
    assert.deepStrictEqual([moved.status, moved.headers.get("location")], [308, "https://shop.test/?a=1"])
  })
)

it.live("what an upstream server says of strictness stays, what it says of origins does not", () =>
  Effect.gen(function* () {
    const behind = yield* upstream((_, response) => {
      response.writeHead(200, {
        "x-frame-options": "SAMEORIGIN",
        [origin]: "*",
        "access-control-allow-credentials": "true"
      })
      response.end("upstream")
    })
    const client = yield* Testing.socketClient(
      App.make({ all: Route.mountHandler("/", Proxy.make({ upstream: behind.url })) }).pipe(
        App.use(Cors.make({ origins: [ours] })),
        App.use(SecurityHeaders.make())
      )
    )
    const get = (from: string) => Effect.map(client.get("/x", { headers: { origin: from } }), ({ headers }) => headers)
    const allowed = yield* get(ours)
    assert.deepStrictEqual([allowed["x-frame-options"], allowed["referrer-policy"]], ["SAMEORIGIN", "same-origin"])
    assert.deepStrictEqual([allowed[origin], allowed["access-control-allow-credentials"]], [ours, undefined])
    assert.strictEqual((yield* get("https://evil.test"))[origin], undefined)
  })
)
