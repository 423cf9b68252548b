/**
 * Files under other engines: with Effect's own FileSystem, under the web standard and under Effect's server.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import { App, Response, Route, StaticFiles } from "effect-web"
import * as Folder from "../folder.ts"

const large = Folder.bytes(200_000)
const folder = Folder.make({
  "index.html": "<h1>home",
  "file.txt": "file",
  "file.txt.gz": "gz of file",
  "large.bin": large,
  "sub/a.txt": "a",
  "secret/.env": "password"
})
const files = StaticFiles.make({ root: folder.path, precompressed: true, listing: true })

type Expected = readonly [
  path: string,
  headers: Readonly<Record<string, string>>,
  status: number,
  body: string | Uint8Array | undefined
]
const rows: ReadonlyArray<Expected> = [
  ["/static/file.txt", {}, 200, "file"],
  ["/static/file.txt", {}, 200, "file"],
  ["/static/file.txt", { "accept-encoding": "gzip", "if-match": "*", range: "bytes=0-1" }, 206, "gz"],
  ["/static/file.txt", { "if-none-match": "*" }, 304, ""],
  ["/static/file.txt", { "if-match": '"x"' }, 412, undefined],
  ["/static/file.txt", { range: "bytes=9-" }, 416, undefined],
  ["/static/", {}, 200, "<h1>home"],
  ["/static/sub", {}, 301, ""],
  ["/static/sub/", {}, 200, undefined],
  ["/static/large.bin", {}, 200, large],
  ["/static/large.bin", { range: "bytes=100-199" }, 206, large.subarray(100, 200)],
  ["/static/large.bin", { range: "bytes=0-9,150000-150009" }, 206, undefined],
  ["/static/nothing", {}, 404, undefined],
  ["/static/file.txt/x", {}, 404, undefined],
  [`/static/${"x".repeat(300)}`, {}, 404, undefined],
  ["/static/secret/.env", {}, 404, undefined],
  ["/static/%2e%2e%2fx", {}, 404, undefined],
  ["/report", {}, 200, large]
]

const appOf = (provided: Effect.Effect<FileSystem.FileSystem>) =>
  App.make({
    assets: Route.mountHandler("/static", Effect.provideServiceEffect(files, FileSystem.FileSystem, provided)),
    report: Route.get(
      "/report",
      Effect.provideServiceEffect(Response.file(folder.at("large.bin")), FileSystem.FileSystem, provided)
    ),
    url: Route.get(
      "/url",
      Effect.provideServiceEffect(files.url("/static", "large.bin"), FileSystem.FileSystem, provided).pipe(
        Effect.map((url) => Response.text(url))
      )
    )
  })

const fileSystem = Effect.provide(FileSystem.FileSystem, NodeFileSystem.layer)

const same = (body: Uint8Array, wanted: string | Uint8Array) =>
  Buffer.from(body).equals(typeof wanted === "string" ? Buffer.from(wanted) : wanted)

describe("under the web standard, with Effect's FileSystem", () => {
  const handle = App.toWebHandler(appOf(fileSystem))
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
    Effect.promise(async () => {
      const response = await handle(new Request(`http://a.test${path}`, { headers, method, redirect: "manual" }))
      return { response, body: Buffer.from(await response.arrayBuffer()) }
    })

  it.live("files, ranges and conditions are answered as anywhere", () =>
    Effect.gen(function* () {
      for (const [path, headers, status, wanted] of rows) {
        const { body, response } = yield* ask(path, headers)
        assert.strictEqual(response.status, status, path)
        if (wanted !== undefined) assert.isTrue(same(body, wanted), path)
      }
      const head = yield* ask("/static/large.bin", {}, "HEAD")
      assert.deepStrictEqual([head.response.headers.get("content-length"), head.body.length], ["200000", 0])
      assert.match((yield* ask("/url")).body.toString(), /^\/static\/large\.bin\?v=[\w-]{22}$/)
    })
  )

  it.live("a body that is not read to its end is let go", () =>
    Effect.gen(function* () {
      const response = yield* Effect.promise(() => handle(new Request("http://a.test/static/large.bin")))
      const reader = response.body!.getReader()
      const { value } = yield* Effect.promise(() => reader.read())
      assert.isAbove(value?.length ?? 0, 0)
      yield* Effect.promise(() => reader.cancel())
    })
  )
})

describe("under Effect's own server", () => {
  it.effect("files, ranges and conditions are answered as anywhere", () =>
    Effect.gen(function* () {
      yield* Layer.build(HttpServer.serve(App.toHandler(appOf(fileSystem))))
      for (const [path, headers, status, wanted] of rows) {
        // This client decodes what it gets and follows redirects: these are for the other test.
        if (headers["accept-encoding"] !== undefined || status === 301) continue
        const response = yield* HttpClient.get(path, { headers: { ...headers, "accept-encoding": "identity" } })
        const body = new Uint8Array(yield* response.arrayBuffer)
        assert.strictEqual(response.status, status, path)
        if (wanted !== undefined) assert.isTrue(same(body, wanted), path)
      }
    }).pipe(Effect.provide(NodeHttpServer.layerTest))
  )
})

describe("where there is no file system, that is a defect which names the cure", () => {
  for (const [name, handler] of [
    ["of StaticFiles", files],
    ["of Response.file", Response.file("x")]
  ] as const) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const request = HttpServerRequest.fromWeb(new Request("http://a.test/file.txt"))
        const exit = yield* Effect.exit(Effect.provideService(handler, HttpServerRequest.HttpServerRequest, request))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        const text = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
        assert.include(text, "There is no file system: this engine has none of its own. Provide Effect's FileSystem")
      }).pipe(Effect.scoped)
    )
  }
})
