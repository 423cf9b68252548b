/**
 * TLS: certificates by name, handshakes and their limits, and that all of the server works over it.
 */
import * as Fs from "node:fs"
import * as Https from "node:https"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Proxy from "../../src/handlers/Proxy.ts"
import * as AccessLog from "../../src/middleware/AccessLog.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Server from "../../src/server/Server.ts"
import * as Site from "../../src/server/Site.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import * as Folder from "../folder.ts"
import { run } from "../run.ts"
import { get, post, recorder, until } from "./both.ts"
import * as Certificates from "./certificates.ts"
import { connect } from "./secure.ts"
import { connectTo, start } from "./started.ts"

const pair = Certificates.selfSigned("localhost")
const other = Certificates.selfSigned("other.example")
const any = Certificates.selfSigned("*.any.example")
const file = Folder.make({ "big.bin": Folder.bytes(3_000_000) })

const text = <E, R>(effect: Effect.Effect<string, E, R>) => Effect.map(effect, (text) => Response.text(text))
const echo = WebSocket.raw({}, (socket) => Stream.runForEach(socket.messages, socket.send))
const app = App.make({
  home: Route.get("/", Response.text("home")),
  url: Route.get("/url", text(Effect.map(Request.url, String))),
  protocol: Route.get("/protocol", text(Request.protocol)),
  file: Route.get("/file", Response.file(file.at("big.bin"))),
  upload: Route.post(
    "/upload",
    Effect.flatMap(Request.current, (request) => text(Effect.map(request.text, ({ length }) => String(length))))
  ),
  broken: Route.get(
    "/broken",
    Response.stream(Stream.concat(Stream.make(Buffer.from("one")), Stream.fail(new Error("x"))))
  ),
  socket: Route.websocket("/socket", echo)
})

const site = (options: object = {}) => ({
  sites: [Site.tls({ host: "127.0.0.1", port: 0, ...pair, ...options })] as const
})
const curl = (...args: ReadonlyArray<string>) => run("curl", ["-sSk", ...args], file.path)
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
const handshake = get("/socket", `${upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`)

describe("a TLS site", () => {
  it("listens on port 8443 unless told otherwise", () => {
    assert.strictEqual(Site.tls(pair).port, 8443)
    assert.strictEqual(Site.tcp({ tls: pair }).port, 8443)
    assert.strictEqual(Site.tls({ ...pair, port: 443 }).port, 443)
  })

  it.live("serves HTTPS, as its URL says", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(app, site())
      assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/)
      assert.strictEqual((yield* curl(server.url)).output, "home")
      assert.strictEqual((yield* curl("--http1.1", server.url)).output, "home")
      const checked = yield* run("curl", ["-sS", "--cacert", pair.cert, server.url], file.path)
      assert.deepStrictEqual([checked.code, checked.output], [0, "home"])
    })
  )

  it.live("is an option of a server with one site", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(app, { host: "127.0.0.1", port: 0, tls: pair })
      assert.strictEqual((yield* curl(server.url)).output, "home")
    })
  )

  it.live("stands beside one without TLS", () =>
    Effect.gen(function* () {
      const sites = [...site().sites, Site.tcp({ host: ["127.0.0.1", "127.0.0.2"], port: 0 })] as const
      const { addresses } = yield* Server.start(app, { sites: [...sites] })
      const schemes = addresses.map(({ host, url }) => [host, url.split(":")[0]])
      assert.deepStrictEqual(schemes, [
        ["127.0.0.1", "https"],
        ["127.0.0.1", "http"],
        ["127.0.0.2", "http"]
      ])
      for (const { url } of addresses) assert.strictEqual((yield* curl(url)).output, "home")
    })
  )

  for (const [what, read] of [
    ["texts", (path: string) => Fs.readFileSync(path, "utf8")],
    ["bytes", (path: string) => Fs.readFileSync(path)]
  ] as const) {
    it.live(`takes PEM ${what}, and a unix socket`, () =>
      Effect.gen(function* () {
        const path = file.at(`${what}.sock`)
        const tls = { key: read(pair.key), cert: read(pair.cert) }
        yield* Server.start(app, { sites: [Site.unix({ path, tls })] })
        const { output } = yield* curl("--unix-socket", path, "https://localhost/url")
        assert.strictEqual(output, "https://localhost/url")
      })
    )
  }

  it.live("says https to its handlers", () =>
    Effect.gen(function* () {
      const wire = yield* connect(yield* Server.start(app, site()))
      yield* wire.send(get("/protocol") + get("/url"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "https")
      assert.strictEqual((yield* wire.answer()).body.toString(), "https://a/url")
    })
  )

  it.live("sends files whole, several on a connection", () =>
    Effect.gen(function* () {
      const wire = yield* connect(yield* Server.start(app, site()))
      for (const request of [get("/file"), get("/file")]) {
        yield* wire.send(request)
        assert.isTrue((yield* wire.answer()).body.equals(Fs.readFileSync(file.at("big.bin"))))
      }
      yield* wire.send(get("/file", "Range: bytes=1000-1999\r\n"))
      const part = yield* wire.answer()
      assert.deepStrictEqual([part.status, part.body.equals(Folder.bytes(2000).subarray(1000))], [206, true])
    })
  )

  it.live("takes uploads", () =>
    Effect.gen(function* () {
      const wire = yield* connect(yield* Server.start(app, site()))
      yield* wire.send(post("/upload", "x".repeat(500_000)))
      assert.strictEqual((yield* wire.answer()).body.toString(), "500000")
      yield* wire.send(post("/upload", "y".repeat(1000), "Expect: 100-continue\r\n"))
      const answer = yield* wire.answer()
      assert.deepStrictEqual([answer.interim, answer.body.toString()], [[100], "1000"])
    })
  )

  it.live("carries WebSockets", () =>
    Effect.gen(function* () {
      const wire = yield* connect(yield* Server.start(app, site()))
      yield* wire.send(handshake)
      assert.include(yield* wire.until("\r\n\r\n"), accept)
      yield* wire.send(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
      yield* wire.until("\x81\x02hi")
    })
  )

  it.live("goes on with the connection when an upgrade was declined", () =>
    Effect.gen(function* () {
      const wire = yield* connect(yield* Server.start(app, site()))
      for (const path of ["/", "/url"]) {
        yield* wire.send(get(path, "Connection: Upgrade\r\nUpgrade: other\r\n"))
        assert.strictEqual((yield* wire.answer()).status, 200)
      }
      yield* wire.send(get("/") + get("/url"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "home")
      assert.strictEqual((yield* wire.answer()).body.toString(), "https://a/url")
    })
  )

  it.live("carries a proxy's tunnels", () =>
    Effect.gen(function* () {
      const behind = yield* start(app)
      const front = App.make({ all: Route.any("/{path:.*}", Proxy.make({ upstream: behind.server.url })) })
      const wire = yield* connect(yield* Server.start(front, site()))
      yield* wire.send(get("/protocol"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "http")
      yield* wire.send(handshake)
      assert.include(yield* wire.until("\r\n\r\n"), accept)
      yield* wire.send(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
      yield* wire.until("\x81\x02hi")
    })
  )

  it.live("writes an access log of whole answers", () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const server = yield* Server.start(app, { ...site(), accessLog: AccessLog.format("%a %r %s %b") })
      const wire = yield* connect(server)
      yield* wire.send(get("/file"))
      yield* wire.answer()
      yield* until(() => logs.some((line) => line.includes("GET /file")))
      assert.match(
        logs.find((line) => line.includes("GET /file")) ?? "",
        /127\.0\.0\.1 GET \/file HTTP\/1\.1 200 300\d{4}/
      )
    }).pipe(Effect.provide(layer))
  })
})

describe("on a connection of TLS", () => {
  it.live("a pipeline of thousands is answered in its order", () =>
    Effect.gen(function* () {
      const wire = yield* connect(yield* Server.start(app, site()))
      yield* wire.send(get("/file") + get("/unknown").repeat(3000))
      assert.strictEqual((yield* wire.answer()).body.length, 3_000_000)
      for (let at = 0; at < 3000; at++) assert.strictEqual((yield* wire.answer()).status, 404)
    })
  )

  for (const version of ["1.0", "1.1"]) {
    it.live(`a stream that breaks off under HTTP/${version} ends the connection`, () =>
      Effect.gen(function* () {
        const wire = yield* connect(yield* Server.start(app, site()))
        yield* wire.send(`GET /broken HTTP/${version}\r\nHost: a\r\n\r\n`)
        assert.match(yield* wire.closed, /one/)
      }).pipe(Effect.provide(recorder().layer))
    )
  }
})

describe("certificates by name", () => {
  const rows = [
    [undefined, "localhost"],
    ["localhost", "localhost"],
    ["unknown.example", "localhost"],
    ["other.example", "other.example"],
    ["OTHER.example", "other.example"],
    ["a.any.example", "*.any.example"],
    ["any.example", "localhost"],
    ["a.b.any.example", "localhost"]
  ] as const
  for (const [servername, wanted] of rows) {
    it.live(`${servername ?? "no name"} is answered by ${wanted}`, () =>
      Effect.gen(function* () {
        const server = yield* Server.start(app, site({ sni: { "other.example": other, "*.ANY.example": any } }))
        const { name } = yield* connect(server, servername === undefined ? {} : { servername })
        assert.strictEqual(name, wanted)
      })
    )
  }
})

describe("a handshake", () => {
  const over = (bytes: string | Buffer) =>
    Effect.gen(function* () {
      const { layer, logs } = recorder()
      return yield* Effect.gen(function* () {
        const server = yield* Server.start(app, { ...site({ handshakeTimeout: "100 millis" }), accessLog: true })
        const wire = yield* connectTo(server.addresses[0]?.port ?? 0)
        yield* wire.send(bytes)
        yield* wire.closed
        yield* until(() => server.connections() === 0)
        yield* until(() => server.node.listening)
        assert.strictEqual((yield* curl(server.url)).output, "home")
        return logs.filter((line) => !line.includes("GET /"))
      }).pipe(Effect.scoped, Effect.provide(layer))
    })
  const hello = Buffer.from("16030100050100000103", "hex")
  const rows: ReadonlyArray<readonly [string, string | Buffer]> = [
    ["of plain HTTP", get("/")],
    ["of random bytes", Folder.bytes(1000)],
    ["of a broken hello", hello],
    ["that never comes", ""],
    ["that stays half", hello.subarray(0, 7)]
  ]
  for (const [what, bytes] of rows) {
    it.live(`${what} is closed, and no line says it at warning or above`, () =>
      Effect.map(over(bytes), (logs) =>
        assert.deepStrictEqual(
          logs.filter((line) => /^(?:Warn|Error|Fatal)/.test(line)),
          []
        )
      )
    )
  }

  it.live("that drips a byte at a time ends with its time", () =>
    Effect.gen(function* () {
      const server = yield* Server.start(app, site({ handshakeTimeout: "200 millis" }))
      const wire = yield* connectTo(server.addresses[0]?.port ?? 0)
      const drip = Effect.andThen(wire.send(Buffer.from([22])), Effect.sleep("20 millis"))
      yield* Effect.raceFirst(wire.closed, Effect.andThen(wire.send(hello.subarray(0, 3)), Effect.forever(drip)))
    })
  )

  it.live("that is going on does not hold the stop", () =>
    Effect.gen(function* () {
      const { connect, server, stop } = yield* start(app, site({ handshakeTimeout: "1 minute" }))
      const wire = yield* connect
      yield* wire.send(hello.subarray(0, 7))
      yield* Effect.sleep("20 millis")
      yield* Fiber.join(yield* stop)
      yield* wire.closed
      assert.isFalse(server.node.listening)
    })
  )

  const tls12 = { minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const

  it.live("in TLSv1.2 has no cipher without authentication of its own, such as CBC, unless they are named", () =>
    Effect.gen(function* () {
      const cbc = "ECDHE-ECDSA-AES128-SHA256"
      const server = yield* Server.start(app, site())
      assert.strictEqual(
        yield* Effect.flip(connect(server, { ...tls12, ciphers: cbc })),
        "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE"
      )
      for (const cipher of ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"]) {
        yield* connect(server, { ...tls12, ciphers: cipher })
      }
      const named = yield* Server.start(app, site({ ciphers: cbc }))
      yield* connect(named, { ...tls12, ciphers: cbc })
    })
  )

  const versions = [
    ["TLSv1.1", {}, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"],
    ["TLSv1.2", { minVersion: "TLSv1.3" }, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"]
  ] as const
  for (const [version, options, code] of versions) {
    it.live(`in ${version} is refused by ${JSON.stringify(options)}`, () =>
      Effect.gen(function* () {
        const server = yield* Server.start(app, site(options))
        const client = { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" } as const
        assert.strictEqual(yield* Effect.flip(connect(server, client)), code)
      })
    )
  }
})

describe("the stop of a TLS site", () => {
  it.live("closes idle connections, those that never asked too, and lets answers finish", () =>
    Effect.gen(function* () {
      const slow = App.make({
        home: Route.get("/", Response.text("home")),
        slow: Route.get("/slow", Effect.delay(Effect.succeed(Response.text("slow")), "200 millis"))
      })
      const { server, stop } = yield* start(slow, site())
      const [busy, idle, silent] = [yield* connect(server), yield* connect(server), yield* connect(server)]
      yield* idle.send(get("/"))
      yield* idle.answer()
      const asked = new Promise((resolve) => server.node.once("request", resolve))
      yield* busy.send(get("/slow"))
      yield* Effect.promise(() => asked)
      const stopping = yield* stop
      yield* idle.closed
      yield* silent.closed
      const answer = yield* busy.answer()
      assert.deepStrictEqual([answer.body.toString(), answer.headers.connection], ["slow", "close"])
      yield* Fiber.join(stopping)
      assert.strictEqual(server.connections(), 0)
    })
  )

  it.live("ends after a client of Node's that keeps its connections", () =>
    Effect.gen(function* () {
      const { server, stop } = yield* start(app, site())
      const agent = new Https.Agent({ keepAlive: true, rejectUnauthorized: false })
      yield* Effect.callback<void>((resume) => {
        Https.get(server.url, { agent }, (response) => response.resume().once("end", () => resume(Effect.void)))
      })
      yield* Fiber.join(yield* stop)
      agent.destroy()
    })
  )
})
