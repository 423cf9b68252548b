/**
 * Wrong options of a proxy, and what its type says.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import type { Handler } from "../../src/Handler.ts"
import * as Proxy from "../../src/handlers/Proxy.ts"
import * as Route from "../../src/Route.ts"

const upstream = "http://127.0.0.1:9000"

describe("a wrong option throws, and names the cure", () => {
  const rows: ReadonlyArray<readonly [options: Proxy.Options, message: RegExp]> = [
    [{ upstream: "127.0.0.1:9000" }, /is no URL of a server; write "http:\/\//],
    [{ upstream: "ftp://a" }, /is no URL of a server/],
    [{ upstream: "/api" }, /is no URL of a server/],
    [{ upstream: "http://a:b@c" }, /has credentials; add an Authorization header/],
    [{ upstream: "http://a/?b" }, /has a query or a fragment; remove it/],
    [{ upstream: "http://a/#b" }, /has a query or a fragment; remove it/],
    [{ upstream: [] }, /there is no upstream server; give its URL/],
    [{ upstream: [upstream, `${upstream}/a`] }, /http:\/\/127\.0\.0\.1:9000 is there twice; remove one/],
    [{ upstream, via: "" }, /via is ""; give a name of one word/],
    [{ upstream, via: "a b" }, /via is "a b"; give a name of one word/],
    [{ upstream, trust: ["10.0.0.0/33"] }, /"10\.0\.0\.0\/33" is neither an address nor a network/],
    [{ upstream, timeouts: { connect: 0 } }, /the timeout of the connection is "0"; write a duration/],
    [{ upstream, timeouts: { response: "soon" as never } }, /the timeout of the response is "soon"; write a duration/],
    [{ upstream, breaker: { failures: 0 } }, /opens after 1 failure or more, not 0/],
    [{ upstream, check: { path: "health" } }, /has to have a path as "\/health", not "health"/],
    [{ upstream, check: { path: "/a b" } }, /has to have a path/],
    [{ upstream, check: { path: "/", interval: -1 } }, /the interval of the check is "-1"; write a duration/]
  ]
  for (const [options, message] of rows) {
    it(JSON.stringify(options), () => assert.throws(() => Proxy.make(options), TypeError, message))
  }
})

it("URLs are taken as text and as URL, with and without a slash at the end", () => {
  for (const one of [
    upstream,
    `${upstream}/`,
    new URL(upstream),
    `${upstream}/base/`,
    "https://[::1]:9000",
    "http://bücher.example"
  ]) {
    assert.isObject(Proxy.make({ upstream: one }))
  }
})

it("the failures of a proxy have answers: it can be served anywhere", () => {
  const proxy = Proxy.make({ upstream })
  expectTypeOf(proxy).toEqualTypeOf<Handler<Proxy.Failures, HttpServerRequest | Scope.Scope>>()
  expectTypeOf<Proxy.Failures["status"]>().toEqualTypeOf<400 | 413 | 502 | 503 | 504 | 508>()
  const app = App.make({ api: Route.mountHandler("/api", proxy), all: Route.any("/{path:.*}", proxy) })
  expectTypeOf(app["~R"]).toEqualTypeOf<never>()
  App.toHandler(app)
})
