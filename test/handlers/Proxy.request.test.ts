/**
 * What a proxy changes in a request, and what it leaves as it is.
 */
import * as Http from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import type { Middleware } from "../../src/Middleware.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { get } from "../server/both.ts"
import { appOf, echo, echoed, type Options, proxied, upstream } from "./upstream.ts"

describe("the path and the query", () => {
  type Row = readonly [target: string, wanted: string, options?: Options]
  const rows: ReadonlyArray<Row> = [
    ["/", "/"],
    ["/a/b", "/a/b"],
    ["/api", "/"],
    ["/api/", "/"],
    ["/api/a/b", "/a/b"],
    ["/api?x=1", "/?x=1"],
    ["/a%2Fb%20c/%C3%A9", "/a%2Fb%20c/%C3%A9"],
    ["/a+b;c=1,d/@:!$&'()*", "/a+b;c=1,d/@:!$&'()*"],
    ["/a//b///", "/a//b///"],
    ["/.well-known/a.b/..c/d..", "/.well-known/a.b/..c/d.."],
    ["/a?", "/a?"],
    ['/a?x="<>|{}^`', '/a?x="<>|{}^`'],
    ["/a?x=%20&x=+&y=a/../b?c", "/a?x=%20&x=+&y=a/../b?c"],
    ["//evil.example/a", "//evil.example/a"],
    ["/@evil.example/", "/@evil.example/"],
    ["/\\evil.example/", "/\\evil.example/"],
    ["/http://evil.example/", "/http://evil.example/"],
    ["http://evil.example/a?b", "/a?b"],
    ["http://evil.example", "/"],
    ["/api/a?x", "/v1/a?x", { rewrite: (path) => `/v1${path}` }],
    ["/old/a", "/a", { rewrite: (path) => path.replace(/^\/old/, "") }],
    ["/old", "/", { rewrite: (path) => path.replace(/^\/old/, "") }],
    ["/older?a", "/er?a", { rewrite: (path) => path.replace(/^\/old/, "") }]
  ]
  for (const [target, wanted, options] of rows) {
    proxied(
      `${target} is sent as ${wanted}`,
      upstream(echo),
      ({ logs, wire }) =>
        Effect.gen(function* () {
          yield* wire.send(get(target))
          const answer = yield* wire.answer()
          assert.strictEqual(answer.line, "200 OK")
          assert.strictEqual(echoed(answer).url, wanted)
          assert.deepStrictEqual(logs, [])
        }),
      options
    )
  }

  proxied(
    "a path in the URL of the upstream server stands before",
    upstream(echo),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a?b"))
        assert.strictEqual(echoed(yield* wire.answer()).url, "/base/a?b")
      }),
    ({ url }) => ({ upstream: `${url}/base/` })
  )

  const dots = [
    "/..",
    "/a/../b",
    "/.",
    "/a/./b",
    "/%2e%2E/a",
    "/.%2e",
    "/a/..;x=1/b",
    "/..\\a",
    "/a\\..\\b",
    "/..%2fa",
    "/a%5C..%5cb"
  ]
  for (const target of dots) {
    proxied(`${target} is refused: what it means is for nobody to say`, upstream(echo), ({ logs, upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get(target))
        assert.strictEqual((yield* wire.answer()).line, "400 Bad Request")
        assert.strictEqual(upstream.requests(), 0)
        assert.deepStrictEqual(logs, [])
      })
    )
  }

  for (const changed of ["/a b", "/a?b", "/a#b", "/a\r\nb", "/\u0100"]) {
    proxied(
      `a rewrite that gives ${JSON.stringify(changed)} is a defect`,
      upstream(echo),
      ({ logs, upstream, wire }) =>
        Effect.gen(function* () {
          yield* wire.send(get("/a"))
          assert.strictEqual((yield* wire.answer()).status, 500)
          assert.strictEqual(upstream.requests(), 0)
          assert.deepStrictEqual(logs, ["Error The handler died (GET /a)"])
        }),
      { rewrite: () => changed }
    )
  }
})

describe("a request that could be read in two ways", () => {
  const rows: ReadonlyArray<readonly [name: string, bytes: string]> = [
    ["with a length and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["with two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    ["with a length that is none", "Content-Length: +1\r\n\r\na"],
    ["of a coding that is not quite chunked", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"],
    ["with two Hosts", "Host: b\r\n\r\n"],
    ["with a Host that is none", "X: y\r\nhost: a@b\r\n\r\n"],
    ["with a folded line", "X: y\r\n z\r\n\r\n"],
    ["with a bare CR", "X: y\rHost: b\r\n\r\n"],
    ["with NUL", "X: y\0\r\n\r\n"]
  ]
  for (const [name, lines] of rows) {
    proxied(`${name} reaches no upstream server`, upstream(echo), ({ logs, upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(`POST /a HTTP/1.1\r\nHost: a\r\n${lines}`)
        assert.match(yield* wire.closed, /^HTTP\/1\.1 (?:400|501) /)
        assert.strictEqual(upstream.requests(), 0)
        assert.deepStrictEqual(logs, [])
      })
    )
  }
})

/** The fields of the request that the upstream server got. */
const sent = (
  name: string,
  lines: string,
  wanted: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
  options: Options | (() => Options) = {}
) =>
  proxied(
    name,
    upstream(echo),
    ({ logs, upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a", lines))
        const { headers } = echoed(yield* wire.answer())
        for (const [name, value] of Object.entries(wanted)) {
          assert.deepStrictEqual(headers[name], value === "upstream" ? `127.0.0.1:${upstream.port}` : value, name)
        }
        assert.deepStrictEqual(logs, [])
      }),
    options
  )

describe("the fields of a request", () => {
  sent(
    "stay as they are",
    'Accept: a/b;q=0.5, c/d\r\nX-A: 1\r\nX-A: 2\r\nCookie: a=1\r\nCookie: b=2\r\nRange: bytes=0-1\r\nIf-Match: "x"\r\nUser-Agent: u\r\n' +
      "Accept-Encoding: br, gzip\r\nX-Empty:\r\nX-Latin: \xe9\r\nAuthorization: Basic x\r\n",
    {
      accept: "a/b;q=0.5, c/d",
      "x-a": "1, 2",
      cookie: "a=1; b=2",
      range: "bytes=0-1",
      "if-match": '"x"',
      "user-agent": "u",
      "accept-encoding": "br, gzip",
      "x-empty": "",
      "x-latin": "\xe9",
      authorization: "Basic x"
    }
  )
  sent(
    "are not those of the connection",
    "Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nProxy-Authorization: Basic x\r\nTE: trailers\r\nTrailer: x-a\r\n" +
      "Proxy-X: 1\r\nProxy: http://evil.example\r\nHTTP2-Settings: x\r\n",
    {
      connection: "keep-alive",
      "keep-alive": undefined,
      "proxy-connection": undefined,
      "proxy-authorization": undefined,
      te: undefined,
      trailer: undefined,
      "proxy-x": undefined,
      proxy: undefined,
      "http2-settings": undefined
    }
  )
  sent(
    "are not those that Connection names",
    'Connection: X-A, keep-alive, "x", x-B\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n',
    { "x-a": undefined, "x-b": undefined, "x-c": "3", connection: "keep-alive" }
  )
  sent("that the proxy makes cannot be named away", "Connection: close, Host, Via, X-Forwarded-For, Forwarded\r\n", {
    host: "upstream",
    via: "1.1 effect-web",
    "x-forwarded-for": "127.0.0.1",
    forwarded: "for=127.0.0.1;host=a;proto=http"
  })

  const adds: Middleware = (handler) =>
    Effect.updateService(handler, HttpServerRequest.HttpServerRequest, (request) =>
      request.modify({ headers: Headers.set(request.headers, "x-user", "ada") })
    ) as never
  const guarded = (proxy: Parameters<NonNullable<Options["routes"]>>[0]) => ({
    all: Route.any("/{path:.*}", proxy).pipe(Route.use(adds))
  })
  sent(
    "that a middleware has added cannot be named away either",
    "Connection: X-User\r\nX-User: eve\r\n",
    { "x-user": "ada" },
    { routes: guarded }
  )
  sent("go to the Host of the upstream server", "", { host: "upstream" })
  sent("go to the Host of the client where that is kept", "", { host: "a" }, { preserveHost: true })
  sent("have a Via behind those before", "Via: 1.0 one, 2 two:80 (x)\r\n", {
    via: "1.0 one, 2 two:80 (x), 1.1 effect-web"
  })
  sent("have the name of the proxy in Via", "", { via: "1.1 edge" }, { via: "edge" })

  proxied("are there under HTTP/1.0 without a Host", upstream(echo), ({ upstream, wire }) =>
    Effect.gen(function* () {
      yield* wire.send("GET /a HTTP/1.0\r\n\r\n")
      const { headers } = echoed(yield* wire.answer())
      assert.deepInclude(headers, { host: `127.0.0.1:${upstream.port}`, via: "1.0 effect-web" })
      assert.deepInclude(headers, { "x-forwarded-for": "127.0.0.1", forwarded: "for=127.0.0.1;proto=http" })
      assert.isUndefined(headers["x-forwarded-host"])
    })
  )
})

describe("where a request came from", () => {
  const own = {
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "a",
    forwarded: "for=127.0.0.1;host=a;proto=http"
  }
  const foreign =
    "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 443\r\n" +
    "X-Forwarded-Prefix: /x\r\nX-Real-IP: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nX-Forwarded_For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n"
  const gone = { "x-forwarded-port": undefined, "x-forwarded-prefix": undefined, "x-real-ip": undefined }
  const odd = { x_forwarded_for: undefined, "x-forwarded_for": undefined }
  sent("is said", "", own)
  sent("is not what the client says", foreign, { ...own, ...gone, ...odd })
  sent("is not what a peer says that is not trusted", foreign, { ...own, ...gone }, { trust: ["10.0.0.0/8"] })
  sent(
    "is added to what a trusted peer says",
    foreign,
    {
      "x-forwarded-for": "6.6.6.6, 127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
      "x-forwarded-port": "443",
      "x-real-ip": "6.6.6.6",
      forwarded: "for=6.6.6.6, for=127.0.0.1;host=a;proto=http"
    },
    { trust: ["127.0.0.0/8", "::1"] }
  )
  sent(
    "is added where a trusted peer says it: in X-Forwarded-For",
    "X-Forwarded-For: 6.6.6.6\r\n",
    { ...own, "x-forwarded-for": "6.6.6.6, 127.0.0.1", forwarded: undefined },
    { trust: ["127.0.0.1"] }
  )
  sent(
    "is added where a trusted peer says it: in Forwarded",
    "Forwarded: for=6.6.6.6\r\n",
    { "x-forwarded-for": undefined, forwarded: "for=6.6.6.6, for=127.0.0.1;host=a;proto=http" },
    { trust: ["127.0.0.1"] }
  )
  sent("is said when a trusted peer says nothing", "", own, { trust: ["127.0.0.1"] })

  const found: Middleware = (handler) =>
    Effect.updateService(handler, HttpServerRequest.HttpServerRequest, (request) =>
      request.modify({ remoteAddress: Option.some("2001:db8::1"), peerAddress: request.peerAddress, protocol: "https" })
    ) as never
  sent(
    "is the client that a middleware has found",
    "",
    {
      "x-forwarded-for": "2001:db8::1",
      "x-forwarded-proto": "https",
      forwarded: 'for="[2001:db8::1]";host=a;proto=https'
    },
    { routes: (proxy) => ({ all: Route.any("/{path:.*}", proxy).pipe(Route.use(found)) }) }
  )
})

describe("a method", () => {
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "TRACE", "QUERY"]) {
    proxied(`${method} is passed on`, upstream(echo), ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a").replace("GET", method))
        const { body, headers, method: got } = echoed(yield* wire.answer(method))
        assert.deepStrictEqual([got, body, headers["transfer-encoding"]], [method, "", undefined])
      })
    )
  }

  proxied("CONNECT is refused", upstream(echo), ({ upstream, wire }) =>
    Effect.gen(function* () {
      yield* wire.send("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n")
      assert.match(yield* wire.closed, /^HTTP\/1\.1 (?:400|405|501) /)
      assert.strictEqual(upstream.requests(), 0)
    })
  )

  type Row = readonly [method: string, left: string, wanted: string, there: number]
  const rows: ReadonlyArray<Row> = [
    ["OPTIONS", "0", "204 No Content", 0],
    ["TRACE", "0", "200 OK", 0],
    ["OPTIONS", "3", "200 OK", 1],
    ["GET", "0", "200 OK", 1]
  ]
  for (const [method, left, wanted, there] of rows) {
    proxied(`${method} with Max-Forwards: ${left} reaches ${there} more`, upstream(echo), ({ upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a", `Max-Forwards: ${left}\r\nCookie: secret=1\r\n`).replace("GET", method))
        const answer = yield* wire.answer(method)
        assert.deepStrictEqual([answer.line, upstream.requests()], [wanted, there])
        if (there === 1) assert.strictEqual(echoed(answer).headers["max-forwards"], left === "3" ? "2" : left)
        else if (method === "TRACE")
          assert.strictEqual(answer.body.toString(), "TRACE /a HTTP/1.1\r\nhost: a\r\nmax-forwards: 0\r\n\r\n")
      })
    )
  }

  const counts: ReadonlyArray<readonly [given: string, wanted: string]> = [
    ["1", "0"],
    ["010", "9"],
    ["12345678901234567890123", "12345678901234567890122"],
    ["abc", "abc"],
    ["-1", "-1"],
    ["0, 5", "0, 5"],
    ["0x5", "0x5"],
    ["1e3", "1e3"],
    ["", ""]
  ]
  for (const [given, wanted] of counts) {
    proxied(`OPTIONS with Max-Forwards: "${given}" goes on with "${wanted}"`, upstream(echo), ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a", `Max-Forwards: ${given}\r\n`).replace("GET", "OPTIONS"))
        assert.strictEqual(echoed(yield* wire.answer("OPTIONS")).headers["max-forwards"], wanted)
      })
    )
  }
})

describe("a request that has been here", () => {
  const named = (count: number) =>
    `Via: ${Array.from({ length: count }, () => "1.1 effect-web").join(", ")}, 1.1 effect-web-2\r\n`
  proxied("8 times goes on", upstream(echo), ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/a", named(8)))
      assert.strictEqual((yield* wire.answer()).status, 200)
    })
  )
  proxied("more often is a loop", upstream(echo), ({ upstream, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/a", named(9)))
      assert.strictEqual((yield* wire.answer()).line, "508 Loop Detected")
      assert.strictEqual(upstream.requests(), 0)
    })
  )

  it.live("because its upstream server sends it back ends with 508", () =>
    Effect.gen(function* () {
      let url = ""
      const back = yield* upstream((request, response) => {
        const { headers, url: path } = request
        Http.get(`${url}${path}`, { headers }, (answer) => {
          response.writeHead(answer.statusCode!, answer.headers)
          answer.pipe(response)
        })
      })
      const client = yield* Testing.socketClient(appOf({}, back.url))
      url = client.url
      assert.strictEqual((yield* client.get("/a")).status, 508)
      assert.strictEqual(back.requests(), 9)
    })
  )
})
