/**
 * Compressed siblings of files: chosen by the client, with what they say of themselves.
 *
 * @spec RFC 9110 §8.4, §12.5.3, §12.5.5
 */
import * as Fs from "node:fs"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Compression, Response, Route, StaticFiles } from "effect-web"
import { served } from "effect-web/testing/Served"
import * as Folder from "../folder.ts"

const { ask, facts } = Folder

const folder = Folder.make()
const now = 1_700_000_000
const large = Folder.bytes(200_000)
const files: ReadonlyArray<readonly [name: string, content: string | Uint8Array, modified: number]> = [
  ["app.css", "plain css ".repeat(200), now],
  ["app.css.br", "br of css", now],
  ["app.css.zst", "zst of css", now + 5],
  ["app.css.gz", "gz of css", now],
  ["only.js", "plain js ".repeat(200), now],
  ["only.js.gz", "gz of js", now],
  ["stale.txt", "edited", now + 10],
  ["stale.txt.gz", "gz of what it was", now],
  ["same-second.txt", "plain", now + 0.9],
  ["same-second.txt.gz", "gz", now],
  ["large.json", large, now],
  ["large.json.br", large.subarray(0, 100_000), now],
  ["plain.txt", "plain text ".repeat(200), now],
  ["orphan.txt.gz", "nothing to stand in for", now]
]
for (const [name, content, modified] of files) folder.write(name, content, modified)
folder.write("directory.txt", "plain", now)
folder.write("directory.txt.gz/file", "")

const outside = Folder.make({ "secret.txt": "of nobody's business" })
for (const name of ["led.txt", "kept.txt"]) folder.write(name, "plain", now)
Fs.symlinkSync(outside.at("secret.txt"), folder.at("led.txt.br"))
Fs.symlinkSync("only.js.gz", folder.at("led.txt.gz"))
Fs.symlinkSync(outside.at("secret.txt"), folder.at("kept.txt.br"))

const app = App.make({
  gzip: Route.mountHandler("/gzip", StaticFiles.make({ root: folder.path, precompressed: ["gzip"] })),
  none: Route.mountHandler("/none", StaticFiles.make({ root: folder.path })),
  rooted: Route.get("/rooted", Response.file("led.txt", { root: folder.path, precompressed: true })),
  follows: Route.mountHandler(
    "/follows",
    StaticFiles.make({ root: folder.path, precompressed: true, followSymlinks: true })
  ),
  file: Route.get("/file", Response.file(folder.at("app.css"), { precompressed: true, headers: { vary: "Cookie" } })),
  files: Route.mountHandler("/", StaticFiles.make({ root: folder.path, precompressed: true }))
})

const rows: ReadonlyArray<
  readonly [path: string, accept: string | undefined, coding: string | undefined, body: string]
> = [
  ["/app.css", "br, gzip, zstd", "br", "br of css"],
  ["/app.css", "gzip, deflate, br, zstd", "br", "br of css"],
  ["/app.css", "gzip, zstd", "zstd", "zst of css"],
  ["/app.css", "gzip;q=1, br;q=0.5", "gzip", "gz of css"],
  ["/app.css", "gzip;q=0.5, br;q=0", "gzip", "gz of css"],
  ["/app.css", "x-gzip", "gzip", "gz of css"],
  ["/app.css", "*", "br", "br of css"],
  ["/app.css", "*;q=0.1, br;q=0", "zstd", "zst of css"],
  ["/app.css", undefined, undefined, "plain css"],
  ["/app.css", "identity", undefined, "plain css"],
  ["/app.css", "identity, gzip;q=0.5", undefined, "plain css"],
  ["/app.css", "deflate", undefined, "plain css"],
  ["/app.css", "gzip;q=0", undefined, "plain css"],
  ["/app.css", "gzipped", undefined, "plain css"],
  ["/app.css", "", undefined, "plain css"],
  ["/only.js", "br, zstd, gzip", "gzip", "gz of js"],
  ["/only.js", "br, zstd", undefined, "plain js"],
  ["/stale.txt", "gzip", undefined, "edited"],
  ["/same-second.txt", "gzip", "gzip", "gz"],
  ["/directory.txt", "gzip", undefined, "plain"],
  ["/plain.txt", "br, gzip", undefined, "plain text"],
  ["/gzip/app.css", "br, gzip", "gzip", "gz of css"],
  // A link that leads outside stands in for nothing, one that stays inside does.
  ["/led.txt", "br, gzip", "gzip", "gz of js"],
  ["/kept.txt", "br, gzip", undefined, "plain"],
  ["/rooted", "br, gzip", "gzip", "gz of js"],
  ["/follows/led.txt", "br, gzip", "br", "of nobody's business"],
  ["/file", "br", "br", "br of css"]
]

describe("the client's favourite of what is there is sent", () => {
  for (const [path, accept, coding, body] of rows) {
    served(`${path} for ${accept === undefined ? "nothing" : `"${accept}"`}`, app, (client) =>
      Effect.gen(function* () {
        const headers = accept === undefined ? {} : { "accept-encoding": accept }
        for (const _ of [1, 2]) {
          const got = yield* ask(client, path, headers)
          assert.deepStrictEqual(facts(got, "content-encoding"), [200, coding])
          assert.isTrue(got.body.toString().startsWith(body))
          assert.include((got.headers.vary ?? "").split(", "), "Accept-Encoding")
          assert.strictEqual(got.headers["content-length"], String(got.body.length))
        }
      })
    )
  }
})

served("a sibling has the type of the original, and a tag and a date of its own", app, (client) =>
  Effect.gen(function* () {
    const plain = yield* ask(client, "/app.css")
    const coded = yield* ask(client, "/app.css", { "accept-encoding": "zstd" })
    assert.strictEqual(coded.headers["content-type"], "text/css; charset=utf-8")
    assert.strictEqual(plain.headers["content-type"], "text/css; charset=utf-8")
    assert.notStrictEqual(coded.headers.etag, plain.headers.etag)
    assert.notStrictEqual(coded.headers["last-modified"], plain.headers["last-modified"])
  })
)

served("a 304 says what it varies by, and has no coding", app, (client) =>
  Effect.gen(function* () {
    const accept = { "accept-encoding": "br" }
    const { headers } = yield* ask(client, "/app.css", accept)
    const got = yield* ask(client, "/app.css", { ...accept, "if-none-match": headers.etag ?? "" })
    assert.deepStrictEqual(facts(got, "vary", "etag", "content-encoding"), [
      304,
      "Accept-Encoding",
      headers.etag,
      undefined
    ])
    assert.strictEqual((yield* ask(client, "/app.css", { "if-none-match": headers.etag ?? "" })).status, 200)
  })
)

served("ranges are those of the sibling", app, (client) =>
  Effect.gen(function* () {
    const got = yield* ask(client, "/app.css", { "accept-encoding": "br", range: "bytes=0-1" })
    assert.deepStrictEqual(facts(got, "content-range", "content-encoding"), [206, "bytes 0-1/9", "br"])
    const long = yield* ask(client, "/large.json", { "accept-encoding": "br", range: "bytes=99990-" })
    assert.deepStrictEqual(facts(long, "content-range", "content-encoding", "content-type"), [
      206,
      "bytes 99990-99999/100000",
      "br",
      "application/json"
    ])
    assert.isTrue(long.body.equals(large.subarray(99_990, 100_000)))
  })
)

served("a sibling may be asked for by its own name, and needs its original to stand in for it", app, (client) =>
  Effect.gen(function* () {
    const own = yield* ask(client, "/only.js.gz", { "accept-encoding": "gzip" })
    assert.deepStrictEqual(facts(own, "content-type", "content-encoding"), [200, "application/gzip", undefined])
    assert.strictEqual((yield* ask(client, "/orphan.txt", { "accept-encoding": "gzip" })).status, 404)
  })
)

served("without the option there is no sibling and no Vary", app, (client) =>
  Effect.gen(function* () {
    const got = yield* ask(client, "/none/app.css", { "accept-encoding": "br" })
    assert.deepStrictEqual(facts(got, "content-encoding", "vary"), [200, undefined, undefined])
  })
)

served("Vary is added to the one that is given", app, (client) =>
  Effect.gen(function* () {
    assert.strictEqual((yield* ask(client, "/file")).headers.vary, "Cookie, Accept-Encoding")
  })
)

const compressed = app.pipe(App.use(Compression.make({ minSize: 10 })))

served(
  "the middleware that compresses leaves siblings and ranges alone, and compresses the rest",
  compressed,
  (client) =>
    Effect.gen(function* () {
      const accept = { "accept-encoding": "gzip" }
      const sibling = yield* ask(client, "/app.css", accept)
      assert.deepStrictEqual([sibling.headers["content-encoding"], sibling.body.toString()], ["gzip", "gz of css"])
      const range = yield* ask(client, "/plain.txt", { ...accept, range: "bytes=0-999" })
      assert.deepStrictEqual(facts(range, "content-encoding", "content-range"), [206, undefined, "bytes 0-999/2200"])
      const rest = yield* ask(client, "/plain.txt", accept)
      assert.deepStrictEqual(facts(rest, "content-encoding", "vary"), [200, "gzip", "Accept-Encoding"])
      const { etag = "" } = rest.headers
      assert.match(etag, /^W\//)
      assert.strictEqual((yield* ask(client, "/plain.txt", { ...accept, "if-none-match": etag })).status, 304)
      const head = yield* ask(client, "/plain.txt", accept, "HEAD")
      assert.deepStrictEqual([head.headers.etag, head.headers["content-encoding"]], [etag, "gzip"])
    })
)

describe("a change of a sibling, or of its original, is seen by the next request", () => {
  const changing = Folder.make()
  const one = App.make({
    all: Route.mountHandler("/", StaticFiles.make({ root: changing.path, precompressed: true }))
  })
  served("", one, (client) =>
    Effect.gen(function* () {
      const body = Effect.map(ask(client, "/a.txt", { "accept-encoding": "gzip" }), (got) => got.body.toString())
      changing.write("a.txt", "one", now)
      assert.strictEqual(yield* body, "one")
      changing.write("a.txt.gz", "gz of one", now)
      yield* Folder.settled
      assert.strictEqual(yield* body, "gz of one")
      assert.strictEqual(yield* body, "gz of one")
      changing.write("a.txt", "two", now + 1)
      assert.strictEqual(yield* body, "two")
      changing.write("a.txt.gz", "gz of two", now + 1)
      assert.strictEqual(yield* body, "gz of two")
      changing.remove("a.txt.gz")
      assert.strictEqual(yield* body, "two")
      changing.remove("a.txt")
      assert.strictEqual((yield* ask(client, "/a.txt")).status, 404)
    })
  )
})
