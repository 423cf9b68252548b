/**
 * HTTP/1.1 at the edge: what plain Effect 4.1 leaves to Node, and effect-web rules.
 *
 * @spec RFC 9110 §7.2, §9.3.6, §10.1.1; RFC 9112 §3.2
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { get } from "../server/both.ts"
import { ours, plain, quiet } from "./servers.ts"

const host = Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) =>
  HttpServerResponse.text(`host ${headers.host}`)
)
const length = (text: string) => Response.text(String(text.length))

const pair = Effect.gen(function* () {
  const text = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => request.text)
  const routes = Layer.merge(
    HttpRouter.add("GET", "/", host),
    HttpRouter.add("POST", "/length", Effect.map(text, length))
  )
  const there = yield* plain(HttpRouter.serve(routes, quiet))
  const app = App.make({
    home: Route.get("/", host),
    length: Route.post("/length", Effect.map(Body.text(), length))
  })
  return { there, here: yield* ours(app) }
})

// Fails here while the parser takes "" for the host it saw last, before it has seen one: it has to stand first in the file.
it.live("an empty Host reaches the handler there, and is a 400 here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* pair
    const bytes = "GET / HTTP/1.1\r\nHost:\r\n\r\n"
    assert.strictEqual((yield* there.ask(bytes)).body.toString(), "host ")
    assert.strictEqual((yield* here.ask(bytes)).status, 400)
  })
)

const hosts: ReadonlyArray<readonly [name: string, lines: string, taken: string]> = [
  ["a second Host", "Host: a\r\nHost: b\r\n", "a"],
  ["a Host with a path", "Host: a/b\r\n", "a/b"],
  ["a Host with userinfo", "Host: u@a\r\n", "u@a"],
  ["a Host with a space inside", "Host: a b\r\n", "a b"],
  ["a Host with a port that is none", "Host: a:99999\r\n", "a:99999"]
]
for (const [name, lines, taken] of hosts) {
  it.live(`a request with ${name} reaches the handler there, and is a 400 here`, () =>
    Effect.gen(function* () {
      const { here, there } = yield* pair
      const bytes = `GET / HTTP/1.1\r\n${lines}\r\n`
      assert.strictEqual((yield* there.ask(bytes)).body.toString(), `host ${taken}`)
      assert.strictEqual((yield* here.ask(bytes)).status, 400)
    })
  )
}

it.live("GET of an asterisk gives the page at / there, and is a 400 here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* pair
    const bytes = "GET * HTTP/1.1\r\nHost: a\r\n\r\n"
    assert.strictEqual((yield* there.ask(bytes)).body.toString(), "host a")
    assert.strictEqual((yield* here.ask(bytes)).status, 400)
  })
)

it.live("a request that is no HTTP is a 400 without a body there, and is told what is wrong here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* pair
    const bytes = "GET page HTTP/1.1\r\nHost: a\r\n\r\n"
    const empty = yield* there.ask(bytes)
    assert.deepStrictEqual([empty.status, empty.headers["content-type"], empty.body.length], [400, undefined, 0])
    const full = yield* here.ask(bytes)
    assert.deepStrictEqual([full.status, full.headers["content-type"]], [400, "application/problem+json"])
  })
)

it.live("CONNECT is closed without an answer there, and is a 405 here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* pair
    const bytes = "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"
    const wire = yield* there.connect
    yield* wire.send(bytes)
    assert.strictEqual(yield* wire.closed, "")
    assert.strictEqual((yield* here.ask(bytes)).status, 405)
  })
)

it.live("an answer has the deprecated Keep-Alive header there, and has not here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* pair
    assert.strictEqual((yield* there.ask(get("/"))).headers["keep-alive"], "timeout=5")
    assert.strictEqual((yield* here.ask(get("/"))).headers["keep-alive"], undefined)
  })
)

it.live("a client that announces an empty body is told 100 Continue there, and only the answer here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* pair
    for (const announced of ["", "Content-Length: 0\r\n"]) {
      const bytes = `POST /length HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${announced}\r\n`
      assert.deepStrictEqual((yield* there.ask(bytes)).interim, [100])
      const answer = yield* here.ask(bytes)
      assert.deepStrictEqual([answer.interim, answer.body.toString()], [[], "0"])
    }
  })
)

it.live("GET that expects 100-continue loses its connection there, and keeps it here", () =>
  Effect.gen(function* () {
    const { here, there } = yield* pair
    const bytes = get("/", "Expect: 100-continue\r\n")
    assert.strictEqual((yield* there.ask(bytes)).headers.connection, "close")
    const wire = yield* here.connect
    for (const _ of [1, 2]) {
      yield* wire.send(bytes)
      assert.strictEqual((yield* wire.answer()).body.toString(), "host a")
    }
  })
)
