/**
 * Bodies on their way through a proxy: as they come, as fast as the slower side, and broken off with either side.
 */
import type * as Http from "node:http"
import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Proxy from "../../src/handlers/Proxy.ts"
import type { Middleware } from "../../src/Middleware.ts"
import * as Route from "../../src/Route.ts"
import { get, post, recorder, standstill, turns, until } from "../server/both.ts"
import { start } from "../server/started.ts"
import { appOf, echo, echoed, type Given, proxied, rawUpstream, upstream } from "./upstream.ts"

const chunked = (path: string, ...chunks: ReadonlyArray<string>): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks
    .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    .join("")}0\r\n\r\n`

describe("the body of a request", () => {
  const lengths = [
    ["9007199254740993", "413 Content Too Large"],
    ["18446744073709551615", "413 Content Too Large"],
    ["18446744073709551616", "400 Bad Request"]
  ] as const
  for (const [length, line] of lengths) {
    proxied(`of a length of ${length} goes no further`, upstream(echo), ({ upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\nhello`)
        assert.strictEqual((yield* wire.answer("POST")).line, line)
        assert.strictEqual(upstream.requests(), 0)
      })
    )
  }

  type Row = readonly [name: string, bytes: string, wanted: string, framing: object]
  const rows: ReadonlyArray<Row> = [
    ["of a length", post("/a", "hello"), "hello", { "content-length": "5" }],
    ["in chunks", chunked("/a", "hel", "lo"), "hello", { "transfer-encoding": "chunked" }],
    ["that is empty", post("/a", ""), "", { "content-length": "0" }],
    ["in no chunks", chunked("/a"), "", { "content-length": "0" }],
    ["of GET", post("/a", "hello").replace("POST", "GET"), "hello", { "content-length": "5" }],
    ["of DELETE", post("/a", "hello").replace("POST", "DELETE"), "hello", { "content-length": "5" }],
    [
      "of a coding that is known here",
      post("/a", Zlib.gzipSync("hello").toString("latin1"), "Content-Encoding: gzip\r\n"),
      Zlib.gzipSync("hello").toString("latin1"),
      { "content-encoding": "gzip", "content-length": String(Zlib.gzipSync("hello").length) }
    ],
    [
      "of a coding that nobody knows",
      post("/a", "hello", "Content-Encoding: x-mine\r\n"),
      "hello",
      { "content-encoding": "x-mine", "content-length": "5" }
    ]
  ]
  for (const [name, bytes, wanted, framing] of rows) {
    proxied(`${name} arrives as it is`, upstream(echo), ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(bytes)
        const { body, headers } = echoed(yield* wire.answer())
        assert.strictEqual(body, wanted)
        assert.deepInclude(headers, framing)
        assert.notProperty(headers, "content-length" in framing ? "transfer-encoding" : "content-length")
        yield* wire.send(get("/a"))
        assert.strictEqual((yield* wire.answer()).status, 200)
        assert.deepStrictEqual(logs, [])
      })
    )
  }

  const reads: Middleware = (handler) =>
    Effect.andThen(Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ text }) => text) as never, handler) as never
  proxied(
    "that a middleware has read is sent decoded",
    upstream(echo),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(post("/a", Zlib.gzipSync("hello").toString("latin1"), "Content-Encoding: gzip\r\n"))
        const { body, headers } = echoed(yield* wire.answer())
        assert.strictEqual(body, "hello")
        assert.deepInclude(headers, { "content-length": "5" })
        assert.notProperty(headers, "content-encoding")
      }),
    { routes: (proxy) => ({ all: Route.any("/{path:.*}", proxy).pipe(Route.use(reads)) }) }
  )

  proxied("is asked for with 100 Continue when the upstream server takes it", upstream(echo), ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
      yield* wire.until("HTTP/1.1 100 Continue\r\n\r\n")
      yield* wire.send("hello")
      const { body, headers } = echoed(yield* wire.answer())
      assert.deepStrictEqual([body, headers.expect], ["hello", undefined])
    })
  )

  proxied(
    "is not asked for when there is no upstream server",
    upstream(echo),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.status, answer.interim], [502, []])
      }),
    { upstream: "http://127.0.0.1:1" }
  )
})

describe("the limit of a body", () => {
  const large = "x".repeat(2 * 1024 * 1024)
  proxied("is none by default", upstream(echo), ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(post("/a", large))
      assert.strictEqual(echoed(yield* wire.answer()).body.length, large.length)
    })
  )
  const limited = (limit: "4 B" | "1 MiB") => (proxy: ReturnType<typeof Proxy.make>) => ({
    all: Route.any("/{path:.*}", proxy).pipe(Route.bodyLimit(limit))
  })
  const refused = ({ logs, upstream, wire }: Given, bytes: string, isSent = false) =>
    Effect.gen(function* () {
      yield* wire.send(bytes)
      assert.strictEqual((yield* wire.answer()).line, "413 Content Too Large")
      yield* until(() => upstream.sockets.size === 0)
      if (!isSent) assert.strictEqual(upstream.requests(), 0)
      assert.deepStrictEqual(logs, [])
    })
  proxied(
    "of a route refuses a larger length at once",
    upstream(echo),
    (given) => refused(given, post("/a", "hello")),
    {
      routes: limited("4 B")
    }
  )
  proxied(
    "of a route breaks off what turns out to be larger",
    upstream(echo),
    (given) => refused(given, chunked("/a", "hel", "lo"), true),
    { routes: limited("4 B") }
  )
  proxied("of a route counts when it is the usual one", upstream(echo), (given) => refused(given, post("/a", large)), {
    routes: limited("1 MiB")
  })
  proxied(
    "of a route lets through what is as large",
    upstream(echo),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(chunked("/a", "hel", "l"))
        assert.strictEqual(echoed(yield* wire.answer()).body, "hell")
      }),
    { routes: limited("4 B") }
  )
})

describe("an answer", () => {
  proxied(
    "begins when its head is there, and goes on as it comes",
    upstream((_, response) => {
      response.flushHeaders()
      responses.push(response)
    }),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        yield* wire.until("\r\n\r\n")
        const response = responses.pop()!
        response.write("one")
        yield* wire.until("one")
        response.end("two")
        yield* wire.until("two\r\n0\r\n\r\n")
      })
  )

  proxied(
    "can begin before the body of its request has ended",
    upstream((request, response) => request.pipe(response)),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        yield* wire.until("one")
        yield* wire.send("3\r\ntwo\r\n")
        yield* wire.until("two")
        yield* wire.send("0\r\n\r\n")
        yield* wire.until("0\r\n\r\n")
      })
  )
})

const responses: Array<Http.ServerResponse> = []

describe("who is slow", () => {
  const chunk = Buffer.alloc(64 * 1024)

  let written = 0
  const endless = upstream((_, response) => {
    const more = () => {
      for (;;) {
        written += chunk.length
        if (!response.write(chunk)) break
      }
      response.once("drain", more)
    }
    more()
  })
  proxied("as a client stops the answer at its server", endless, ({ upstream, wire }) =>
    Effect.gen(function* () {
      written = 0
      // What is read need not be kept.
      wire.socket.removeAllListeners("data")
      wire.socket.pause()
      yield* wire.send(get("/a"))
      yield* standstill(() => written)
      assert.isBelow(written, 16 * 1024 * 1024)
      const before = written
      wire.socket.on("data", () => {})
      wire.socket.resume()
      yield* until(() => written > before + 8 * 1024 * 1024)
      wire.socket.destroy()
      yield* until(() => upstream.sockets.size === 0)
    })
  )

  let read: Http.IncomingMessage | undefined
  const lazy = upstream((request, response) => {
    read = request
    request.pause()
    request.on("end", () => response.end("done"))
  })
  proxied("as an upstream server stops the client", lazy, ({ wire }) =>
    Effect.gen(function* () {
      read = undefined as Http.IncomingMessage | undefined
      let sent = 0
      let isDone = false
      const more = () => {
        while (!isDone) {
          sent += chunk.length
          if (!wire.socket.write(Buffer.concat([Buffer.from("10000\r\n"), chunk, Buffer.from("\r\n")]))) break
        }
      }
      yield* wire.send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
      wire.socket.on("drain", more)
      more()
      yield* until(() => read !== undefined)
      yield* standstill(() => sent)
      assert.isBelow(sent, 16 * 1024 * 1024)
      const before = sent
      read?.resume()
      yield* until(() => sent > before + 8 * 1024 * 1024)
      isDone = true
      wire.socket.write("0\r\n\r\n")
      assert.strictEqual((yield* wire.answer()).body.toString(), "done")
    })
  )
})

describe("a client that leaves", () => {
  const silent = upstream(() => {})
  proxied("before the answer breaks the request off", silent, ({ logs, upstream, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/a"))
      yield* until(() => upstream.requests() === 1)
      wire.socket.destroy()
      yield* until(() => upstream.sockets.size === 0)
      yield* turns
      assert.deepStrictEqual(logs, [])
    })
  )
  proxied(
    "in the middle of the answer breaks the request off",
    upstream((_, response) => response.write("one")),
    ({ logs, upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        yield* wire.until("one")
        wire.socket.destroy()
        yield* until(() => upstream.sockets.size === 0)
        yield* turns
        assert.deepStrictEqual(logs, [])
      })
  )
  proxied("in the middle of its own body breaks the request off", silent, ({ logs, upstream, wire }) =>
    Effect.gen(function* () {
      yield* wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
      yield* until(() => upstream.requests() === 1)
      wire.socket.destroy()
      yield* until(() => upstream.sockets.size === 0)
      yield* turns
      assert.deepStrictEqual(logs, [])
    })
  )
})

describe("clients that leave at any time", () => {
  let running = 0
  const server = upstream((request, response) => {
    running++
    response.on("close", () => running--)
    if (request.url === "/drip") response.write("x".repeat(100_000))
    else if (request.url === "/echo") request.pipe(response)
  })
  it.live("leave no connection, no fiber and no line in the log", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const { requests, url } = yield* server
      const { connect, server: own } = yield* start(appOf({}, url))
      const heads = ["", "Connection: upgrade\r\nUpgrade: x\r\n"]
      const bytes = ["/drip", "/echo", "/silent"].flatMap((path) => [
        ...heads.map((head) => get(path, head)),
        `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${"x".repeat(50_000)}`
      ])
      for (let round = 0; round < 10; round++) {
        const wires = yield* Effect.forEach(bytes, () => connect)
        yield* Effect.forEach(wires, (wire, index) => wire.send(bytes[index]!))
        for (let turn = 0; turn < round; turn++) yield* Effect.yieldNow
        if (round % 3 === 0) yield* turns
        for (const { socket } of wires) socket.destroy()
      }
      yield* until(() => running === 0)
      assert.isAbove(requests(), 0)
      const open = Effect.callback<number>((resume) => {
        own.node.getConnections((_, count) => resume(Effect.succeed(count)))
      })
      yield* Effect.repeat(open, { until: (count) => count === 0 })
      yield* turns
      assert.deepStrictEqual(logs, [])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})

describe("an upstream server that refuses a body", () => {
  const early = (close: boolean) =>
    rawUpstream((socket) => {
      const answer = `HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n${close ? "Connection: close\r\n" : ""}\r\nno`
      if (close) socket.end(answer)
      else socket.write(answer)
    })
  for (const close of [false, true]) {
    proxied(
      `early ${close ? "and closes" : "and goes on"} stops the client with its answer`,
      early(close),
      ({ logs, upstream, wire }) =>
        Effect.gen(function* () {
          yield* wire.send(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n${"x".repeat(1000)}`)
          const answer = yield* wire.answer()
          assert.deepStrictEqual([answer.line, answer.body.toString()], ["403 Forbidden", "no"])
          yield* until(() => upstream.sockets.size === 0)
          yield* wire.send("x".repeat(1_000_000))
          yield* wire.closed
          assert.deepStrictEqual(logs, [])
        })
    )
  }
})
