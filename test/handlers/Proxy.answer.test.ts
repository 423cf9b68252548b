/**
 * What a proxy changes in an answer, and what it leaves as it is.
 */
import type * as Http from "node:http"
import * as Zlib from "node:zlib"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Compression from "../../src/middleware/Compression.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import type { Answer } from "../conformance/wire.ts"
import { get } from "../server/both.ts"
import { type Options, proxied, rawUpstream, upstream } from "./upstream.ts"

const head = (answer: Answer) => ({ line: answer.line, headers: { ...answer.headers } })

describe("an answer", () => {
  const answers = (listener: (response: Http.ServerResponse) => void) =>
    upstream((request, response) => {
      response.sendDate = false
      request.resume()
      listener(response)
    })

  proxied(
    "keeps its status, its phrase and its fields",
    answers((response) => {
      response.writeHead(418, "Short and stout", [
        ["Content-Type", "x/y; a=b"],
        ["Content-Length", "2"],
        ["Date", "Thu, 01 Jan 1970 00:00:00 GMT"],
        ["X-A", "1"],
        ["X-A", "2"],
        ["Server", "u"],
        ["ETag", '"x"'],
        ["Content-Encoding", "gzip"],
        ["Location", "http://127.0.0.1:1/there"]
      ])
      response.end("no")
    }),
    ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        const answer = yield* wire.answer()
        assert.deepStrictEqual(head(answer), {
          line: "418 Short and stout",
          headers: {
            "content-type": "x/y; a=b",
            "content-length": "2",
            date: "Thu, 01 Jan 1970 00:00:00 GMT",
            "x-a": "1, 2",
            server: "u",
            etag: '"x"',
            "content-encoding": "gzip",
            location: "http://127.0.0.1:1/there",
            via: "1.1 effect-web"
          }
        })
        assert.strictEqual(answer.body.toString(), "no")
        assert.deepStrictEqual(logs, [])
      })
  )

  proxied(
    "loses the fields of the connection, and those that Connection names",
    rawUpstream(
      "HTTP/1.1 200 OK\r\nConnection: close, X-A\r\nX-A: 1\r\nX-B: 2\r\nKeep-Alive: timeout=1\r\nProxy-Connection: close\r\n" +
        "Proxy-Authenticate: Basic\r\nTrailer: X-T\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\nVia: 1.0 one\r\n\r\n" +
        "2\r\nhi\r\n0\r\nX-T: 1\r\n\r\n"
    ),
    ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        const { body, headers } = yield* wire.answer()
        const { date: _, ...rest } = headers
        assert.deepStrictEqual(rest, { "x-b": "2", via: "1.0 one, 1.1 effect-web", "content-length": "2" })
        assert.strictEqual(body.toString(), "hi")
        yield* wire.send(get("/a"))
        yield* wire.answer()
        assert.deepStrictEqual(logs, [])
      })
  )

  const cookies = [
    "a=1; Path=/",
    "a=2; Path=/x; Priority=High; X",
    'b=%20 "c"; expires=Thu, 01-Jan-70 00:00:00 GMT',
    "a=3",
    "a[]=4",
    "none"
  ]
  const withCookies = answers((response) => response.setHeader("set-cookie", cookies).end())
  proxied("keeps each Set-Cookie as it is", withCookies, ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/a"))
      const lines = (yield* wire.until("\r\n\r\n")).split("\r\n").filter((line) => /^set-cookie/i.test(line))
      assert.sameMembers(
        lines,
        cookies.map((cookie) => `set-cookie: ${cookie}`)
      )
    })
  )
  proxied(
    "gets the cookies of middleware beside its own, the last of a name in place of the first",
    withCookies,
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        const lines = (yield* wire.until("\r\n\r\n")).split("\r\n").filter((line) => /^set-cookie/i.test(line))
        const wanted = ["a=new; Path=/", ...cookies.slice(1), "c=5; Path=/"]
        assert.sameMembers(
          lines,
          wanted.map((cookie) => `set-cookie: ${cookie}`)
        )
      }),
    {
      routes: (proxy) => ({
        all: Route.any(
          "/{path:.*}",
          Effect.map(proxy, (response) => Response.setCookie(Response.setCookie(response, "a", "new"), "c", "5"))
        )
      })
    }
  )

  type Row = readonly [name: string, method: string, raw: string, wanted: string, headers: object]
  const rows: ReadonlyArray<Row> = [
    ["of a length", "GET", "200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", { "content-length": "2" }],
    ["without content", "GET", "200 OK\r\nContent-Length: 0\r\n\r\n", "", { "content-length": "0" }],
    ["of 204", "GET", "204 No Content\r\n\r\n", "", {}],
    [
      "of 304 with the length of its 200",
      "GET",
      '304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n',
      "",
      { "content-length": "5", etag: '"x"' }
    ],
    [
      "to HEAD with a length",
      "HEAD",
      "200 OK\r\nContent-Length: 5\r\nContent-Type: a/b\r\n\r\n",
      "",
      { "content-length": "5", "content-type": "a/b" }
    ],
    ["to HEAD without one", "HEAD", "200 OK\r\n\r\n", "", {}],
    ["to HEAD that is chunked", "HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", {}],
    [
      "behind interim ones",
      "GET",
      "102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
      "hi",
      { "content-length": "2" }
    ],
    ["of a status that nobody knows", "GET", "299\r\nContent-Length: 0\r\n\r\n", "", { "content-length": "0" }]
  ]
  for (const [name, method, raw, wanted, headers] of rows) {
    proxied(`${name} is as it was`, rawUpstream(`HTTP/1.1 ${raw}`), ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a").replace("GET", method))
        const answer = yield* wire.answer(method)
        const { date: _date, via: _via, ...rest } = answer.headers
        assert.deepStrictEqual(rest, headers)
        assert.strictEqual(answer.body.toString(), wanted)
        yield* wire.send(get("/a").replace("GET", method))
        assert.strictEqual((yield* wire.answer(method)).line, answer.line)
        assert.deepStrictEqual(logs, [])
      })
    )
  }

  proxied(
    "that ends with its connection is chunked",
    rawUpstream((socket) => socket.end("HTTP/1.0 200 OK\r\n\r\nhello")),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        const { body } = yield* wire.answer()
        assert.strictEqual(body.toString(), "hello")
      })
  )

  const conditional = answers((response) => {
    response.writeHead(200, { etag: '"x"', "content-length": 2 })
    response.end("hi")
  })
  proxied("is not made a 304 here: whether it is one is for its server to say", conditional, ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/a", 'If-None-Match: "x"\r\n'))
      const answer = yield* wire.answer()
      assert.deepStrictEqual([answer.status, answer.body.toString()], [200, "hi"])
    })
  )

  const text = "All work and no play makes Jack a dull boy.\n".repeat(100)
  const written = answers((response) => {
    response.writeHead(200, { "content-type": "text/plain" })
    response.write(text.slice(0, 100))
    response.end(text.slice(100))
  })
  const compressed: Options["routes"] = (proxy) => ({
    all: Route.any("/{path:.*}", proxy).pipe(Route.use(Compression.make()))
  })
  proxied(
    "can be compressed here",
    written,
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a", "Accept-Encoding: gzip\r\n"))
        const { body, headers } = yield* wire.answer()
        assert.deepInclude(headers, { "content-encoding": "gzip", vary: "Accept-Encoding" })
        assert.strictEqual(Zlib.gunzipSync(body).toString(), text)
      }),
    { routes: compressed }
  )
  proxied(
    "that is compressed already is left alone",
    answers((response) => {
      const body = Zlib.gzipSync(text)
      response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" }).end(body)
    }),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a", "Accept-Encoding: br, gzip\r\n"))
        const { body, headers } = yield* wire.answer()
        assert.strictEqual(headers["content-encoding"], "gzip")
        assert.strictEqual(Zlib.gunzipSync(body).toString(), text)
      }),
    { routes: compressed }
  )

  proxied(
    "of 426 says what to change to",
    answers((response) =>
      response.writeHead(426, { upgrade: "x/2", connection: "upgrade", "content-length": 0 }).end()
    ),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        assert.deepInclude((yield* wire.answer()).headers, { upgrade: "x/2", connection: "upgrade" })
        yield* wire.send(get("/a"))
        assert.strictEqual((yield* wire.answer()).status, 426)
      })
  )
})
