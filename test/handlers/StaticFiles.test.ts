/**
 * Files below a directory: which are served, which are not, and how a directory is answered.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import { pathToFileURL } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { App, Response, Route, StaticFiles } from "effect-web"
import { served } from "effect-web/testing/Served"
import * as Testing from "effect-web/testing/Testing"
import * as Folder from "../folder.ts"
import { both, get } from "../server/both.ts"

const { ask } = Folder

const outside = Folder.make({ "secret.txt": "secret", "folder/deep.txt": "deep" })
const folder = Folder.make({
  "index.html": "<h1>home",
  "file.txt": "file",
  "large.bin": Folder.bytes(200_000),
  "css/app.css": "p{}",
  "docs/index.html": "<h1>docs",
  "docs/page.html": "<p>page",
  "none/a.txt": "a",
  "café & co/ü+%.txt": "odd",
  ".env": "password",
  ".git/config": "config",
  "css/.hidden": "hidden",
  ".well-known/security.txt": "contact",
  "a..b.txt": "dots",
  "~tilde": "tilde",
  "con:colon": "colon"
})
execFileSync("mkfifo", [folder.at("fifo")])
Fs.symlinkSync(folder.at("file.txt"), folder.at("inside.txt"))
Fs.symlinkSync("css", folder.at("styles"))
Fs.symlinkSync(outside.at("secret.txt"), folder.at("out.txt"))
Fs.symlinkSync(outside.at("folder"), folder.at("out"))
Fs.symlinkSync(folder.at("loop"), folder.at("loop"))
Fs.symlinkSync(folder.at("nowhere"), folder.at("dangling"))

const app = App.make({
  home: Route.get("/", Response.text("the app")),
  mounted: Route.mountHandler("/static", StaticFiles.make({ root: folder.path })),
  routed: Route.get("/files/{path:.*}", StaticFiles.make({ root: pathToFileURL(folder.path) })),
  nested: Route.mount(
    "/app",
    App.make({ deep: Route.mountHandler("/{tenant}/assets", StaticFiles.make({ root: `${folder.path}/` })) })
  )
})

const prefixes = ["/static", "/files", "/app/acme/assets"]

describe("a file is served wherever the handler is mounted", () => {
  const rows: ReadonlyArray<readonly [path: string, body: string, type: string]> = [
    ["/file.txt", "file", "text/plain; charset=utf-8"],
    ["/css/app.css", "p{}", "text/css; charset=utf-8"],
    ["/css/app.css?x=1", "p{}", "text/css; charset=utf-8"],
    ["/", "<h1>home", "text/html; charset=utf-8"],
    ["/index.html", "<h1>home", "text/html; charset=utf-8"],
    ["/docs/", "<h1>docs", "text/html; charset=utf-8"],
    ["/docs/?x=1", "<h1>docs", "text/html; charset=utf-8"],
    ["/caf%C3%A9%20&%20co/%C3%BC+%25.txt", "odd", "text/plain; charset=utf-8"],
    ["/%66ile.txt", "file", "text/plain; charset=utf-8"],
    ["/.well-known/security.txt", "contact", "text/plain; charset=utf-8"],
    ["/a..b.txt", "dots", "text/plain; charset=utf-8"],
    ["/~tilde", "tilde", "application/octet-stream"],
    ["/con:colon", "colon", "application/octet-stream"],
    ["/inside.txt", "file", "text/plain; charset=utf-8"],
    ["/styles/app.css", "p{}", "text/css; charset=utf-8"]
  ]
  for (const prefix of prefixes) {
    both(prefix, app, ({ wire }) =>
      Effect.gen(function* () {
        for (const [path, body, type] of rows) {
          yield* wire.send(get(prefix + path))
          const got = yield* wire.answer()
          assert.deepStrictEqual(
            [got.line, got.body.toString(), got.headers["content-type"]],
            ["200 OK", body, type],
            path
          )
          assert.strictEqual(got.headers["cache-control"], "no-cache")
        }
      })
    )
  }
})

const missing = [
  "/nothing",
  "/nothing/at/all.txt",
  "/file.txt/",
  "/file.txt/below",
  "//file.txt",
  "/css//app.css",
  "/./file.txt",
  "/css/../file.txt",
  "/..",
  "/../file.txt",
  "/%2e%2e/file.txt",
  "/%2e%2e%2ffile.txt",
  "/..%2fetc%2fpasswd",
  "/css%2fapp.css",
  "/css%2Fapp.css",
  "/css%5capp.css",
  "/css\\app.css",
  "/..\\..\\file.txt",
  "/%2e%2e%5c%2e%2e%5cfile.txt",
  "/file.txt%00",
  "/file.txt%00.html",
  "/%00",
  "/C:/Windows/win.ini",
  "/c%3a/windows",
  "/%2fetc%2fpasswd",
  "/%5c%5chost%5cshare",
  `/${"x".repeat(300)}`,
  `/${"x/".repeat(1500)}`,
  "/%F0%9F%92%A9",
  "/%25%32%65%25%32%65/file.txt",
  "/.env",
  "/.git/config",
  "/.git/",
  "/css/.hidden",
  "/css/.well-known/x",
  "/%2eenv",
  "/out.txt",
  "/out/deep.txt",
  "/out/",
  "/loop",
  "/dangling"
]

const refused: ReadonlyArray<readonly [path: string, line: string]> = [
  ...missing.map((path) => [path, "404 Not Found"] as const),
  ["/%ff", "400 Bad Request"],
  ["/%", "400 Bad Request"],
  ["/none/", "403 Forbidden"],
  ["/none", "403 Forbidden"],
  ["/fifo", "403 Forbidden"]
]

describe("what is not to be served is an error of the app, and leaves the connection usable", () => {
  for (const prefix of prefixes) {
    both(prefix, app, ({ logs, wire }) =>
      Effect.gen(function* () {
        for (const [path, line] of refused) {
          yield* wire.send(get(prefix + path))
          const got = yield* wire.answer()
          assert.deepStrictEqual([got.line, got.headers["content-type"]], [line, "application/problem+json"], path)
        }
        assert.deepStrictEqual(
          logs.filter((line) => /^(?:Error|Fatal|Warn)/.test(line)),
          []
        )
      })
    )
  }
})

describe("a directory with an index is redirected to its own path with a slash", () => {
  const rows: ReadonlyArray<readonly [path: string, location: string]> = [
    ["/static", "/static/"],
    ["/static?a=b", "/static/?a=b"],
    ["/static/docs", "/static/docs/"],
    ["/files/docs?a=b&c", "/files/docs/?a=b&c"],
    ["/app/acme/assets", "/app/acme/assets/"],
    ["/app/acme/assets/docs", "/app/acme/assets/docs/"],
    ["/app/%2Fevil.com/assets/docs", "/app/%2Fevil.com/assets/docs/"],
    ["/app/%5Cevil.com/assets", "/app/%5Cevil.com/assets/"]
  ]
  both("with its query", app, ({ wire }) =>
    Effect.gen(function* () {
      for (const [path, location] of rows) {
        yield* wire.send(get(path))
        const got = yield* wire.answer()
        assert.deepStrictEqual([got.line, got.headers.location], ["301 Moved Permanently", location])
      }
    })
  )

  const atRoot = App.make({ all: Route.get("/{path:.*}", StaticFiles.make({ root: folder.path })) })
  both("and never to another host", atRoot, ({ wire }) =>
    Effect.gen(function* () {
      for (const path of [
        "//docs",
        "///docs",
        "/\\docs",
        "//evil.com/..",
        "//evil.com/%2e%2e/docs",
        "/%5Cdocs",
        "/%2Fdocs"
      ]) {
        yield* wire.send(get(path))
        assert.strictEqual((yield* wire.answer()).status, 404, path)
      }
      yield* wire.send("GET http://a/docs HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.strictEqual((yield* wire.answer()).headers.location, "/docs/")
    })
  )
})

served("other methods are 405 with Allow, OPTIONS is 204 with it", app, (client) =>
  Effect.gen(function* () {
    for (const prefix of prefixes) {
      for (const path of ["/file.txt", "/nothing", "/"]) {
        for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
          const got = yield* ask(client, prefix + path, {}, method)
          assert.deepStrictEqual(Folder.facts(got, "allow"), [405, "GET, HEAD, OPTIONS"], `${method} ${prefix}${path}`)
        }
        const got = yield* ask(client, prefix + path, {}, "OPTIONS")
        assert.deepStrictEqual(Folder.facts(got, "allow"), [204, "GET, HEAD, OPTIONS"])
      }
    }
  })
)

served("HEAD has the headers of GET and no body", app, (client) =>
  Effect.gen(function* () {
    yield* Folder.settled
    for (const path of ["/file.txt", "/large.bin", "/docs", "/docs/", "/none", "/nothing"]) {
      const full = yield* ask(client, `/static${path}`)
      const head = yield* ask(client, `/static${path}`, {}, "HEAD")
      assert.deepStrictEqual([head.status, head.body.length], [full.status, 0])
      assert.deepStrictEqual({ ...head.headers, date: "" }, { ...full.headers, date: "" }, path)
    }
  })
)

served("routes beside it are served before, whatever their order", app, (client) =>
  Effect.gen(function* () {
    assert.strictEqual((yield* ask(client, "/")).body.toString(), "the app")
  })
)

describe("what is asked for is served in spite of the defaults", () => {
  const rows: ReadonlyArray<
    readonly [name: string, options: Partial<StaticFiles.Options>, path: string, body: string]
  > = [
    ["dotfiles", { dotfiles: true }, "/.env", "password"],
    ["dotfiles below", { dotfiles: true }, "/.git/config", "config"],
    ["links that lead outside", { followSymlinks: true }, "/out.txt", "secret"],
    ["links to directories outside", { followSymlinks: true }, "/out/deep.txt", "deep"],
    ["another index", { index: "page.html" }, "/docs/", "<p>page"],
    ["a type of one's own", { contentTypes: { txt: "text/x-own" } }, "/file.txt", "file"],
    ["nothing held in memory", { memory: 0 }, "/file.txt", "file"]
  ]
  for (const [name, options, path, body] of rows) {
    const one = App.make({ all: Route.mountHandler("/", StaticFiles.make({ root: folder.path, ...options })) })
    served(name, one, (client) =>
      Effect.gen(function* () {
        for (const _ of [1, 2]) {
          const got = yield* ask(client, path)
          assert.deepStrictEqual([got.status, got.body.toString()], [200, body])
          if (options.contentTypes !== undefined) assert.strictEqual(got.headers["content-type"], "text/x-own")
        }
        assert.strictEqual((yield* ask(client, "/%2e%2e/secret.txt")).status, 404)
      })
    )
  }

  const without = App.make({ all: Route.mountHandler("/", StaticFiles.make({ root: folder.path, index: false })) })
  served("no index", without, (client) =>
    Effect.gen(function* () {
      for (const path of ["/docs/", "/docs", "/"]) assert.strictEqual((yield* ask(client, path)).status, 403)
    })
  )
})

describe("a root that is no directory", () => {
  const failure = (root: string) => {
    const broken = App.make({ files: Route.mountHandler("/", StaticFiles.make({ root })) })
    return Effect.exit(Effect.scoped(Testing.socketClient(broken)))
  }
  for (const [name, root] of [
    ["that is not there", folder.at("nothing")],
    ["that is a file", folder.at("file.txt")]
  ] as const) {
    it.live(`${name} ends the start of the server, naming it`, () =>
      Effect.gen(function* () {
        const exit = yield* failure(root)
        assert.isTrue(Exit.isFailure(exit))
        const text = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
        assert.include(text, `StaticFiles: the root "${root}" is no directory; create it, or give the path of one`)
      })
    )
  }

  const gone = Folder.make({ "a.txt": "a" })
  const later = App.make({ files: Route.get("/{path:.*}", StaticFiles.make({ root: gone.path })) })
  both("that is removed later is a defect of each request", later, ({ client, logs }) =>
    Effect.gen(function* () {
      Fs.mkdirSync(gone.path, { recursive: true })
      gone.write("a.txt", "a")
      assert.strictEqual((yield* ask(client, "/a.txt")).status, 200)
      Fs.rmSync(gone.path, { recursive: true })
      assert.strictEqual((yield* ask(client, "/a.txt")).status, 500)
      assert.lengthOf(
        logs.filter((line) => line.startsWith("Error")),
        1
      )
      Fs.mkdirSync(gone.path, { recursive: true })
    })
  )

  const releases = Folder.make({ "1/a.txt": "one", "2/a.txt": "two" })
  Fs.symlinkSync("1", releases.at("current"))
  const deployed = App.make({ files: Route.get("/{path:.*}", StaticFiles.make({ root: releases.at("current") })) })
  served("may be a link, which is followed wherever it leads by now", deployed, (client) =>
    Effect.gen(function* () {
      for (const [number, body] of [
        ["1", "one"],
        ["2", "two"]
      ] as const) {
        Fs.symlinkSync(number, releases.at("next"))
        Fs.renameSync(releases.at("next"), releases.at("current"))
        assert.strictEqual((yield* ask(client, "/a.txt")).body.toString(), body)
      }
    })
  )
})

describe("a wrong declaration throws", () => {
  const rows: ReadonlyArray<readonly [name: string, options: Partial<StaticFiles.Options>, message: RegExp]> = [
    ["an empty root", { root: "" }, /"" is no path of a file/],
    ["a root of another scheme", { root: new URL("https://a/") }, /"https:\/\/a\/" is no file/],
    ["an index that is a path", { index: "a/b.html" }, /the index "a\/b\.html" is no name of a file/],
    [
      "a fallback that leads outside",
      { fallback: "../index.html" },
      /the fallback "\.\.\/index\.html" is no file below the root/
    ],
    ["a fallback that is a directory", { fallback: "app/" }, /is no file below the root/],
    [
      "an extension with its dot",
      { contentTypes: { ".txt": "text/plain" } },
      /the extension "\.txt": write it in lower case/
    ],
    ["a type with a line break", { contentTypes: { txt: "a\nb" } }, /no header can carry/],
    ["a Cache-Control with a line break", { cacheControl: "a\nb" }, /no header can carry/],
    ["a Cache-Control of a pattern with a line break", { cacheControl: { "**": "a\nb" } }, /no header can carry/],
    ["a size that is none", { memory: "much" as never }, /"much" is no size/]
  ]
  for (const [name, options, message] of rows) {
    it(name, () => {
      assert.throws(() => StaticFiles.make({ root: "public", ...options }), TypeError, message)
    })
  }
})
