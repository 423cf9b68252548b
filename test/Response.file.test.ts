/**
 * A file as a handler: what it says of itself, what it refuses, and that a change is seen at once.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import { pathToFileURL } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, HttpError, Response, Route } from "effect-web"
import { served } from "effect-web/testing/Served"
import * as Folder from "./folder.ts"

const { ask, facts } = Folder

const large = Folder.bytes(300_000)
const folder = Folder.make({
  "report.pdf": "report",
  "page.html": "<p>page",
  LICENSE: "free",
  "empty.txt": "",
  large,
  "café & co.txt": "named"
})
folder.write("old.txt", "old", 1_000_000_000)
folder.write("future.txt", "future", 4_000_000_000)
execFileSync("mkfifo", [folder.at("fifo")])
Fs.symlinkSync(folder.at("report.pdf"), folder.at("link.pdf"))
Fs.symlinkSync(folder.at("loop"), folder.at("loop"))

const date = /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/

const app = App.make({
  report: Route.get("/report", Response.file(folder.at("report.pdf"))),
  large: Route.get("/large", Response.file(folder.at("large"))),
  empty: Route.get("/empty", Response.file(folder.at("empty.txt"))),
  old: Route.get("/old", Response.file(folder.at("old.txt"))),
  future: Route.get("/future", Response.file(folder.at("future.txt"))),
  url: Route.get("/url", Response.file(new URL("caf%C3%A9%20&%20co.txt", `${pathToFileURL(folder.path).href}/`))),
  link: Route.get("/link", Response.file(folder.at("link.pdf"))),
  typed: Route.get("/typed", Response.file(folder.at("LICENSE"), { contentType: "text/x-license" })),
  typedByHeaders: Route.get(
    "/typed-by-headers",
    Response.file(folder.at("LICENSE"), { headers: { "Content-Type": "text/x-license", "X-Kind": "free" } })
  ),
  lost: Route.get("/lost", Response.file(folder.at("page.html"), { status: 404 })),
  lostLarge: Route.get("/lost-large", Response.file(folder.at("large"), { status: 404 })),
  download: Route.get(
    "/download",
    Response.file(folder.at("report.pdf")).pipe(Effect.map(Response.attachment("the report.pdf")))
  ),
  posted: Route.post("/posted", Response.file(folder.at("report.pdf"))),
  missing: Route.get("/missing", Response.file(folder.at("missing"))),
  below: Route.get("/below", Response.file(folder.at("report.pdf/below"))),
  nul: Route.get("/nul", Response.file("a\0b")),
  long: Route.get("/long", Response.file(folder.at("x".repeat(300)))),
  loop: Route.get("/loop", Response.file(folder.at("loop"))),
  directory: Route.get("/directory", Response.file(folder.path)),
  fifo: Route.get("/fifo", Response.file(folder.at("fifo"))),
  device: Route.get("/device", Response.file("/dev/null")),
  caught: Route.get(
    "/caught",
    Response.file(folder.at("missing")).pipe(
      Effect.catchIf(
        (error) => error instanceof HttpError.NotFound,
        () => Effect.succeed(Response.text("nothing yet"))
      )
    )
  )
})

served("a small file comes with its type, its length and its validators", app, (client) =>
  Effect.gen(function* () {
    const got = yield* ask(client, "/report")
    assert.deepStrictEqual(facts(got, "content-type", "content-length", "accept-ranges", "cache-control"), [
      200,
      "application/pdf",
      "6",
      "bytes",
      undefined
    ])
    assert.strictEqual(got.body.toString(), "report")
    assert.match(got.headers.etag ?? "", /^"[\w-]{22}"$/)
    assert.match(got.headers["last-modified"] ?? "", date)
  })
)

served("a large file is sent as it is, again and again", app, (client) =>
  Effect.gen(function* () {
    yield* Folder.settled
    for (const _ of [1, 2, 3]) {
      const got = yield* ask(client, "/large")
      assert.deepStrictEqual(facts(got, "content-type", "content-length"), [200, "application/octet-stream", "300000"])
      assert.isTrue(got.body.equals(large))
      assert.match(got.headers.etag ?? "", /^"[\w-]+"$/)
    }
  })
)

served("HEAD has the headers of GET and no body", app, (client) =>
  Effect.gen(function* () {
    yield* Folder.settled
    for (const path of ["/report", "/large", "/empty", "/lost", "/lost-large"]) {
      const get = yield* ask(client, path)
      const head = yield* ask(client, path, {}, "HEAD")
      assert.strictEqual(head.body.length, 0)
      assert.deepStrictEqual(
        { ...head.headers, date: "", connection: "" },
        { ...get.headers, date: "", connection: "" },
        path
      )
    }
  })
)

describe("what is sent", () => {
  const rows: ReadonlyArray<readonly [path: string, body: string, headers: Readonly<Record<string, string>>]> = [
    ["/empty", "", { "content-length": "0", "content-type": "text/plain; charset=utf-8" }],
    ["/old", "old", { "last-modified": "Sun, 09 Sep 2001 01:46:40 GMT" }],
    ["/url", "named", { "content-type": "text/plain; charset=utf-8" }],
    ["/link", "report", { "content-type": "application/pdf" }],
    ["/typed", "free", { "content-type": "text/x-license" }],
    ["/typed-by-headers", "free", { "content-type": "text/x-license", "x-kind": "free" }],
    ["/download", "report", { "content-disposition": 'attachment; filename="the report.pdf"' }],
    ["/caught", "nothing yet", {}]
  ]
  for (const [path, body, headers] of rows) {
    served(path, app, (client) =>
      Effect.gen(function* () {
        const got = yield* ask(client, path)
        assert.deepStrictEqual([got.status, got.body.toString()], [200, body])
        for (const [name, value] of Object.entries(headers)) assert.strictEqual(got.headers[name], value)
      })
    )
  }
})

served("a date in the future is that of the answer", app, (client) =>
  Effect.gen(function* () {
    const { headers } = yield* ask(client, "/future")
    assert.isAtMost(Date.parse(headers["last-modified"] ?? ""), Date.parse(headers.date ?? ""))
  })
)

served("with another status than 200 there are no validators, no 304 and no ranges", app, (client) =>
  Effect.gen(function* () {
    for (const path of ["/lost", "/lost-large"]) {
      const got = yield* ask(client, path, { range: "bytes=0-1", "if-none-match": "*" })
      assert.deepStrictEqual(facts(got, "etag", "last-modified", "accept-ranges", "content-range"), [
        404,
        undefined,
        undefined,
        undefined,
        undefined
      ])
      assert.isAbove(got.body.length, 2)
    }
  })
)

served("POST is answered with all of it, whatever conditions and ranges it has", app, (client) =>
  Effect.gen(function* () {
    const got = yield* ask(client, "/posted", { range: "bytes=0-1", "if-none-match": "*" }, "POST")
    assert.deepStrictEqual([got.status, got.body.toString()], [200, "report"])
  })
)

describe("what is no regular file that can be read is an error like any", () => {
  for (const [path, status] of [
    ["/missing", 404],
    ["/below", 404],
    ["/nul", 404],
    ["/long", 404],
    ["/loop", 404],
    ["/directory", 403],
    ["/fifo", 403],
    ["/device", 403]
  ] as const) {
    served(`${path} is ${status}`, app, (client) =>
      Effect.gen(function* () {
        const got = yield* ask(client, path)
        assert.deepStrictEqual(facts(got, "content-type"), [status, "application/problem+json"])
      })
    )
  }

  // Who may read everything has to be somebody else for this.
  const asNobody = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    process.geteuid?.() === 0
      ? Effect.acquireUseRelease(
          Effect.sync(() => process.seteuid?.(65_534)),
          () => effect,
          () => Effect.sync(() => process.seteuid?.(0))
        )
      : effect

  for (const [name, size] of [
    ["small", 10],
    ["large", 100_000]
  ] as const) {
    const path = `secret-${name}`
    folder.write(path, Folder.bytes(size))
    Fs.chmodSync(folder.at(path), 0o000)
    Fs.chmodSync(folder.path, 0o755)
    served(
      `a ${name} file without permission is 403, for HEAD too`,
      App.make({ secret: Route.get("/", Response.file(folder.at(path))) }),
      (client) =>
        asNobody(
          Effect.gen(function* () {
            assert.strictEqual((yield* ask(client, "/")).status, 403)
            assert.strictEqual((yield* ask(client, "/", {}, "HEAD")).status, 403)
          })
        )
    )
  }
})

describe("a path below a root may be made of what a client sends", () => {
  const outside = Folder.make({ "secret.txt": "secret" })
  const downloads = Folder.make({ "a.txt": "a", "b/c.txt": "c", ".hidden": "hidden", "odd %2e#?.txt": "odd" })
  Fs.symlinkSync(outside.at("secret.txt"), downloads.at("out.txt"))
  Fs.symlinkSync("a.txt", downloads.at("link.txt"))
  const below = App.make({
    download: Route.get("/{path:.*}", ({ params }) => Response.file(params.path, { root: `${downloads.path}/` }))
  })
  served("and does not lead out of it", below, (client) =>
    Effect.gen(function* () {
      for (const [path, body] of [
        ["/a.txt", "a"],
        ["/b/c.txt", "c"],
        ["/link.txt", "a"],
        ["/odd%20%252e%23%3F.txt", "odd"]
      ] as const) {
        const got = yield* ask(client, path)
        assert.deepStrictEqual([got.status, got.body.toString()], [200, body])
      }
      for (const path of [
        ...["/..%2Fx", `/..%2F${outside.path.split("/").at(-1)}%2Fsecret.txt`, "/%2Fetc%2Fpasswd", "/b%2F..%2Fa.txt"],
        ...["/out.txt", "/.hidden", "/b/", "/", "/b%5Cc.txt", "/a.txt%00", "/a.txt/", "/nothing"]
      ]) {
        assert.strictEqual((yield* ask(client, path)).status, 404, path)
      }
      assert.strictEqual((yield* ask(client, "/b")).status, 403)
    })
  )
})

describe("a change is seen by the very next request", () => {
  const changing = Folder.make()
  const changes = App.make({ file: Route.get("/", Response.file(changing.at("file.txt"))) })
  for (const [name, size] of [
    ["small", 10],
    ["large", 100_000]
  ] as const) {
    const a = Buffer.alloc(size, "a")
    const b = Buffer.alloc(size, "b")
    served(`of a ${name} file of the same size and date, in place, within a tick`, changes, (client) =>
      Effect.gen(function* () {
        for (let turn = 0; turn < 30; turn++) {
          const content = turn % 2 === 0 ? a : b
          changing.write("file.txt", content, 1_500_000_000)
          assert.isTrue((yield* ask(client, "/")).body.equals(content), `turn ${turn}`)
        }
      })
    )
    served(`of a ${name} file that is replaced, removed and there again`, changes, (client) =>
      Effect.gen(function* () {
        changing.write("file.txt", a)
        yield* Folder.settled
        const first = yield* ask(client, "/")
        changing.write("next.txt", b)
        Fs.renameSync(changing.at("next.txt"), changing.at("file.txt"))
        const second = yield* ask(client, "/")
        assert.isTrue(second.body.equals(b))
        assert.notStrictEqual(second.headers.etag, first.headers.etag)
        changing.remove("file.txt")
        assert.strictEqual((yield* ask(client, "/")).status, 404)
        changing.write("file.txt", a)
        assert.isTrue((yield* ask(client, "/")).body.equals(a))
      })
    )
  }

  served(
    "a large file that changed just now has a weak tag, which is never that of the next change",
    changes,
    (client) =>
      Effect.gen(function* () {
        changing.write("file.txt", Folder.bytes(100_000))
        assert.match((yield* ask(client, "/")).headers.etag ?? "", /^W\/"/)
        yield* Folder.settled
        assert.match((yield* ask(client, "/")).headers.etag ?? "", /^"/)
      })
  )
})

describe("a wrong declaration throws", () => {
  const rows: ReadonlyArray<readonly [name: string, declare: () => unknown, message: RegExp]> = [
    ["an empty path", () => Response.file(""), /"" is no path of a file/],
    [
      "a URL of another scheme",
      () => Response.file(new URL("https://a/b")),
      /"https:\/\/a\/b" is no file: give a path/
    ],
    ["a header with a line break", () => Response.file("a", { headers: { "x-a": "a\r\nb" } }), /no header can carry/],
    ["a content type with a line break", () => Response.file("a", { contentType: "a\nb" }), /no header can carry/],
    ["a status that is none", () => Response.file("a", { status: 99 }), /99 is no status/]
  ]
  for (const [name, declare, message] of rows) {
    it(name, () => {
      assert.throws(declare, TypeError, message)
    })
  }
})
