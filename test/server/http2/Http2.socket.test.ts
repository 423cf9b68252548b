/**
 * HTTP/2 with a client: what works on HTTP/1.1 works on a stream of it, over TLS and without.
 */
import * as Fs from "node:fs"
import * as Http2 from "node:http2"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../../../src/App.ts"
import type * as AccessLog from "../../../src/middleware/AccessLog.ts"
import type { Outcome } from "../../../src/Outcome.ts"
import * as Request from "../../../src/Request.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Sse from "../../../src/Sse.ts"
import * as ClientCertificate from "../../../src/server/ClientCertificate.ts"
import * as Site from "../../../src/server/Site.ts"
import * as WebSocket from "../../../src/WebSocket.ts"
import * as Folder from "../../folder.ts"
import { recorder, until } from "../both.ts"
import * as Certificates from "../certificates.ts"
import { connect } from "../secure.ts"
import { start } from "../started.ts"
import { ask, session } from "./client.ts"

const pair = Certificates.selfSigned("localhost")
const file = Folder.make({ "big.bin": Folder.bytes(3_000_000) })
const interrupted: Array<string> = []

const text = <E, R>(effect: Effect.Effect<string, E, R>) => Effect.map(effect, (text) => Response.text(text))
const body = Effect.flatMap(Request.current, (request) =>
  text(Effect.map(request.text, ({ length }) => String(length)))
)
const app = App.make({
  home: Route.get("/", Response.text("home")),
  host: Route.get("/host", text(Request.host)),
  cookies: Route.get("/cookies", text(Effect.map(Request.cookies, (all) => JSON.stringify(all)))),
  file: Route.get("/file", Response.file(file.at("big.bin"))),
  stream: Route.get("/stream", Response.stream(Stream.map(Stream.range(1, 50_000), (n) => Buffer.from(`${n}\n`)))),
  broken: Route.get(
    "/broken",
    Response.stream(Stream.concat(Stream.make(Buffer.from("one")), Stream.fail(new Error("x"))))
  ),
  short: Route.get(
    "/short",
    Response.stream(Stream.make(Buffer.from("one"))).pipe(Response.setHeader("content-length", "5"))
  ),
  fields: Route.get(
    "/fields",
    Response.text("a").pipe(Response.setHeader("connection", "close"), Response.setHeader("keep-alive", "timeout=1"))
  ),
  split: Route.get("/split", HttpServerResponse.setHeader(Response.text("a"), "x-name", "a\r\nb: c")),
  upload: Route.post("/upload", body),
  ignored: Route.post("/ignored", Response.text("ignored")),
  wait: Route.get(
    "/wait",
    Effect.onInterrupt(Effect.never, () => Effect.sync(() => interrupted.push("wait")))
  ),
  socket: Route.websocket(
    "/socket",
    WebSocket.raw({}, (socket) => Stream.runForEach(socket.messages, socket.send))
  )
})

const pick = ({ bodyBytes, httpVersion, result, status }: Outcome) => ({ bodyBytes, httpVersion, result, status })
const outcomes: Array<ReturnType<typeof pick>> = []
const sites = {
  "over TLS": Site.tls({ host: "127.0.0.1", port: 0, ...pair }),
  "without TLS": Site.tcp({ host: "127.0.0.1", port: 0, h2c: true })
}

for (const [name, site] of Object.entries(sites)) {
  const tried = (
    says: string,
    test: (
      session: Http2.ClientHttp2Session,
      logs: ReadonlyArray<string>
    ) => Effect.Effect<unknown, unknown, Scope.Scope>
  ) =>
    it.live(says, () => {
      const { layer, logs } = recorder()
      outcomes.length = 0
      return Effect.gen(function* () {
        const accessLog: AccessLog.Options = { format: ({ outcome }) => `${outcomes.push(pick(outcome))}` }
        const { server } = yield* start(app, { sites: [site], accessLog })
        return yield* test(yield* session(server), logs)
      }).pipe(Effect.scoped, Effect.provide(layer))
    })

  describe(`HTTP/2 ${name}`, () => {
    tried("text is answered, and a HEAD with the head of it", (session) =>
      Effect.gen(function* () {
        const { body, headers, status } = yield* ask(session, { ":path": "/" })
        assert.deepStrictEqual([status, headers["content-length"], String(body)], [200, "4", "home"])
        const head = yield* ask(session, { ":path": "/", ":method": "HEAD" })
        assert.deepStrictEqual([head.status, head.headers["content-length"], head.body.length], [200, "4", 0])
      })
    )
    tried("the host is the :authority, and pieces of cookies are one", (session) =>
      Effect.gen(function* () {
        const host = yield* ask(session, { ":path": "/host", ":authority": "shop.example:80" })
        assert.include(String(host.body), "shop.example")
        const cookies = yield* ask(session, { ":path": "/cookies", cookie: ["a=1", "b=2"] })
        assert.strictEqual(String(cookies.body), '{"a":"1","b":"2"}')
      })
    )
    tried("a file and a range of it are those of the file; a condition is 304", (session) =>
      Effect.gen(function* () {
        const whole = yield* ask(session, { ":path": "/file" })
        assert.isTrue(whole.body.equals(Buffer.from(Folder.bytes(3_000_000))))
        const range = yield* ask(session, { ":path": "/file", range: "bytes=1000000-1000099" })
        assert.isTrue(range.status === 206 && range.body.equals(whole.body.subarray(1_000_000, 1_000_100)))
        const same = yield* ask(session, { ":path": "/file", "if-none-match": String(whole.headers.etag) })
        assert.deepStrictEqual([same.status, same.body.length], [304, 0])
      })
    )
    tried("a stream comes whole; one that breaks off and one that is too short are reset", (session) =>
      Effect.gen(function* () {
        const whole = yield* ask(session, { ":path": "/stream" })
        assert.deepStrictEqual([whole.body.length, whole.code], [288_894, 0])
        const broken = yield* ask(session, { ":path": "/broken" })
        assert.deepStrictEqual([String(broken.body), broken.code], ["one", 2])
        const short = yield* ask(session, { ":path": "/short" })
        assert.strictEqual(short.code, 2)
        assert.strictEqual((yield* ask(session, { ":path": "/" })).status, 200)
      })
    )
    tried("bodies are read, with a length and without, within the limit", (session) =>
      Effect.gen(function* () {
        const bytes = Buffer.alloc(500_000, 97)
        const post = { ":path": "/upload", ":method": "POST" }
        assert.strictEqual(String((yield* ask(session, post, bytes)).body), "500000")
        assert.strictEqual(String((yield* ask(session, { ...post, "content-length": 500_000 }, bytes)).body), "500000")
        assert.strictEqual(String((yield* ask(session, post)).body), "0")
        assert.strictEqual((yield* ask(session, post, Buffer.alloc(1_100_000))).status, 413)
        assert.strictEqual((yield* ask(session, { ...post, "content-encoding": "gzip" }, "none")).status, 400)
      })
    )
    tried("a body that nobody reads is taken while it is small, and stopped without an error", (session) =>
      Effect.gen(function* () {
        const post = { ":path": "/ignored", ":method": "POST" }
        for (const size of [100, 100_000, 2_000_000]) {
          const { body, code, status } = yield* ask(session, post, Buffer.alloc(size))
          assert.deepStrictEqual([status, String(body), code], [200, "ignored", 0])
        }
      })
    )
    tried("fields of the connection are left out, and what would break out of a field is 500", (session) =>
      Effect.gen(function* () {
        const { headers } = yield* ask(session, { ":path": "/fields" })
        assert.notProperty(headers, "connection")
        assert.notProperty(headers, "keep-alive")
        const split = yield* ask(session, { ":path": "/split" })
        assert.strictEqual(split.status, 500)
        assert.notProperty(split.headers, "b")
      })
    )
    tried("a client that resets a stream interrupts its handler and no other", (session) =>
      Effect.gen(function* () {
        interrupted.length = 0
        const first = session.request({ ":path": "/wait" }).on("error", () => {})
        const second = session.request({ ":path": "/wait" }).on("error", () => {})
        yield* Effect.sleep(50)
        first.close(Http2.constants.NGHTTP2_CANCEL)
        yield* until(() => interrupted.length === 1)
        assert.isFalse(second.closed)
        assert.strictEqual((yield* ask(session, { ":path": "/" })).status, 200)
        yield* until(() => outcomes.length === 2)
        const [aborted, home] = outcomes
        assert.deepStrictEqual(aborted, { bodyBytes: 0, httpVersion: "2.0", result: "clientAborted", status: 499 })
        assert.deepStrictEqual(home, { bodyBytes: 4, httpVersion: "2.0", result: "completed", status: 200 })
      })
    )
    tried("a route of WebSockets says that it needs another protocol", (session) =>
      Effect.gen(function* () {
        const { headers, status } = yield* ask(session, { ":path": "/socket" })
        assert.strictEqual(status, 426)
        assert.notProperty(headers, "upgrade")
      })
    )
    tried("an expectation is met, another is 417", (session) =>
      Effect.gen(function* () {
        const post = { ":path": "/upload", ":method": "POST", "content-length": 4 }
        const stream = session.request({ ...post, expect: "100-continue" })
        stream.on("continue", () => stream.end("body"))
        const status = yield* Effect.callback<number>((resume) => {
          stream.on("response", (headers) => resume(Effect.succeed(Number(headers[":status"]))))
        })
        assert.strictEqual(status, 200)
        assert.strictEqual((yield* ask(session, { ...post, expect: "more" }, "body")).status, 417)
      })
    )
  })
}

describe("the protocols of a site", () => {
  const agreed = (options: object, ALPNProtocols: Array<string>) =>
    Effect.gen(function* () {
      const { server } = yield* start(app, { sites: [Site.tls({ host: "127.0.0.1", port: 0, ...pair, ...options })] })
      return (yield* connect(server, { ALPNProtocols })).tls.alpnProtocol
    }).pipe(Effect.scoped)

  it.live("HTTP/2 where the client offers it, HTTP/1.1 where not, and where the site does not want it", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* agreed({}, ["h2", "http/1.1"]), "h2")
      assert.strictEqual(yield* agreed({}, ["http/1.1"]), "http/1.1")
      assert.strictEqual(yield* agreed({ http2: false }, ["h2", "http/1.1"]), "http/1.1")
    })
  )
  it.live("the client's certificate, and events as they come", () =>
    Effect.gen(function* () {
      const ca = Certificates.selfSigned("clients.example")
      const own = Certificates.issued(ca, "/CN=alice")
      const who = Effect.map(ClientCertificate.ClientCertificate, ({ subject }) => Response.text(String(subject.CN)))
      const events = Sse.response(Stream.concat(Stream.make("one"), Stream.never))
      const app = App.make({
        who: Route.get("/who", who).pipe(Route.use(ClientCertificate.required)),
        events: Route.get("/events", events)
      })
      const site = Site.tls({ host: "127.0.0.1", port: 0, ...pair, ca: ca.cert, clientCertificates: "require" })
      const { server } = yield* start(app, { sites: [site] })
      const files = { key: Fs.readFileSync(own.key), cert: Fs.readFileSync(own.cert) }
      const alice = yield* session(server, files)
      assert.strictEqual(String((yield* ask(alice, { ":path": "/who" })).body), "alice")
      const stream = alice.request({ ":path": "/events" }).on("error", () => {})
      const first = yield* Effect.callback<Buffer>((resume) => {
        stream.once("data", (chunk: Buffer) => resume(Effect.succeed(chunk)))
      })
      assert.include(String(first), "data: one")
    }).pipe(Effect.scoped)
  )
  it("h2c and TLS do not go together", () => {
    assert.throws(() => Site.tcp({ h2c: true, tls: pair }), TypeError, "h2c is HTTP/2 without TLS")
  })
})
