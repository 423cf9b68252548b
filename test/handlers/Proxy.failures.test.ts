/**
 * What goes wrong at an upstream server, and what the client is told of it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { get, post, until } from "../server/both.ts"
import { appOf, type Options, proxied, rawUpstream, type Upstream, upstream } from "./upstream.ts"

/** No address, no port and nothing of the answer is told. */
const isDiscreet = (body: Buffer, { port }: Upstream) =>
  assert.notMatch(body.toString(), new RegExp(`127\\.0\\.0\\.1|${port}|undici|HPE`))

describe("an answer that is none is a 502", () => {
  const ok = "HTTP/1.1 200 OK\r\n"
  type Row = readonly [name: string, bytes: string]
  const rows: ReadonlyArray<Row> = [
    ["of another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["of HTTP/0.9", "<html></html>\r\n\r\n"],
    ["of HTTP/2", "HTTP/2 200 OK\r\n\r\n"],
    ["with a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
    ["with a status of 999", "HTTP/1.1 999 Blocked\r\nContent-Length: 0\r\n\r\n"],
    ["with a status of 600", "HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n"],
    ["with a space in a name", `${ok}X A: 1\r\nContent-Length: 0\r\n\r\n`],
    ["with a space before a colon", `${ok}Content-Length : 0\r\n\r\n`],
    ["with a control character in a value", `${ok}X-A: a\x01b\r\nContent-Length: 0\r\n\r\n`],
    ["with NUL in a value", `${ok}X-A: a\0b\r\nContent-Length: 0\r\n\r\n`],
    ["with a bare CR in a value", `${ok}X-A: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n`],
    ["with a folded line", `${ok}X-A: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
    ["with two lengths", `${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ["with a length that is none", `${ok}Content-Length: 1x\r\n\r\na`],
    ["with a length above 2^53-1", `${ok}Content-Length: 9007199254740993\r\n\r\na`],
    ["with a negative length", `${ok}Content-Length: -1\r\n\r\na`],
    ["with a length and chunks", `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["of a transfer coding that is not undone", `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ["of a chunk without a size", `${ok}Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n`],
    ["with a head above 16 KiB", `${ok}X-A: ${"x".repeat(20_000)}\r\n\r\n`],
    [
      "that changes the protocol unasked",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    ],
    ["that is only ever interim", "HTTP/1.1 102 Processing\r\n\r\n".repeat(100)]
  ]
  for (const [name, bytes] of rows) {
    proxied(`: one ${name}`, rawUpstream(bytes), ({ logs, upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        const { body, line } = yield* wire.answer()
        assert.strictEqual(line, "502 Bad Gateway")
        assert.strictEqual(JSON.parse(body.toString()).detail, "The upstream server gave no valid answer")
        isDiscreet(body, upstream)
        yield* wire.send(get("/a"))
        assert.strictEqual((yield* wire.answer()).status, 502)
        assert.deepStrictEqual(logs, Array(2).fill("Warn The handler failed with 502 Bad Gateway (GET /a)"))
      })
    )
  }
})

describe("an upstream server", () => {
  const wanted = (
    name: string,
    server: Effect.Effect<Upstream, never, never>,
    line: string,
    detail: string,
    options?: Options
  ) =>
    proxied(
      name,
      server,
      ({ logs, upstream, wire }) =>
        Effect.gen(function* () {
          yield* wire.send(get("/a"))
          const answer = yield* wire.answer()
          assert.strictEqual(answer.line, line)
          assert.strictEqual(JSON.parse(answer.body.toString()).detail, detail)
          isDiscreet(answer.body, upstream)
          yield* until(() => upstream.sockets.size === 0)
          assert.deepStrictEqual(logs, [`Warn The handler failed with ${line} (GET /a)`])
        }),
      options
    )
  const some = rawUpstream(() => {}) as never
  wanted("that is not there is a 502", some, "502 Bad Gateway", "The upstream server cannot be reached", {
    upstream: "http://127.0.0.1:1"
  })
  wanted("whose name nobody knows is a 502", some, "502 Bad Gateway", "The upstream server cannot be reached", {
    upstream: "http://nobody.invalid"
  })
  wanted(
    "that speaks no TLS where it should is a 502",
    some,
    "502 Bad Gateway",
    "The upstream server cannot be reached",
    { upstream: "https://127.0.0.1:1" }
  )
  wanted(
    "that closes before it answers is a 502",
    rawUpstream((socket) => socket.end()) as never,
    "502 Bad Gateway",
    "The upstream server broke off"
  )
  wanted(
    "that resets before it answers is a 502",
    rawUpstream((socket) => socket.resetAndDestroy()) as never,
    "502 Bad Gateway",
    "The upstream server broke off"
  )
  wanted(
    "that closes in its head is a 502",
    rawUpstream((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-")) as never,
    "502 Bad Gateway",
    "The upstream server broke off"
  )
  wanted(
    "that does not answer is a 504",
    rawUpstream(() => {}) as never,
    "504 Gateway Timeout",
    "The upstream server did not answer in time",
    { timeouts: { response: "50 millis" } }
  )
  wanted(
    "that says only that it works on it is a 504",
    rawUpstream((socket) => socket.write("HTTP/1.1 102 Processing\r\n\r\n")) as never,
    "504 Gateway Timeout",
    "The upstream server did not answer in time",
    { timeouts: { response: "50 millis" } }
  )
  wanted(
    "that does not end its part of a handshake is a 504",
    Effect.map(
      rawUpstream(() => {}),
      (upstream) => ({ ...upstream, url: upstream.url.replace("http", "https") })
    ) as never,
    "504 Gateway Timeout",
    "The upstream server did not accept the connection in time",
    { timeouts: { connect: "50 millis" } }
  )

  proxied(
    "that takes no more of a body is a 504",
    upstream((request) => request.pause()),
    ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        yield* wire.send(Buffer.alloc(50_000_000))
        const { line } = yield* wire.answer()
        assert.strictEqual(line, "504 Gateway Timeout")
        assert.deepStrictEqual(logs, ["Warn The handler failed with 504 Gateway Timeout (POST /a)"])
      }),
    { timeouts: { idle: "200 millis" } }
  )
  proxied(
    "has all the time that the client takes for its body",
    upstream((request, response) => {
      request.resume()
      request.on("end", () => response.end("done"))
    }),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        yield* Effect.sleep("120 millis")
        yield* wire.send("hello")
        assert.strictEqual((yield* wire.answer()).body.toString(), "done")
      }),
    { timeouts: { idle: "50 millis", response: "5 seconds" } }
  )
})

describe("an answer that breaks off", () => {
  const cut = (name: string, head: string, end: "close" | "reset" | "stall" | "malform", options?: Options) =>
    proxied(
      name,
      rawUpstream((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}hello`)
        setImmediate(() => {
          if (end === "close") socket.end()
          else if (end === "reset") socket.resetAndDestroy()
          else if (end === "malform") socket.write("x")
        })
      }),
      ({ logs, upstream, wire }) =>
        Effect.gen(function* () {
          yield* wire.send(get("/a"))
          yield* wire.until("hello")
          const rest = yield* wire.closed
          assert.notInclude(rest, "0\r\n\r\n")
          yield* until(() => upstream.sockets.size === 0)
          assert.deepStrictEqual(logs, ["Warn A response broke off after its head was sent (GET /a)"])
        }),
      options
    )
  cut("by its end before its length is cut", "Content-Length: 10\r\n\r\n", "close")
  cut("by a reset before its length is cut", "Content-Length: 10\r\n\r\n", "reset")
  cut("by its end before its last chunk is cut", "Transfer-Encoding: chunked\r\n\r\n5\r\n", "close")
  cut("by what is no chunk is cut", "Transfer-Encoding: chunked\r\n\r\n5\r\n", "malform")
  cut("by a reset before its end is cut", "\r\n", "reset")
  cut("by silence is cut", "Content-Length: 10\r\n\r\n", "stall", { timeouts: { idle: "100 millis" } })

  proxied(
    "is cut under HTTP/1.0 by a reset, for its end would be a clean one",
    rawUpstream((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello")
      setImmediate(() => socket.end())
    }),
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send("GET /a HTTP/1.0\r\n\r\n")
        yield* wire.closed
        assert.isTrue(wire.isReset())
      })
  )
  proxied(
    "before its first byte is cut when its head has been sent",
    rawUpstream((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
      setTimeout(() => socket.end(), 20)
    }),
    ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        yield* wire.until("\r\n\r\n")
        assert.strictEqual(yield* wire.closed, "")
        assert.deepStrictEqual(logs, ["Warn A response broke off after its head was sent (GET /a)"])
      })
  )
  proxied(
    "is not broken off by its own middleware",
    upstream((_, response) => response.write("hello")),
    ({ logs, upstream, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/a"))
        assert.strictEqual((yield* wire.answer()).body.toString(), "instead")
        yield* until(() => upstream.sockets.size === 0)
        assert.deepStrictEqual(logs, [])
      }),
    { routes: (proxy) => ({ all: Route.any("/{path:.*}", Effect.as(proxy, Response.text("instead"))) }) }
  )
})

describe("a failure", () => {
  proxied(
    "is a typed one",
    rawUpstream((socket) => socket.end()),
    ({ logs, wire }) =>
      Effect.gen(function* () {
        yield* wire.send(post("/a", "hello"))
        assert.strictEqual((yield* wire.answer()).body.toString(), "sorry: The upstream server broke off")
        assert.deepStrictEqual(logs, [])
      }),
    {
      routes: (proxy) => ({
        all: Route.any(
          "/{path:.*}",
          Effect.catchTag(proxy, "BadGateway", ({ text }) => Effect.succeed(Response.text(`sorry: ${text}`)))
        )
      })
    }
  )

  it.live("is logged with what went wrong", () => {
    const causes: Array<string> = []
    const logger = Logger.make(({ cause }) => causes.push(Cause.pretty(cause)))
    return Effect.gen(function* () {
      const client = yield* Testing.client(appOf({}, "http://127.0.0.1:1"))
      yield* client.get("/a")
      assert.lengthOf(causes, 1)
      assert.match(causes[0]!, /The upstream server cannot be reached[\s\S]*ECONNREFUSED 127\.0\.0\.1:1/)
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})
