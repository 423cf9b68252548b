/**
 * Hosts: which are answered, and where https is looked for.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import * as Hosts from "../../src/middleware/Hosts.ts"
import * as SecurityHeaders from "../../src/middleware/SecurityHeaders.ts"
import * as TrustedProxies from "../../src/middleware/TrustedProxies.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import { both } from "../server/both.ts"
import { asks } from "./asks.ts"

const where = Effect.map(Request.url, (url) => Response.text(url.href))
const inner = App.make({ page: Route.get("/page", where) }).pipe(
  App.use(Hosts.make({ allowed: ["example.com"], https: "redirect" }))
)

const app = App.make({
  home: Route.get("/", where),
  post: Route.post("/", where),
  item: Route.get("/items/{id}", where),
  health: Route.get("/health", Response.text("healthy")),
  api: Route.host("api.example.com", App.make({ api: Route.get("/", Response.text("api")) })),
  foreign: Route.host("foreign.test", App.make({ api: Route.get("/", Response.text("foreign")) })),
  mounted: Route.mount("/internal", App.make({ health: Route.get("/", Response.text("inside")) }))
})

const allowed = ["example.com", "*.example.com", "localhost", "127.0.0.1", "[::1]"]

served(
  "the hosts of this server are answered, others are not",
  app.pipe(App.use(Hosts.make({ allowed, exempt: ["/health", "/internal/"] }))),
  asks([
    { ask: "GET /", with: { host: "example.com" }, status: 200, says: /^http:\/\/example\.com\/$/ },
    { ask: "GET /", with: { host: "EXAMPLE.com:8080" }, status: 200 },
    { ask: "GET /", with: { host: "example.com." }, status: 200 },
    { ask: "GET /", with: { host: "example.com.:80" }, status: 200 },
    { ask: "GET /", with: { host: "a.b.example.com" }, status: 200 },
    { ask: "GET /", with: { host: "api.example.com" }, status: 200, says: /^api$/ },
    { ask: "GET /", with: { host: "[::1]:80" }, status: 200 },
    { ask: "GET /", with: { host: "127.0.0.1" }, status: 200 },
    { ask: "GET /", with: { host: "evil.test" }, status: 421, says: /does not answer for that host/ },
    { ask: "POST /", with: { host: "evil.test" }, status: 421 },
    { ask: "GET /nothing", with: { host: "evil.test" }, status: 421 },
    { ask: "GET /", with: { host: "foreign.test" }, status: 421 },
    { ask: "GET /", with: { host: "example.com.evil.test" }, status: 421 },
    { ask: "GET /", with: { host: "evilexample.com" }, status: 421 },
    { ask: "GET /", with: { host: ".example.com" }, status: 421 },
    { ask: "GET /", with: { host: "evil.test%23.example.com" }, status: 421 },
    { ask: "GET /", with: { host: "[::2]" }, status: 421 },
    { ask: "GET /", with: { host: "example.com", "x-forwarded-host": "evil.test" }, status: 200, says: /example/ },
    { ask: "GET /health", with: { host: "10.0.0.7:8080" }, status: 200, says: /^healthy$/ },
    { ask: "GET /internal/", with: { host: "10.0.0.7:8080" }, status: 200, says: /^inside$/ },
    { ask: "GET /health/../", with: { host: "evil.test" }, status: 421 },
    { ask: "GET /%68ealth", with: { host: "evil.test" }, status: 200, says: /^healthy$/ },
    { ask: "GET /nothing", with: { host: "example.com" }, status: 404 }
  ])
)

served(
  "http is sent to https, with path and query",
  App.make({ ...app.routes, legacy: Route.mountHandler("/legacy", App.toHandler(inner)) }).pipe(
    App.use(Hosts.make({ allowed, https: "redirect", exempt: ["/health", "/legacy"] })),
    App.use(SecurityHeaders.make())
  ),
  asks([
    {
      ask: "GET /items/1?a=b%20c&d",
      with: { host: "Example.com:8080" },
      status: 308,
      has: {
        location: "https://example.com/items/1?a=b%20c&d",
        "strict-transport-security": undefined,
        "x-frame-options": "DENY"
      }
    },
    { ask: "POST /", with: { host: "example.com." }, status: 308, has: { location: "https://example.com/" } },
    {
      ask: "GET //evil.test/x",
      with: { host: "example.com" },
      status: 308,
      has: { location: "https://example.com//evil.test/x" }
    },
    {
      ask: "GET /\\evil.test",
      with: { host: "example.com" },
      status: 308,
      has: { location: "https://example.com/\\evil.test".replace("\\", "/") }
    },
    { ask: "GET /", with: { host: "[::1]:8080" }, status: 308, has: { location: "https://[::1]/" } },
    { ask: "GET /", with: { host: "evil.test" }, status: 421, has: { location: undefined } },
    { ask: "GET /", with: { host: "example.com", "x-forwarded-proto": "https" }, status: 308 },
    { ask: "GET /health", with: { host: "10.0.0.7" }, status: 200 },
    {
      ask: "GET /legacy/page?a",
      with: { host: "example.com" },
      status: 308,
      has: { location: "https://example.com/legacy/page?a" }
    }
  ])
)

served(
  "https that a trusted proxy ends is https",
  app.pipe(
    App.use(Hosts.make({ allowed, https: { port: 8443 } })),
    App.use(SecurityHeaders.make()),
    App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] }))
  ),
  asks([
    {
      ask: "GET /items/1",
      with: {
        host: "app",
        "x-forwarded-for": "1.1.1.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "example.com"
      },
      status: 200,
      has: { "strict-transport-security": "max-age=31536000; includeSubDomains" },
      says: /^https:\/\/example\.com\/items\/1$/
    },
    {
      ask: "GET /items/1",
      with: {
        host: "app",
        "x-forwarded-for": "1.1.1.1",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "example.com"
      },
      status: 308,
      has: { location: "https://example.com:8443/items/1" }
    },
    {
      ask: "GET /",
      with: {
        host: "app",
        "x-forwarded-for": "1.1.1.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil.test"
      },
      status: 421
    }
  ])
)

both(
  "OPTIONS * is no page to go to, and the target counts before the field",
  app.pipe(App.use(Hosts.make({ allowed, https: "redirect" }))),
  ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send("OPTIONS * HTTP/1.1\r\nHost: example.com\r\n\r\n")
      assert.strictEqual((yield* wire.answer()).status, 204)
      yield* wire.send("GET http://evil.test/ HTTP/1.1\r\nHost: example.com\r\n\r\n")
      assert.strictEqual((yield* wire.answer()).status, 421)
      yield* wire.send("GET http://example.com/x HTTP/1.1\r\nHost: evil.test\r\n\r\n")
      const { headers, status } = yield* wire.answer()
      assert.deepStrictEqual([status, headers.location], [308, "https://example.com/x"])
      yield* wire.send("GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n")
      assert.strictEqual((yield* wire.answer()).status, 400)
    })
)

both("without a host nobody is answered", app.pipe(App.use(Hosts.make({ allowed }))), ({ wire }) =>
  Effect.gen(function* () {
    yield* wire.send("GET / HTTP/1.0\r\n\r\n")
    assert.strictEqual((yield* wire.answer()).status, 421)
  })
)

it("the failure is in its type and in its errors", () => {
  assert.deepStrictEqual(
    Hosts.make({ allowed }).errors?.map(({ status }) => status),
    [421]
  )
})

const wrong: ReadonlyArray<readonly [name: string, options: Hosts.Options, cure: string]> = [
  ["no host", { allowed: [] }, "write yours"],
  ["a host with a scheme", { allowed: ["https://example.com"] }, "without scheme and path"],
  ["a host with a port", { allowed: ["example.com:80"] }, "remove the port"],
  ["an exempt path that is none", { allowed, exempt: ["health"] }, "as it is declared"],
  ["an exempt path with a *", { allowed, exempt: ["/hooks/*"] }, "as it is declared"]
]

describe("options that cannot be meant are refused", () => {
  for (const [name, options, cure] of wrong) {
    it(name, () => {
      assert.throws(() => Hosts.make(options), TypeError, cure)
    })
  }
})
