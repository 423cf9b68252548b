/**
 * The modules of the library over HTTP/2: uploads, proxies, sessions, files, codings, problems, policies, events.
 */
import * as Fs from "node:fs"
import type * as Http2 from "node:http2"
import * as Zlib from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as App from "../../../src/App.ts"
import * as Body from "../../../src/Body.ts"
import * as Proxy from "../../../src/handlers/Proxy.ts"
import * as StaticFiles from "../../../src/handlers/StaticFiles.ts"
import * as Multipart from "../../../src/Multipart.ts"
import * as Compression from "../../../src/middleware/Compression.ts"
import * as TrustedProxies from "../../../src/middleware/TrustedProxies.ts"
import * as Request from "../../../src/Request.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Sealed from "../../../src/Sealed.ts"
import * as Session from "../../../src/Session.ts"
import * as Folder from "../../folder.ts"
import { upstream } from "../../handlers/upstream.ts"
import { recorder } from "../both.ts"
import { start } from "../started.ts"
import { ask, post, session, test } from "./client.ts"

describe("what a request says, over HTTP/2", () => {
  const says = Effect.gen(function* () {
    const { href } = yield* Request.url
    const all = [href, yield* Request.protocol, yield* Request.host, yield* Request.remote]
    return Response.json([...all, yield* Request.hasBody])
  })
  const app = App.make({ says: Route.any("/says", says) })
  test("is what it says over HTTP/1.1", app, (client) =>
    Effect.gen(function* () {
      const { body } = yield* ask(client, { ":path": "/says?a=b", ":authority": "shop.example:81" })
      const wanted = ["http://shop.example:81/says?a=b", "http", "shop.example:81", "127.0.0.1", false]
      assert.deepStrictEqual(JSON.parse(String(body)), wanted)
      const { body: other } = yield* ask(client, { ...post("/says"), ":authority": "shop.example" }, "body")
      assert.isTrue(JSON.parse(String(other))[4])
    })
  )
  test("is what a trusted proxy says", app.pipe(App.use(TrustedProxies.make({ trusted: ["127.0.0.1"] }))), (client) =>
    Effect.gen(function* () {
      const forwarded = {
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "b.example"
      }
      const { body } = yield* ask(client, { ":path": "/says", ...forwarded })
      assert.deepStrictEqual(JSON.parse(String(body)).slice(0, 4), [
        "https://b.example/says",
        "https",
        "b.example",
        "192.0.2.1"
      ])
    })
  )
})

describe("uploads over HTTP/2", () => {
  const folder = Folder.make()
  const save = Effect.gen(function* () {
    const parts = yield* Multipart.readerWith({ limit: "10 MiB" })
    const name = yield* parts.field("name")
    const size = yield* (yield* parts.file("file")).saveTo(folder.at("saved.bin"))
    return Response.text(`${name} ${size}`)
  })
  const read = Effect.map(Body.bytes(), ({ length }) => Response.text(String(length)))
  const app = App.make({
    save: Route.post("/save", save),
    read: Route.post("/read", read).pipe(Route.bodyLimit("100 KiB"))
  })
  const bytes = Folder.bytes(3_000_000)
  const form = Buffer.concat([
    Buffer.from('--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'),
    Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'),
    bytes,
    Buffer.from("\r\n--b--\r\n")
  ])
  test("a file of a form is saved as it was", app, (client) =>
    Effect.gen(function* () {
      const type = { "content-type": "multipart/form-data; boundary=b" }
      const { body, status } = yield* ask(client, { ...post("/save"), ...type }, form)
      assert.deepStrictEqual([status, String(body)], [200, "Ada 3000000"])
      assert.isTrue(Fs.readFileSync(folder.at("saved.bin")).equals(bytes))
    })
  )
  test("above the limit they are 413 while they come, and the session goes on", app, (client) =>
    Effect.gen(function* () {
      const { body, code, status } = yield* ask(client, post("/read"), Buffer.alloc(2_000_000))
      assert.deepStrictEqual([status, JSON.parse(String(body))._tag, code], [413, "ContentTooLarge", 0])
      const stated = yield* ask(client, { ...post("/read"), "content-length": 2_000_000 }, Buffer.alloc(2_000_000))
      assert.deepStrictEqual([stated.status, stated.code], [413, 0])
      assert.strictEqual(String((yield* ask(client, post("/read"), Buffer.alloc(100_000))).body), "100000")
    })
  )
  test("an empty one that ends late is empty", app, (client) =>
    Effect.gen(function* () {
      assert.strictEqual(String((yield* ask(client, post("/read"), "")).body), "0")
    })
  )
})

describe("a proxy in front of HTTP/1.1, over HTTP/2", () => {
  const proxied = Effect.fnUntraced(function* () {
    const server = yield* upstream((request, response) => {
      if (request.url === "/break") {
        response.writeHead(200, { "content-length": "10" })
        response.write("half")
        setTimeout(() => response.destroy(), 20)
        return
      }
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const { headers, url } = request
        const fields = { "content-type": "application/json", connection: "keep-alive", "set-cookie": ["a=1", "b=2"] }
        response.writeHead(201, fields)
        response.end(JSON.stringify({ url, headers, size: Buffer.concat(chunks).length }))
      })
    })
    const all = Proxy.make({ upstream: server.url })
    const { server: front } = yield* start(App.make({ all: Route.any("/{path:.*}", all) }), { h2c: true })
    return yield* session(front)
  })
  it.live("requests, answers and bodies pass, and the fields of either side's connection do not", () =>
    Effect.gen(function* () {
      const client = yield* proxied()
      const fields = { ...post("/a?b=c"), ":authority": "front.example", te: "trailers", cookie: ["x=1", "y=2"] }
      const { body, headers, status } = yield* ask(client, fields, Buffer.alloc(1_500_000))
      const seen = JSON.parse(String(body))
      assert.deepStrictEqual([status, seen.url, seen.size], [201, "/a?b=c", 1_500_000])
      assert.deepStrictEqual(headers["set-cookie"], ["a=1", "b=2"])
      assert.notProperty(headers, "connection")
      assert.notProperty(headers, "transfer-encoding")
      assert.notProperty(seen.headers, "te")
      assert.deepStrictEqual(
        [seen.headers.cookie, seen.headers["x-forwarded-host"], seen.headers["x-forwarded-proto"]],
        ["x=1; y=2", "front.example", "http"]
      )
      assert.match(seen.headers.via, /^2\.0 /)
    }).pipe(Effect.scoped)
  )
  it.live("an answer that breaks off is reset", () =>
    Effect.gen(function* () {
      const client = yield* proxied()
      const { body, code, status } = yield* ask(client, { ":path": "/break" })
      assert.deepStrictEqual([status, String(body), code], [200, "half", 2])
    }).pipe(Effect.scoped, Effect.provide(recorder().layer))
  )
})

describe("sessions over HTTP/2", () => {
  class Visit extends Session.Service<Visit>()("Visit", { fields: { count: Schema.Int }, empty: { count: 0 } }) {}
  const count = Effect.gen(function* () {
    const { count } = yield* (yield* Visit).update(({ count }) => ({ count: count + 1 }))
    return Response.text(String(count))
  })
  const store = Session.cookie({ keys: Sealed.keys("0123456789abcdef0123456789abcdef") })
  const app = App.make({ count: Route.get("/", count) }).pipe(App.use(Session.make(Visit, { store })))
  test("are kept in cookies, whole or in pieces", app, (client) =>
    Effect.gen(function* () {
      const first = yield* ask(client, { ":path": "/" })
      const [cookie = ""] = String(first.headers["set-cookie"]).split(";")
      const second = yield* ask(client, { ":path": "/", cookie: ["other=1", cookie] })
      assert.deepStrictEqual([String(first.body), String(second.body)], ["1", "2"])
    })
  )
})

describe("files and codings over HTTP/2", () => {
  const text = "line\n".repeat(10_000)
  const folder = Folder.make({ "a.txt": text, "b.bin": Folder.bytes(300_000) })
  const app = App.make({
    files: Route.mountHandler("/files", StaticFiles.make({ root: folder.path })),
    text: Route.get("/text", Response.text(text))
  }).pipe(App.use(Compression.make()))
  test("ranges, several of them, and what has not changed", app, (client) =>
    Effect.gen(function* () {
      const get = (headers: Http2.OutgoingHttpHeaders) => ask(client, { ":path": "/files/b.bin", ...headers })
      const whole = yield* get({})
      assert.isTrue(whole.body.equals(Folder.bytes(300_000)))
      const range = yield* get({ range: "bytes=-100" })
      assert.deepStrictEqual([range.status, range.headers["content-range"]], [206, "bytes 299900-299999/300000"])
      assert.isTrue(range.body.equals(whole.body.subarray(-100)))
      const several = yield* get({ range: "bytes=0-1,1000-1001" })
      assert.match(String(several.headers["content-type"]), /^multipart\/byteranges/)
      assert.strictEqual(several.body.length, Number(several.headers["content-length"]))
      assert.strictEqual((yield* get({ range: "bytes=400000-" })).status, 416)
      for (const name of ["if-none-match", "if-modified-since"]) {
        const value = whole.headers[name === "if-none-match" ? "etag" : "last-modified"]
        const same = yield* get({ [name]: String(value) })
        assert.deepStrictEqual([same.status, same.body.length], [304, 0])
      }
      const head = yield* get({ ":method": "HEAD" })
      assert.deepStrictEqual([head.headers["content-length"], head.body.length], ["300000", 0])
    })
  )
  test("text is compressed, and a range of it is not", app, (client) =>
    Effect.gen(function* () {
      for (const path of ["/text", "/files/a.txt"]) {
        const { body, headers } = yield* ask(client, { ":path": path, "accept-encoding": "gzip" })
        assert.deepStrictEqual([headers["content-encoding"], String(Zlib.gunzipSync(body))], ["gzip", text])
      }
      const range = yield* ask(client, { ":path": "/files/a.txt", "accept-encoding": "gzip", range: "bytes=0-3" })
      assert.deepStrictEqual([range.status, String(range.body)], [206, "line"])
    })
  )
})
