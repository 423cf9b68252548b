/**
 * A proxy under other engines: by `fetch`, and by a Dispatcher of undici that is given.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Undici from "@effect/platform-node/Undici"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import * as Proxy from "../../src/handlers/Proxy.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { get, post, recorder, until } from "../server/both.ts"
import { connectTo } from "../server/started.ts"
import { appOf, echo, echoed, type Options, rawUpstream, upstream } from "./upstream.ts"

/** An app of a proxy under Effect's own server. */
const served = Effect.fnUntraced(function* (url: string, options: Options = {}) {
  const services = yield* Layer.build(NodeHttpServer.layerTest)
  yield* Effect.provideContext(HttpServer.serveEffect(App.toHandler(appOf(options, url))), services)
  const { address } = Context.get(services, HttpServer.HttpServer)
  return yield* connectTo("port" in address ? address.port : 0)
})

const test = (name: string, body: (logs: ReadonlyArray<string>) => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => {
    const { layer, logs } = recorder()
    return Effect.provide(Effect.scoped(body(logs)), layer)
  })

describe("under Effect's own server", () => {
  test("passes on method, path, fields and body", (logs) =>
    Effect.gen(function* () {
      const wire = yield* served((yield* upstream(echo)).url)
      yield* wire.send(
        post("/api/a%2Fb?x=%20", "hello", "X-A: 1\r\nConnection: X-B\r\nX-B: 2\r\nContent-Type: a/b\r\n")
      )
      const { body, headers, method, url } = echoed(yield* wire.answer())
      assert.deepStrictEqual([method, url, body], ["POST", "/a%2Fb?x=%20", "hello"])
      assert.deepInclude(headers, {
        "x-a": "1",
        "x-forwarded-for": "127.0.0.1",
        via: "1.1 effect-web",
        "content-type": "a/b"
      })
      assert.isUndefined(headers["x-b"])
      assert.deepStrictEqual(logs, [])
    }))

  test("passes on status, fields, cookies and redirects", () =>
    Effect.gen(function* () {
      const server = yield* upstream((_, response) => {
        response
          .writeHead(302, { location: "/there", "set-cookie": ["a=1; Path=/", "a=2; Path=/x"], "x-a": "1" })
          .end("go")
      })
      const wire = yield* served(server.url)
      yield* wire.send(get("/a"))
      const { body, headers, status } = yield* wire.answer()
      assert.deepStrictEqual([status, body.toString()], [302, "go"])
      assert.deepInclude(headers, { location: "/there", "x-a": "1", "set-cookie": "a=1; Path=/, a=2; Path=/x" })
    }))

  test("answers HEAD", () =>
    Effect.gen(function* () {
      const wire = yield* served(
        (yield* upstream((_, response) => response.writeHead(200, { "content-length": 5 }).end())).url
      )
      yield* wire.send(get("/a").replace("GET", "HEAD"))
      assert.strictEqual((yield* wire.answer("HEAD")).status, 200)
    }))

  const failures = [
    ["502 Bad Gateway", rawUpstream((socket) => socket.destroy()), "5 seconds", ""],
    ["504 Gateway Timeout", rawUpstream(() => {}), "50 millis", ": The upstream server did not answer in time"]
  ] as const
  for (const [line, server, response, detail] of failures) {
    test(`fails with ${line}`, (logs) =>
      Effect.gen(function* () {
        const wire = yield* served((yield* server).url, { timeouts: { response } })
        yield* wire.send(get("/a"))
        assert.strictEqual((yield* wire.answer()).line, line)
        assert.deepStrictEqual(logs, [`Warn The handler failed with ${line}${detail} (GET /a)`])
      }))
  }

  test("keeps to the limit of a route, and to no other", () =>
    Effect.gen(function* () {
      const { url } = yield* upstream(echo)
      const large = "x".repeat(2 * 1024 * 1024)
      const wire = yield* served(url)
      yield* wire.send(post("/a", large))
      assert.strictEqual(echoed(yield* wire.answer()).body.length, large.length)
      const limited = yield* served(url, {
        routes: (proxy) => ({ all: Route.any("/{path:.*}", proxy).pipe(Route.bodyLimit("4 B")) })
      })
      yield* limited.send(post("/a", "hello"))
      assert.strictEqual((yield* limited.answer()).status, 413)
    }))

  test("breaks off when its client leaves", () =>
    Effect.gen(function* () {
      const server = yield* upstream(() => {})
      const wire = yield* served(server.url)
      yield* wire.send(get("/a"))
      yield* until(() => server.requests() === 1)
      wire.socket.destroy()
      yield* until(() => server.sockets.size === 0)
    }))

  test("answers a WebSocket as an ordinary request", () =>
    Effect.gen(function* () {
      const wire = yield* served((yield* upstream(echo)).url)
      yield* wire.send(get("/a", "Upgrade: websocket\r\n"))
      assert.isUndefined(echoed(yield* wire.answer()).headers.upgrade)
    }))

  test("sends by the fetch that is given", () =>
    Effect.gen(function* () {
      const wire = yield* served("http://upstream.example")
      yield* wire.send(get("/a"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "by http://upstream.example/a")
    }).pipe(
      Effect.provideService(FetchHttpClient.Fetch, (input) => Promise.resolve(new Response(`by ${String(input)}`)))
    ))
})

describe("under the web standard", () => {
  test("passes on a request and its answer", () =>
    Effect.gen(function* () {
      const { url } = yield* upstream(echo)
      const fetch = App.toWebHandler(appOf({}, url))
      const request = new Request("http://here.example/a?b", { method: "POST", body: "hello", headers: { "x-a": "1" } })
      const response = yield* Effect.promise(() => fetch(request))
      const { body, headers, url: path } = yield* Effect.promise(() => response.json())
      assert.deepStrictEqual([response.status, path, body], [200, "/a?b", "hello"])
      assert.deepInclude(headers, { "x-a": "1", "x-forwarded-host": "here.example", "x-forwarded-proto": "http" })
    }))
})

describe("under our own server", () => {
  test("sends by the Dispatcher that is given", () =>
    Effect.gen(function* () {
      const mock = new Undici.MockAgent()
      mock.disableNetConnect()
      mock.get("http://upstream.example").intercept({ path: "/a" }).reply(200, "mocked")
      const app = App.make({ all: Route.any("/{path:.*}", Proxy.make({ upstream: "http://upstream.example" })) })
      const client = yield* Effect.provideService(Testing.client(app), NodeHttpClient.Dispatcher, mock)
      assert.strictEqual(yield* (yield* client.get("/a")).text, "mocked")
    }))
})
