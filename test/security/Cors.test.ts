/**
 * Attacks of pages of other origins on who reads what.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as App from "../../src/App.ts"
import * as Cors from "../../src/middleware/Cors.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { attacks } from "./attacks.ts"

const app = App.make({
  account: Route.get("/account", Response.text("secret")),
  remove: Route.delete("/account", Response.empty()),
  prices: Route.get("/prices", Response.text("3")).pipe(Route.use(Cors.make({ origins: "*" })))
}).pipe(
  App.use(
    Cors.make({ origins: ["https://example.com", "https://*.example.com", /https:\/\/app\d\.test/], credentials: true })
  )
)

const headersOf = (method: "GET" | "OPTIONS", path: string, headers: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const client = yield* Testing.client(app)
    const { headers: got, status } = yield* client.execute(HttpClientRequest.make(method)(path, { headers }))
    return {
      status,
      origin: got["access-control-allow-origin"],
      credentials: got["access-control-allow-credentials"],
      vary: got.vary
    }
  })

const unreadable = (origin: string) =>
  Effect.gen(function* () {
    const got = yield* headersOf("GET", "/account", { origin })
    assert.deepStrictEqual([got.origin, got.credentials], [undefined, undefined])
  })

const noAnswer = "no Access-Control-Allow-Origin: the browser keeps the answer from the page"

attacks("CORS", [
  {
    attack: "a page of any origin asks with the visitor's cookies",
    stoppedBy: noAnswer,
    run: unreadable("https://evil.test")
  },
  {
    attack: "a domain that begins as an allowed one",
    stoppedBy: noAnswer,
    run: unreadable("https://example.com.evil.test")
  },
  { attack: "a domain that ends as an allowed one", stoppedBy: noAnswer, run: unreadable("https://evilexample.com") },
  {
    attack: "an origin with a pattern's suffix behind another host",
    stoppedBy: noAnswer,
    run: unreadable("https://evil.test/.example.com")
  },
  {
    attack: "a domain that a regular expression matches a part of",
    stoppedBy: noAnswer,
    run: unreadable("https://app1.test.evil.test")
  },
  {
    attack: "the same host over http, where anyone on the way can write",
    stoppedBy: noAnswer,
    run: unreadable("http://example.com")
  },
  { attack: "a sandboxed frame, whose origin is null", stoppedBy: noAnswer, run: unreadable("null") },
  {
    attack: "an origin with a line break in it",
    stoppedBy: noAnswer,
    run: unreadable("https://example.com%0d%0aset-cookie:a")
  },
  {
    attack: "credentials on a route that everyone may read",
    stoppedBy: "the route's own policy, which has none",
    run: Effect.gen(function* () {
      const got = yield* headersOf("GET", "/prices", { origin: "https://example.com" })
      assert.deepStrictEqual([got.origin, got.credentials], ["*", undefined])
    })
  },
  {
    attack: "an answer for one origin in a cache, given to another",
    stoppedBy: "Vary: Origin, on answers to no origin and to a refused one too",
    run: Effect.gen(function* () {
      for (const headers of [{}, { origin: "https://evil.test" }, { origin: "https://example.com" }]) {
        assert.strictEqual((yield* headersOf("GET", "/account", headers)).vary, "Origin")
      }
    })
  },
  {
    attack: "a preflight for a change, from another origin",
    stoppedBy: "403: the change is never sent",
    run: Effect.gen(function* () {
      const got = yield* headersOf("OPTIONS", "/account", {
        origin: "https://evil.test",
        "access-control-request-method": "DELETE"
      })
      assert.deepStrictEqual([got.status, got.origin], [403, undefined])
    })
  },
  {
    attack: "preflights that look for paths that there are",
    stoppedBy: "404, as for any request",
    run: Effect.gen(function* () {
      const got = yield* headersOf("OPTIONS", "/admin", {
        origin: "https://evil.test",
        "access-control-request-method": "GET"
      })
      assert.deepStrictEqual([got.status, got.origin], [404, undefined])
    })
  },
  {
    attack: "a policy for everyone with credentials, written by mistake",
    stoppedBy: "a TypeError where it is declared",
    run: Effect.sync(() => assert.throws(() => Cors.make({ origins: "*", credentials: true }), TypeError))
  }
])
