/**
 * Several upstream servers: in turn, by load, left alone when they fail, and one in place of another.
 */
import type * as Http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type * as Proxy from "../../src/handlers/Proxy.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { recorder, turns, until } from "../server/both.ts"
import { appOf, type Options, rawUpstream, type Upstream, upstream } from "./upstream.ts"

const dead = "http://127.0.0.1:1"

/** Answers with its name. */
const named = (name: string) => upstream((_, response) => response.end(name))

/** Closes each connection with the first request. */
const broken = rawUpstream((socket) => socket.end())

const clientOf = (upstreams: ReadonlyArray<Upstream | string>, options: Options = {}) =>
  Testing.client(
    appOf({ upstream: upstreams.map((each) => (typeof each === "string" ? each : each.url)), ...options }, "")
  )

type Method = "GET" | "POST" | "PUT" | "DELETE"

/** The status and the body of the answer to a request. */
const ask = Effect.fnUntraced(function* (client: Testing.Client, method: Method = "GET", body?: string) {
  const request = HttpClientRequest.make(method)("/a")
  const response = yield* client.execute(body === undefined ? request : HttpClientRequest.bodyText(request, body))
  return [response.status, response.status === 200 ? yield* response.text : response.headers["retry-after"]] as const
})

const test = (name: string, body: (logs: ReadonlyArray<string>) => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.effect(name, () => {
    const { layer, logs } = recorder()
    return Effect.provide(body(logs), layer)
  })

describe("several upstream servers", () => {
  test("are asked in turn", () =>
    Effect.gen(function* () {
      const client = yield* clientOf([yield* named("a"), yield* named("b"), yield* named("c")])
      const answers = yield* Effect.forEach(Array(7).fill(0), () => ask(client))
      assert.strictEqual(answers.map(([, name]) => name).join(""), "abcabca")
    }))

  test("are asked by how much they have to do, where that is wanted", () =>
    Effect.gen(function* () {
      const held: Array<Http.ServerResponse> = []
      const busy = yield* upstream((_, response) => {
        response.write("busy")
        held.push(response)
      })
      const client = yield* clientOf([busy, yield* named("b"), yield* named("c")], { balance: "least-connections" })
      const first = yield* Effect.forkScoped(ask(client))
      yield* until(() => held.length === 1)
      const answers = yield* Effect.forEach(Array(6).fill(0), () => ask(client))
      assert.notInclude(
        answers.map(([, name]) => name),
        "busy"
      )
      held[0]!.end()
      assert.deepStrictEqual(yield* Fiber.join(first), [200, "busy"])
      const second = yield* Effect.forkScoped(Effect.forEach(Array(3).fill(0), () => ask(client)))
      yield* until(() => held.length === 2)
      held[1]!.end()
      yield* Fiber.join(second)
    }))

  test("take the place of one that is not there, whatever the request", (logs) =>
    Effect.gen(function* () {
      const alive = yield* upstream((request, response) => request.pipe(response))
      const client = yield* clientOf([dead, alive])
      assert.deepStrictEqual(yield* ask(client, "POST", "hello"), [200, "hello"])
      assert.deepStrictEqual(yield* ask(client, "POST", "hello"), [200, "hello"])
      assert.deepStrictEqual(yield* ask(client), [200, ""])
      assert.deepStrictEqual(logs, [])
    }))

  const repeated: ReadonlyArray<readonly [method: Method, body: string | undefined, wanted: number]> = [
    ["GET", undefined, 200],
    ["DELETE", undefined, 200],
    ["POST", undefined, 502],
    ["PUT", "hello", 502]
  ]
  for (const [method, body, wanted] of repeated) {
    const what = `${method} with${body === undefined ? "out" : ""} a body`
    test(`${wanted === 200 ? "take" : "do not take"} the place of one that breaks off ${what}`, () =>
      Effect.gen(function* () {
        const other = yield* named("b")
        const client = yield* clientOf([yield* broken, other])
        assert.strictEqual((yield* ask(client, method, body))[0], wanted)
        assert.strictEqual(other.requests(), wanted === 200 ? 1 : 0)
      }))
  }

  test("do not all get what breaks them", () =>
    Effect.gen(function* () {
      const all = [yield* broken, yield* broken, yield* broken, yield* broken]
      const client = yield* clientOf(all)
      assert.strictEqual((yield* ask(client))[0], 502)
      assert.deepStrictEqual(
        all.map(({ requests }) => requests()),
        [1, 1, 0, 0]
      )
    }))

  test("do not take the place of one that is slow", () =>
    Effect.gen(function* () {
      const other = yield* named("b")
      const client = yield* clientOf([yield* upstream(() => {}), other], { timeouts: { response: "50 millis" } })
      assert.strictEqual((yield* ask(client))[0], 504)
      assert.strictEqual(other.requests(), 0)
    }))
})

describe("one upstream server", () => {
  for (const [method, wanted] of [
    ["GET", 200],
    ["POST", 502]
  ] as const) {
    test(`that closes a kept connection under a ${method} ${wanted === 200 ? "is asked again" : "is not asked again"}`, () =>
      Effect.gen(function* () {
        const used = new WeakSet<object>()
        const server = yield* rawUpstream((socket) => {
          if (used.has(socket)) socket.end()
          else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
          used.add(socket)
        })
        const client = yield* clientOf([server])
        assert.deepStrictEqual(yield* ask(client), [200, "ok"])
        assert.strictEqual((yield* ask(client, method))[0], wanted)
        assert.strictEqual(server.connections(), wanted === 200 ? 2 : 1)
      }))
  }
})

describe("a breaker", () => {
  test("leaves a server alone after 3 failures, for 10 seconds", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* broken, yield* named("b")]
      const client = yield* clientOf([first, second])
      const some = Effect.forEach(Array(10).fill(0), () => ask(client))
      yield* some
      assert.strictEqual(first.requests(), 3)
      yield* TestClock.adjust("9 seconds")
      yield* some
      assert.strictEqual(first.requests(), 3)
      yield* TestClock.adjust("1 second")
      yield* some
      assert.strictEqual(first.requests(), 4)
      assert.strictEqual(second.requests(), 30)
    }))

  test("that is open for all is a 503, which says when to come back", (logs) =>
    Effect.gen(function* () {
      const client = yield* clientOf([yield* broken, yield* broken], {
        breaker: { failures: 1, openDuration: "7 seconds" }
      })
      assert.strictEqual((yield* ask(client))[0], 502)
      assert.deepStrictEqual(yield* ask(client), [503, "7"])
      yield* TestClock.adjust("5500 millis")
      assert.deepStrictEqual(yield* ask(client), [503, "2"])
      assert.deepStrictEqual(logs, [
        "Warn The handler failed with 502 Bad Gateway (GET /a)",
        ...Array(2).fill(
          "Warn The handler failed with 503 Service Unavailable: No upstream server is available (GET /a)"
        )
      ])
    }))

  test("of one server lets one request try, and closes when it is answered", () =>
    Effect.gen(function* () {
      let isWell = false
      const held: Array<Http.ServerResponse> = []
      const server = yield* upstream((request, response) => {
        if (isWell) held.push(response)
        else request.socket.destroy()
      })
      const client = yield* clientOf([server], { breaker: { failures: 2 } })
      const statuses = yield* Effect.forEach(Array(3).fill(0), () => ask(client, "POST"))
      assert.deepStrictEqual(
        statuses.map(([status]) => status),
        [502, 502, 503]
      )
      isWell = true
      yield* TestClock.adjust("10 seconds")
      const probe = yield* Effect.forkScoped(ask(client))
      yield* until(() => held.length === 1)
      assert.deepStrictEqual(yield* ask(client), [503, "1"])
      held[0]!.end("ok")
      assert.deepStrictEqual(yield* Fiber.join(probe), [200, "ok"])
      const next = yield* Effect.forkScoped(ask(client))
      yield* until(() => held.length === 2)
      held[1]!.end("ok")
      assert.deepStrictEqual(yield* Fiber.join(next), [200, "ok"])
    }))

  test("does not count what is wrong with requests, nor clients that leave", () =>
    Effect.gen(function* () {
      const server = yield* upstream((request, response) => {
        if (request.method === "GET") response.end("ok")
      })
      const routes = (proxy: ReturnType<typeof Proxy.make>) => ({
        all: Route.any("/{path:.*}", proxy).pipe(Route.bodyLimit("4 B"))
      })
      const client = yield* clientOf([server], { breaker: { failures: 1 }, routes })
      assert.strictEqual((yield* ask(client, "POST", "hello"))[0], 413)
      const leaving = yield* Effect.forkScoped(ask(client, "DELETE"))
      yield* until(() => server.requests() === 1)
      yield* Fiber.interrupt(leaving)
      yield* until(() => server.sockets.size === 0)
      assert.deepStrictEqual(yield* ask(client), [200, "ok"])
    }))
})

describe("a check", () => {
  const healthy = (name: string) =>
    Effect.gen(function* () {
      const state = { status: 204, checks: 0 }
      const server = yield* upstream((request, response) => {
        if (request.url !== "/base/health") {
          response.end(name)
          return
        }
        state.checks++
        response.writeHead(state.status).end()
      })
      return { state, url: `${server.url}/base`, server }
    })

  test("leaves a server alone until it is well again", (logs) =>
    Effect.gen(function* () {
      const [a, b] = [yield* healthy("a"), yield* healthy("b")]
      const client = yield* clientOf([a.url, b.url], { check: { path: "/health", interval: "5 seconds" } })
      const names = Effect.map(
        Effect.forEach(Array(4).fill(0), () => ask(client)),
        (all) => all.map(([, name]) => name).join("")
      )
      assert.strictEqual(yield* names, "abab")
      yield* until(() => a.state.checks === 1 && b.state.checks === 1)
      const next = Effect.gen(function* () {
        const before = a.state.checks
        yield* turns
        yield* TestClock.adjust("5 seconds")
        yield* until(() => a.state.checks === before + 1)
        yield* turns
      })
      a.state.status = 500
      yield* next
      yield* until(() => logs.length === 1)
      assert.strictEqual(yield* names, "bbbb")
      a.state.status = 200
      yield* next
      yield* until(() => logs.length === 2)
      assert.include(["abab", "baba"], yield* names)
      const origin = a.server.url
      assert.deepStrictEqual(logs, [
        `Warn The upstream server ${origin} is down: It answered with 500`,
        `Info The upstream server ${origin} is back`
      ])
    }))

  test("that all fail is a 503; they end with the server", () =>
    Effect.gen(function* () {
      const { server, state, url } = yield* healthy("a")
      state.status = 500
      yield* Effect.scoped(
        Effect.gen(function* () {
          const client = yield* clientOf([url], { check: { path: "/health" } })
          yield* ask(client)
          yield* until(() => state.checks === 1)
          yield* turns
          assert.deepStrictEqual(yield* ask(client), [503, "1"])
        })
      )
      const before = server.requests()
      yield* TestClock.adjust("1 minute")
      yield* turns
      assert.strictEqual(server.requests(), before)
      assert.strictEqual(server.sockets.size, 0)
    }))
})
