/**
 * Hostile paths, ranges, conditions and codings: no 5xx, no hang, nothing logged, no byte that is not of the files, nothing left open.
 *
 * `FUZZ_SEED` and `FUZZ_COUNT` run other cases, and more of them: 100000 take about a minute.
 */
import * as Fs from "node:fs"
import { assert, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Response, Route, StaticFiles } from "effect-web"
import * as NodeFiles from "../../src/server/internal/files/NodeFiles.ts"
import type * as Wire from "../conformance/wire.ts"
import * as Folder from "../folder.ts"
import * as Seeded from "../seeded.ts"
import { both, type Given, until } from "../server/both.ts"

vi.setConfig({ testTimeout: 3_600_000 })

const seed = Number(process.env.FUZZ_SEED ?? 1)
const count = Number(process.env.FUZZ_COUNT ?? 3000)

const secret = Folder.make({ "secret.txt": "SECRET" })
const contents: Readonly<Record<string, Buffer>> = {
  "a.txt": Buffer.from("0123456789".repeat(10)),
  "large.bin": Folder.bytes(100_000),
  empty: Buffer.alloc(0),
  "d/index.html": Buffer.from("<p>index"),
  "d/ü.css": Buffer.from("p{}".repeat(500)),
  "d/ü.css.br": Buffer.from("coded".repeat(50))
}
const folder = Folder.make({ ...contents, ".env": "SECRET" })
Fs.symlinkSync(secret.at("secret.txt"), folder.at("out"))
Fs.symlinkSync(secret.path, folder.at("d/out"))

const options = { root: folder.path, precompressed: true, fingerprints: true }
const app = App.make({
  file: Route.get("/file", Response.file(folder.at("large.bin"))),
  mounted: Route.mountHandler("/static", StaticFiles.make({ ...options, listing: true })),
  all: Route.get("/{path:.*}", StaticFiles.make({ ...options, fallback: "d/index.html" }))
})

const segments = [
  ...["a.txt", "large.bin", "empty", "d", "index.html", "%C3%BC.css", "static", "file", "out", "secret.txt", ".env"],
  ...[
    "..",
    ".",
    "",
    "%2e%2e",
    "%2E.",
    "%2f",
    "..%2f..",
    "%5c",
    "\\",
    "..\\",
    "%00",
    "%",
    "%zz",
    "%ff",
    "%c0%ae",
    "...",
    "~",
    "*"
  ],
  ...[
    "d%2Findex.html",
    "a.txt%20",
    "a.txt.",
    "A.TXT",
    "a.txt::$DATA",
    "C:",
    "con",
    "x".repeat(260),
    ":",
    ";",
    "@",
    "?",
    "?v=x",
    "&"
  ],
  ...["%252e%252e", "%25", "+", "%E2%80%AE", "%F0%9F%92%A9"]
]
const real = [
  "/a.txt",
  "/large.bin",
  "/file",
  "/static/large.bin",
  "/static/d/%C3%BC.css",
  "/empty",
  "/static/d/",
  "/d"
]
const numbers = [
  "0",
  "1",
  "5",
  "99",
  "100",
  "99999",
  "100000",
  "9007199254740993",
  "99999999999999999999999",
  "-1",
  "",
  "1e3",
  "0x1",
  " 7"
]
const dates = [
  "Sun, 09 Sep 2001 01:46:40 GMT",
  "Fri, 31 Dec 9999 23:59:59 GMT",
  "Thu, 01 Jan 1970 00:00:00 GMT",
  "Sunday, 09-Sep-01 01:46:40 GMT",
  "Sun Sep  9 01:46:40 2001",
  "yesterday",
  "",
  "-1",
  "Sun, 32 Sep 2001 25:61:61 GMT"
]
const tags = ['"x"', 'W/"x"', "*", '"', '""', "W/", '"a,b"', '"a" "b"', "TAG", "W/TAG", `"${"x".repeat(3000)}"`, ","]
const codings = [
  "br",
  "gzip",
  "zstd",
  "*",
  "identity",
  "br;q=0",
  "gzip;q=2",
  "br;q=",
  ";",
  ",",
  "*;q=0",
  "x-gzip;q=0.001",
  '"br"'
]
const accepts = ["text/html", "*/*", "text/*;q=0", "text/html;q=0.1,*/*", "a/b", ",", "text/html;level=1"]
const noise = ["\t", " ", "\xff", "=", "bytes", "-", ",", ";", "%", "'"]

const request = (random: Seeded.Seeded, tag: string) => {
  const { below, chance, pick } = random
  const some = (all: ReadonlyArray<string>, most: number) =>
    Array.from({ length: 1 + below(most) }, () => pick(all)).join(pick([",", ", ", " ,", ",,"]))
  const valid = () => pick([`${below(200)}-`, `-${below(200)}`, `${below(100)}-${100 + below(100_000)}`])
  const spec = () => (chance(0.8) ? valid() : chance(0.2) ? pick(noise) : `${pick(numbers)}-${pick(numbers)}`)
  const unit = () => (chance(0.9) ? "bytes=" : pick(["bytes", "Bytes=", "items=", "=", "", "bytes = "]))
  const range = () => unit() + Array.from({ length: 1 + below(chance(0.1) ? 150 : 4) }, spec).join(",")
  const fields: ReadonlyArray<readonly [name: string, value: () => string]> = [
    ["Range", range],
    ["If-Range", () => pick([...tags, ...dates])],
    ["If-Match", () => some(tags, 3)],
    ["If-None-Match", () => some(tags, 3)],
    ["If-Modified-Since", () => pick(dates)],
    ["If-Unmodified-Since", () => pick(dates)],
    ["Accept-Encoding", () => some(codings, 4)],
    ["Accept", () => some(accepts, 3)]
  ]
  const head = fields
    .filter(() => chance(0.3))
    .map(([name, value]) => `${name}: ${(chance(0.05) ? value() + pick(noise) : value()).replaceAll("TAG", tag)}\r\n`)
  const odd = `${pick(["", "/static", "/file", "/d"])}/${Array.from({ length: below(4) }, () => pick(segments)).join("/")}`
  const path = chance(0.6) ? pick(real) : odd
  const method = chance(0.8) ? "GET" : pick(["HEAD", "HEAD", "OPTIONS", "POST", "DELETE"])
  const length = method === "POST" ? "Content-Length: 0\r\n" : ""
  return { method, bytes: `${method} ${path} HTTP/1.1\r\nHost: a\r\n${length}${head.join("")}\r\n` }
}

// What is sent of a file is of that file.
const isOfAFile = ({ body, headers, status }: Wire.Answer): boolean => {
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers["content-range"] ?? "")
  const whole = Object.values(contents)
  if (range !== null) {
    const [from, to, size] = range.slice(1).map(Number) as [number, number, number]
    return whole.some((bytes) => bytes.length === size && bytes.subarray(from, to + 1).equals(body))
  }
  if (status === 206) return /^multipart\/byteranges/.test(headers["content-type"] ?? "")
  if (headers.etag === undefined) return body.includes("Index of")
  return whole.some((bytes) => bytes.equals(body))
}

const open = (): number =>
  !Fs.existsSync("/proc/self/fd")
    ? 0
    : Fs.readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return Fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder.path)
        } catch {
          return false
        }
      }).length

const slow = () => {
  NodeFiles.timed(() => {
    const end = performance.now() + 3
    while (performance.now() < end);
  })
}

const ask = ({ connect, logs }: Given, isSlow: boolean) =>
  Effect.gen(function* () {
    yield* Folder.settled
    const random = Seeded.make(seed)
    let wire = yield* connect
    let tag = '"x"'
    for (let turn = 0; turn < count; turn++) {
      if (isSlow && turn % 1000 === 0) slow()
      const { bytes, method } = request(random, tag)
      yield* wire.send(bytes)
      const answer = yield* wire.answer(method)
      assert.isBelow(answer.status, 500, bytes)
      assert.notInclude(answer.body.toString("latin1"), "SECRET", bytes)
      const sends = method === "GET" && (answer.status === 200 || answer.status === 206)
      if (sends) assert.isTrue(isOfAFile(answer), `${bytes}\n${JSON.stringify(answer.headers)}`)
      tag = answer.headers.etag ?? tag
      if (answer.headers.connection === "close") wire = yield* connect
    }
    yield* until(() => open() === 0)
    assert.deepStrictEqual(
      logs.filter((line) => /^(?:Warn|Error|Fatal)/.test(line)),
      []
    )
  })
both("whatever is asked", app, (given) => ask(given, false))
both("whatever is asked of a slow disk", app, (given) => ask(given, true))
