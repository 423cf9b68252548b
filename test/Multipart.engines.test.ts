/**
 * Multipart bodies under other engines, and beside what Node's engine does with a body that is not read to its end.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Zlib from "node:zlib"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as Body from "../src/Body.ts"
import type * as Handler from "../src/Handler.ts"
import * as Multipart from "../src/Multipart.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { body, field, file, type } from "./multiparts.ts"
import { both, get } from "./server/both.ts"

const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-web-test-"))
afterAll(() => Fs.rmSync(folder, { recursive: true }))
const target = Path.join(folder, "saved")

const upload = Effect.gen(function* () {
  const parts = yield* Multipart.readerWith({ limit: "2 MiB" })
  const name = yield* parts.field("name")
  const size = yield* (yield* parts.file("file")).saveTo(target)
  return Response.text(`${name} ${size}`)
})

const form = Effect.gen(function* () {
  const { file, name } = yield* Multipart.form(Schema.Struct({ name: Schema.String, file: Multipart.File }))
  return Response.text(`${name} ${file.filename} ${yield* file.text}`)
})

const fields = Effect.map(Multipart.form(Schema.Struct({ name: Schema.String })), ({ name }) => Response.text(name))

const routes = {
  upload: Route.post("/upload", upload),
  form: Route.post("/form", form),
  fields: Route.post("/fields", fields)
}

/** A form as a browser makes it. */
const data = (content: string): FormData => {
  const data = new FormData()
  data.append("name", 'Ä "x"')
  data.append("file", new Blob([content], { type: "text/plain" }), 'é "1".txt')
  return data
}

const large = "0123456789".repeat(150_000)

describe("under the web standard", () => {
  // What writes files asks for the services of the platform when it runs
  const provided = <E, R>(handler: Handler.Handler<E, R>) => Effect.provide(handler, NodeServices.layer)
  const app = App.make({
    upload: Route.post("/upload", provided(upload)),
    form: Route.post("/form", provided(form)),
    fields: Route.post("/fields", fields)
  })
  const handler = App.toWebHandler(app)
  const ask = (path: string, body: BodyInit) =>
    Effect.promise(async () => {
      const answer = await handler(new Request(`http://a${path}`, { method: "POST", body }))
      return `${answer.status} ${await answer.text()}`
    })

  it.effect("a form is read, and files that it does not name need no file system", () =>
    Effect.map(ask("/fields", data("x")), (answer) => assert.strictEqual(answer, '200 Ä "x"'))
  )
  it.effect("a form with files is read", () =>
    Effect.map(ask("/form", data("content")), (answer) => assert.strictEqual(answer, '200 Ä "x" é "1".txt content'))
  )
  it.effect("parts are read as they arrive", () =>
    Effect.map(ask("/upload", data(large)), (answer) => {
      assert.strictEqual(answer, `200 Ä "x" ${large.length}`)
      assert.strictEqual(Fs.readFileSync(target, "utf8"), large)
    })
  )
  it.effect("limits hold", () =>
    Effect.map(ask("/upload", data(large + large)), (answer) => assert.match(answer, /^413 .*2097152 bytes/))
  )
})

it.live("under Effect's own server forms are read and files stored", () =>
  Effect.gen(function* () {
    yield* HttpServer.serveEffect(App.toHandler(App.make(routes)))
    const post = (path: string, content: string) =>
      Effect.flatMap(
        HttpClient.execute(HttpClientRequest.post(path).pipe(HttpClientRequest.bodyFormData(data(content)))),
        (answer) => Effect.map(answer.text, (text) => `${answer.status} ${text}`)
      )
    assert.strictEqual(yield* post("/form", "content"), '200 Ä "x" é "1".txt content')
    assert.strictEqual(yield* post("/upload", large), `200 Ä "x" ${large.length}`)
    assert.strictEqual(Fs.readFileSync(target, "utf8"), large)
  }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(NodeHttpServer.layerTest, NodeServices.layer)))
)

const first = Effect.gen(function* () {
  const parts = yield* Multipart.reader
  return Response.text(yield* parts.field("name"))
})

const app = App.make({
  ...routes,
  probe: Route.get("/probe", Response.text("probe")),
  first: Route.post("/first", first),
  unread: Route.post("/unread", Effect.as(Multipart.reader, Response.text("unread"))),
  signed: Route.post(
    "/signed",
    Effect.flatMap(Body.bytes(), ({ length }) =>
      Effect.map(form, (answer) => Response.setHeader(answer, "x-length", String(length)))
    )
  ),
  twice: Route.post("/twice", Effect.andThen(first, first)),
  echo: Route.post(
    "/echo",
    Effect.gen(function* () {
      const parts = yield* Multipart.reader
      yield* parts.field("name")
      return Response.stream((yield* parts.file("file")).stream)
    })
  )
})

const post = (path: string, content: string, bytes = body([field("name", "N"), file("file", "f", content)])) =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n\r\n${bytes}`

describe("on Node", () => {
  both("a body that is not read to its end leaves its connection in order", app, ({ wire }) =>
    Effect.gen(function* () {
      for (const path of ["/first", "/unread", "/first"]) {
        yield* wire.send(post(path, "x".repeat(200_000)))
        assert.strictEqual((yield* wire.answer()).body.toString(), path === "/first" ? "N" : "unread")
      }
      yield* wire.send(get("/probe"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "probe")
    })
  )
  both("a part is sent back as it comes", app, ({ wire }) =>
    Effect.gen(function* () {
      const content = "0123456789".repeat(90_000)
      yield* wire.send(post("/echo", content))
      assert.isTrue((yield* wire.answer()).body.toString() === content)
    })
  )
  both("a body that was read whole before is read again as multipart", app, ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(post("/signed", "content"))
      const { body, headers } = yield* wire.answer()
      assert.deepStrictEqual([body.toString(), headers["x-length"]], ["N f content", "137"])
    })
  )
  both("a body that is read twice part by part is a defect, not a wait", app, ({ logs, wire }) =>
    Effect.gen(function* () {
      yield* wire.send(post("/twice", "content"))
      assert.strictEqual((yield* wire.answer()).status, 500)
      assert.deepStrictEqual(logs, ["Error The handler died (POST /twice)"])
    })
  )
  both("a compressed body is read, its limit counted when decompressed", app, ({ wire }) =>
    Effect.gen(function* () {
      for (const [content, status] of [
        ["x".repeat(1_000_000), 200],
        ["x".repeat(2_000_000), 413]
      ] as const) {
        const bytes = Zlib.gzipSync(body([field("name", "N"), file("file", "f", content)]))
        yield* wire.send(
          `POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`
        )
        yield* wire.send(bytes)
        assert.strictEqual((yield* wire.answer()).status, status)
      }
    })
  )
  both("a compressed body that is broken is 400, an unknown coding 415", app, ({ connect, wire }) =>
    Effect.gen(function* () {
      const bytes = Zlib.gzipSync(body([field("name", "N"), file("file", "f", "content".repeat(1000))]))
      bytes[20] = 0xff
      const head = (coding: string) =>
        `POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bytes.length}\r\n\r\n`
      yield* wire.send(head("gzip"))
      yield* wire.send(bytes)
      assert.strictEqual((yield* wire.answer()).status, 400)
      const other = yield* connect
      yield* other.send(head("klingon"))
      yield* other.send(bytes)
      assert.strictEqual((yield* other.answer()).status, 415)
    })
  )
})
