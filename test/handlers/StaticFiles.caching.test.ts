/**
 * For how long files may be kept: Cache-Control by pattern, by fingerprint and by version.
 *
 * @spec RFC 9111 §5.2.2; RFC 8246
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Response, Route, StaticFiles } from "effect-web"
import { served } from "effect-web/testing/Served"
import { hasFingerprint } from "../../src/internal/files/caching.ts"
import * as Folder from "../folder.ts"

const { ask, facts } = Folder
const immutable = "public, max-age=31536000, immutable"

const large = Folder.bytes(200_000)
const folder = Folder.make({
  "index.html": "<h1>home",
  "app.css": "p{}",
  "large.bin": large,
  "assets/index-BxY12abc.css": "hashed",
  "assets/logo.svg": "<svg/>",
  "old/page.html": "<p>old",
  "with space & more?.txt": "odd"
})

const make = (options: Partial<StaticFiles.Options>) =>
  App.make({ all: Route.mountHandler("/", StaticFiles.make({ root: folder.path, ...options })) })

const cases: ReadonlyArray<
  readonly [name: string, options: Partial<StaticFiles.Options>, wanted: Readonly<Record<string, string | undefined>>]
> = [
  ["nothing said", {}, { "/app.css": "no-cache", "/assets/index-BxY12abc.css": "no-cache" }],
  ["one value", { cacheControl: "max-age=60" }, { "/": "max-age=60", "/app.css": "max-age=60" }],
  [
    "patterns, of which the first that matches counts",
    { cacheControl: { "old/**": "no-store", "**/*.html": "max-age=1", "assets/*": "max-age=2" } },
    {
      "/": "max-age=1",
      "/old/page.html": "no-store",
      "/assets/logo.svg": "max-age=2",
      "/app.css": "no-cache"
    }
  ],
  [
    "a function",
    { cacheControl: (path) => (path === "assets/logo.svg" ? `max-age=${path.length}` : undefined) },
    { "/assets/logo.svg": "max-age=15", "/app.css": undefined }
  ],
  [
    "fingerprints",
    { fingerprints: true, cacheControl: { "**": "max-age=5" } },
    { "/assets/index-BxY12abc.css": immutable, "/assets/logo.svg": "max-age=5" }
  ]
]

describe("Cache-Control is by", () => {
  for (const [name, options, wanted] of cases) {
    served(name, make(options), (client) =>
      Effect.gen(function* () {
        for (const [path, value] of Object.entries(wanted)) {
          assert.deepStrictEqual(facts(yield* ask(client, path), "cache-control"), [200, value], path)
          const kept = yield* ask(client, path, { "if-none-match": "*" })
          assert.deepStrictEqual(facts(kept, "cache-control"), [304, value], path)
        }
        assert.strictEqual((yield* ask(client, "/nothing")).headers["cache-control"], undefined)
      })
    )
  }

  served("a function whose value no header can carry is a defect", make({ cacheControl: () => "a\nb" }), (client) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask(client, "/app.css")).status, 500)
    })
  )
})

describe("a fingerprint is", () => {
  it.each<[string, boolean]>([
    ["app.3f9a1c2b.js", true],
    ["index-BxY12abc.css", true],
    ["assets/index-DkEf_hG9.js", true],
    ["assets/index-B-x12abc.js.map", true],
    ["main.0a1b2c3d4e5f60718293.chunk.js", true],
    ["logo.d41d8cd98f00b204e9800998ecf8427e.svg", true],
    ["index.html", false],
    ["app.js", false],
    ["jquery-migrate.js", false],
    ["some-component.css", false],
    ["bootstrap-5.3.0.min.css", false],
    ["report-20240101.pdf", false],
    ["app.min.js", false],
    ["3f9a1c2b.js", false],
    ["3f9a1c2b/app.js", false],
    ["app.3f9a1c2b", false],
    ["app.1234567.js", false],
    // Words of people, who change what is in them: these would be out of date for a year.
    ["API-Overview.html", false],
    ["summer-vacation1.jpg", false],
    ["Release-Notes2024.pdf", false],
    ["cv-Ada-Lovelace2.pdf", false],
    ["bootstrap-5.3.0-alpha12.css", false],
    // Hashes that begin or end as words do.
    ["index-Dk3jqQab.js", true],
    ["index-XYQZ7FKL.js", true],
    ["index-abcdef12.js", true],
    ["index-D-x3Ab_c.js", true]
  ])("%s: %s", (name, wanted) => assert.strictEqual(hasFingerprint(name), wanted))
})

describe("a version", () => {
  const assets = StaticFiles.make({ root: folder.path, precompressed: true })
  const app = App.make({
    url: Route.get("/url/{path:.*}", ({ params }) =>
      Effect.map(assets.url("/static/", params.path), (url) => Response.text(url))
    ),
    assets: Route.mountHandler("/static", assets)
  })

  served("is a hash of the content in the URL, and what it names is immutable", app, (client) =>
    Effect.gen(function* () {
      for (const path of ["app.css", "large.bin"]) {
        const url = (yield* ask(client, `/url/${path}`)).body.toString()
        assert.match(url, new RegExp(`^/static/${path}\\?v=[\\w-]{22}$`))
        for (const method of ["GET", "HEAD"]) {
          assert.deepStrictEqual(facts(yield* ask(client, url, {}, method), "cache-control"), [200, immutable])
        }
        const range = yield* ask(client, url, { range: "bytes=0-1" })
        assert.deepStrictEqual(facts(range, "cache-control"), [206, immutable])
        const kept = yield* ask(client, url, { "if-none-match": "*" })
        assert.deepStrictEqual(facts(kept, "cache-control"), [304, immutable])
        const other = yield* ask(client, `/static/${path}?v=other`)
        assert.deepStrictEqual(facts(other, "cache-control"), [200, "no-cache"])
      }
    })
  )

  served("is another when the content is, and the old URL is not immutable any more", app, (client) =>
    Effect.gen(function* () {
      folder.write("changing.txt", "one")
      const first = (yield* ask(client, "/url/changing.txt")).body.toString()
      folder.write("changing.txt", "two")
      const second = (yield* ask(client, "/url/changing.txt")).body.toString()
      assert.notStrictEqual(first, second)
      assert.strictEqual((yield* ask(client, first)).headers["cache-control"], "no-cache")
      assert.strictEqual((yield* ask(client, second)).headers["cache-control"], immutable)
    })
  )

  served("stands in a URL that leads to the file, whatever its name", app, (client) =>
    Effect.gen(function* () {
      const name = "with space & more?.txt"
      const url = (yield* ask(client, `/url/${encodeURIComponent(name)}`)).body.toString()
      assert.match(url, /^\/static\/with%20space%20%26%20more%3F\.txt\?v=/)
      assert.strictEqual((yield* ask(client, url)).body.toString(), "odd")
    })
  )

  served("is left out for what is not served", app, (client) =>
    Effect.gen(function* () {
      for (const path of ["nothing.css", "assets", "", ".env", "../x"]) {
        const url = (yield* ask(client, `/url/${encodeURIComponent(path)}`)).body.toString()
        assert.notInclude(url, "?v=")
        assert.isTrue(url.startsWith("/static/"))
      }
    })
  )
})
