/**
 * Attacks by the Host field.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import * as Hosts from "../../src/middleware/Hosts.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"
import { attacks } from "./attacks.ts"

const reset = Effect.map(Request.url, (url) =>
  Response.text(`Reset your password: ${new URL("/reset?token=1", url).href}`)
)
const routes = { reset: Route.get("/reset", reset), health: Route.get("/health", Response.text("healthy")) }
const allowed = ["shop.test", "*.shop.test"]
const plain = App.make(routes).pipe(App.use(Hosts.make({ allowed, exempt: ["/health"] })))
const redirecting = App.make(routes).pipe(App.use(Hosts.make({ allowed, https: "redirect", exempt: ["/health"] })))

const sent = (app: typeof plain, bytes: string) =>
  Effect.gen(function* () {
    const wire = yield* Wire.open(yield* Testing.client(app))
    yield* wire.send(bytes)
    const { body, headers, status } = yield* wire.answer()
    return { status, location: headers.location, text: String(body) }
  })

const misdirected = (host: string, path = "/reset") =>
  Effect.map(sent(plain, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`), ({ status, text }) => {
    assert.strictEqual(status, 421)
    assert.notInclude(text, host)
  })

const redirected = (path: string, host: string, location: string) =>
  Effect.map(sent(redirecting, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`), (got) =>
    assert.deepStrictEqual([got.status, got.location], [308, location])
  )

attacks("hosts", [
  {
    attack: "a link to reset a password, made of the attacker's host",
    stoppedBy: "421, which does not repeat it",
    run: misdirected("evil.test")
  },
  { attack: "a host that begins as ours", stoppedBy: "421", run: misdirected("shop.test.evil.test") },
  { attack: "a host that ends as ours", stoppedBy: "421", run: misdirected("evilshop.test") },
  { attack: "a host with our name behind an encoded #", stoppedBy: "421", run: misdirected("evil.test%23.shop.test") },
  { attack: "a host with our name behind an encoded /", stoppedBy: "421", run: misdirected("evil.test%2f.shop.test") },
  {
    attack: "the address of the server, which a page of another site has made its own name (DNS rebinding)",
    stoppedBy: "421",
    run: misdirected("127.0.0.1:8080")
  },
  {
    attack: "an exempt route in the path of another",
    stoppedBy: "421: routes are exempt, not texts",
    run: misdirected("evil.test", "/health/../reset")
  },
  {
    attack: "a host with user info",
    stoppedBy: "400, by the parser of the head",
    run: Effect.map(sent(plain, "GET /reset HTTP/1.1\r\nHost: shop.test@evil.test\r\n\r\n"), ({ status }) =>
      assert.strictEqual(status, 400)
    )
  },
  {
    attack: "two hosts",
    stoppedBy: "400, by the parser of the head",
    run: Effect.map(sent(plain, "GET /reset HTTP/1.1\r\nHost: shop.test\r\nHost: evil.test\r\n\r\n"), ({ status }) =>
      assert.strictEqual(status, 400)
    )
  },
  {
    attack: "our host in the field, and another in the target",
    stoppedBy: "the target counts: 421",
    run: Effect.map(sent(plain, "GET http://evil.test/reset HTTP/1.1\r\nHost: shop.test\r\n\r\n"), ({ status }) =>
      assert.strictEqual(status, 421)
    )
  },
  {
    attack: "X-Forwarded-Host of a client",
    stoppedBy: "only TrustedProxies looks at it",
    run: Effect.map(
      sent(plain, "GET /reset HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-Host: evil.test\r\n\r\n"),
      ({ text }) => assert.include(text, "http://shop.test/reset?token=1")
    )
  },
  {
    attack: "a redirect to the attacker's host",
    stoppedBy: "421: only hosts that are allowed are redirected",
    run: Effect.map(sent(redirecting, "GET /reset HTTP/1.1\r\nHost: evil.test\r\n\r\n"), ({ location, status }) =>
      assert.deepStrictEqual([status, location], [421, undefined])
    )
  },
  {
    attack: "a path that looks like a host",
    stoppedBy: "it stays behind our own",
    run: redirected("//evil.test/a", "shop.test", "https://shop.test//evil.test/a")
  },
  {
    attack: "a path with @",
    stoppedBy: "it stays behind our own",
    run: redirected("/@evil.test", "shop.test:80", "https://shop.test/@evil.test")
  },
  {
    attack: "line breaks in the path",
    stoppedBy: "they stay encoded",
    run: redirected("/%0d%0aset-cookie:a", "a.shop.test", "https://a.shop.test/%0d%0aset-cookie:a")
  }
])
