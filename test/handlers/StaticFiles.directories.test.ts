/**
 * What is answered where no file is: the fallback of a single-page app, and the listing of a directory.
 */
import * as Fs from "node:fs"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Response, Route, StaticFiles } from "effect-web"
import { served } from "effect-web/testing/Served"
import * as Folder from "../folder.ts"

const { ask, facts } = Folder

const html = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" }

describe("a fallback", () => {
  const folder = Folder.make({
    "index.html": "<h1>app",
    "assets/app.js": "script",
    "large.html": Folder.bytes(100_000)
  })
  const app = App.make({
    api: Route.get("/api/user", Response.json({ name: "Ada" })),
    large: Route.get("/large/{path:.*}", StaticFiles.make({ root: folder.path, fallback: "large.html" })),
    broken: Route.get("/broken/{path:.*}", StaticFiles.make({ root: folder.path, fallback: "nothing.html" })),
    spa: Route.get(
      "/{path:.*}",
      StaticFiles.make({
        root: folder.path,
        precompressed: true,
        fallback: { file: "index.html", exclude: ["api/**", "admin"] }
      })
    )
  })

  const rows: ReadonlyArray<readonly [path: string, accept: string | undefined, status: number]> = [
    ["/users/42", html.accept, 200],
    ["/users/42/", html.accept, 200],
    ["/users/42?tab=1.2", html.accept, 200],
    ["/v1.2/users", html.accept, 200],
    ["/assets", html.accept, 200],
    ["/assets/", html.accept, 200],
    ["/users", "text/html", 200],
    ["/users", "text/*", 200],
    ["/users", "TEXT/HTML", 200],
    // What scripts send
    ["/users", "*/*", 404],
    ["/users", undefined, 404],
    ["/users", "application/json", 404],
    ["/users", "text/html;q=0, */*", 404],
    ["/assets", "*/*", 403],
    // Files, and what is excluded
    ["/assets/gone.js", html.accept, 404],
    ["/users/photo.png", html.accept, 404],
    ["/api/nothing", html.accept, 404],
    ["/admin", html.accept, 404],
    ["/admin/users", html.accept, 200],
    ["/users//42", html.accept, 404],
    ["/.env", html.accept, 404],
    ["/%2e%2e%2fx", html.accept, 404]
  ]
  served("answers for pages that are not there, and for nothing else", app, (client) =>
    Effect.gen(function* () {
      for (const [path, accept, status] of rows) {
        for (const method of ["GET", "HEAD"]) {
          const got = yield* ask(client, path, accept === undefined ? {} : { accept }, method)
          assert.strictEqual(got.status, status, `${method} ${path} for ${accept}`)
          if (status !== 200) continue
          assert.deepStrictEqual(facts(got, "content-type", "vary"), [
            200,
            "text/html; charset=utf-8",
            "Accept-Encoding, Accept"
          ])
          assert.strictEqual(got.body.toString(), method === "GET" ? "<h1>app" : "")
        }
      }
    })
  )

  served("has validators and ranges, leaves other methods 405 and other routes alone", app, (client) =>
    Effect.gen(function* () {
      yield* Folder.settled
      const { headers } = yield* ask(client, "/users", html)
      assert.strictEqual((yield* ask(client, "/users", { ...html, "if-none-match": headers.etag ?? "" })).status, 304)
      assert.strictEqual((yield* ask(client, "/large/x", { ...html, range: "bytes=0-9" })).body.length, 10)
      assert.strictEqual((yield* ask(client, "/users", html, "POST")).status, 405)
      assert.strictEqual((yield* ask(client, "/api/user", html)).body.toString(), '{"name":"Ada"}')
      assert.strictEqual((yield* ask(client, "/assets/app.js", html)).body.toString(), "script")
      assert.strictEqual((yield* ask(client, "/", html)).headers.vary, "Accept-Encoding")
    })
  )

  served("that is not there is NotFound", app, (client) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask(client, "/broken/x", html)).status, 404)
    })
  )
})

describe("a listing", () => {
  const outside = Folder.make({ "secret.txt": "", "folder/a": "" })
  const evil = `<img src=x onerror="alert(1)">&'.txt`
  const folder = Folder.make({
    "b.txt": "b",
    "a #1?.txt": "a",
    [evil]: "e",
    "ü.txt": "u",
    ".hidden": "",
    "sub/index.html": "<h1>sub",
    "empty/.keep": ""
  })
  Fs.symlinkSync(outside.at("secret.txt"), folder.at("out.txt"))
  Fs.symlinkSync(outside.at("folder"), folder.at("out"))
  Fs.symlinkSync("b.txt", folder.at("link.txt"))
  Fs.symlinkSync("sub", folder.at("linked"))
  Fs.symlinkSync("nowhere", folder.at("dangling"))

  const list = (options: Partial<StaticFiles.Options>) =>
    StaticFiles.make({ root: folder.path, listing: true, ...options })
  const app = App.make({
    files: Route.mountHandler("/files", list({})),
    all: Route.mountHandler("/all", list({ dotfiles: true, followSymlinks: true, index: false })),
    spa: Route.mountHandler("/spa", list({ fallback: "sub/index.html" }))
  })

  const links = (body: Buffer) =>
    [...body.toString().matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)].map(([, href]) => href)

  served("shows directories, then files, escaped, and nothing that is not served", app, (client) =>
    Effect.gen(function* () {
      const got = yield* ask(client, "/files/")
      assert.deepStrictEqual(facts(got, "content-type", "cache-control"), [200, "text/html; charset=utf-8", "no-cache"])
      assert.deepStrictEqual(links(got.body), [
        "./empty/",
        "./linked/",
        "./sub/",
        "./%3Cimg%20src%3Dx%20onerror%3D%22alert(1)%22%3E%26&#39;.txt",
        "./a%20%231%3F.txt",
        "./b.txt",
        "./link.txt",
        "./%C3%BC.txt"
      ])
      const text = got.body.toString()
      assert.notInclude(text, "<img")
      assert.include(text, "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;.txt</a>")
      assert.include(text, "<title>Index of /files/</title>")
    })
  )

  served("leads to what it shows", app, (client) =>
    Effect.gen(function* () {
      const { body } = yield* ask(client, "/files/")
      for (const link of links(body)) {
        const { pathname } = new URL((link ?? "").replace("&#39;", "'"), "http://a/files/")
        assert.strictEqual((yield* ask(client, pathname)).status, 200, pathname)
      }
    })
  )

  served("of a directory below leads up, and is redirected to its slash", app, (client) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(links((yield* ask(client, "/files/empty/")).body), ["../"])
      assert.deepStrictEqual(facts(yield* ask(client, "/files/empty"), "location"), [301, "/files/empty/"])
      assert.deepStrictEqual(facts(yield* ask(client, "/files"), "location"), [301, "/files/"])
      assert.strictEqual((yield* ask(client, "/files/sub/")).body.toString(), "<h1>sub")
    })
  )

  served("shows what the options allow", app, (client) =>
    Effect.gen(function* () {
      const found = links((yield* ask(client, "/all/")).body)
      for (const name of ["./out/", "./out.txt", "./.hidden"]) assert.include(found, name)
      assert.notInclude(found, "./dangling")
      assert.deepStrictEqual(links((yield* ask(client, "/all/sub/")).body), ["../", "./index.html"])
    })
  )

  served("comes before a fallback, is of no link that leads outside, and HEAD has its headers", app, (client) =>
    Effect.gen(function* () {
      assert.include((yield* ask(client, "/spa/empty/", html)).body.toString(), "Index of")
      assert.strictEqual((yield* ask(client, "/files/out/")).status, 404)
      const full = yield* ask(client, "/files/")
      const head = yield* ask(client, "/files/", {}, "HEAD")
      assert.deepStrictEqual([head.body.length, head.headers["content-length"]], [0, full.headers["content-length"]])
    })
  )
})
