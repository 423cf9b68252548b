/**
 * Ranges of files, small ones from memory and large ones from their descriptor.
 *
 * @spec RFC 9110 §14, §15.3.7, §15.5.17
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { App, Response, Route } from "effect-web"
import { served } from "effect-web/testing/Served"
import * as Folder from "../folder.ts"

const contents = { small: Folder.bytes(1000), large: Folder.bytes(200_000) }
const folder = Folder.make(contents)
folder.write("empty", "")
folder.write("old", contents.large, 1_000_000_000)

const app = App.make({
  small: Route.get("/small", Response.file(folder.at("small"), { contentType: "text/x-small" })),
  large: Route.get("/large", Response.file(folder.at("large"), { contentType: "text/x-large" })),
  empty: Route.get("/empty", Response.file(folder.at("empty"))),
  old: Route.get("/old", Response.file(folder.at("old")))
})

type Name = keyof typeof contents
const names: ReadonlyArray<Name> = ["small", "large"]
const last = (name: Name) => contents[name].length - 1

/** A range of the file: its first and last byte. */
type Part = readonly [first: number, last: number]

const one: ReadonlyArray<readonly [range: string, wanted: (name: Name) => Part]> = [
  ["bytes=0-0", () => [0, 0]],
  ["bytes=0-499", () => [0, 499]],
  ["bytes=500-999", () => [500, 999]],
  ["bytes=990-", (name) => [990, last(name)]],
  ["bytes=0-", (name) => [0, last(name)]],
  ["bytes=-10", (name) => [last(name) - 9, last(name)]],
  ["bytes=-1", (name) => [last(name), last(name)]],
  ["bytes=-99999999", (name) => [0, last(name)]],
  ["bytes=10-99999999", (name) => [10, last(name)]],
  ["bytes=0-99999999999999999999", (name) => [0, last(name)]],
  ["BYTES=1-2", () => [1, 2]],
  ["bytes=1-2,", () => [1, 2]],
  ["bytes=999999999-,5-6", () => [5, 6]],
  // §15.3.7.2: ranges that overlap, touch, or are close
  ["bytes=0-10,5-20", () => [0, 20]],
  ["bytes=0-10,11-20", () => [0, 20]],
  ["bytes=30-40,0-10", () => [0, 40]],
  ["bytes=0-9,0-9,0-9,0-9", () => [0, 9]],
  [`bytes=${Array.from({ length: 100 }, () => "0-").join(",")}`, (name) => [0, last(name)]]
]

describe("one range is a 206 with its Content-Range", () => {
  for (const name of names) {
    served(name, app, (client) =>
      Effect.gen(function* () {
        for (const [range, wanted] of one) {
          const [from, to] = wanted(name)
          const { body, headers, status } = yield* Folder.ask(client, `/${name}`, { range })
          assert.deepStrictEqual(
            [status, headers["content-range"], headers["content-length"], headers["content-type"]],
            [206, `bytes ${from}-${to}/${contents[name].length}`, String(to - from + 1), `text/x-${name}`],
            range
          )
          assert.isTrue(body.equals(contents[name].subarray(from, to + 1)), range)
        }
      })
    )
  }
})

const several: ReadonlyArray<readonly [range: string, wanted: (name: Name) => ReadonlyArray<Part>]> = [
  [
    "bytes=0-0,-1",
    (name) => [
      [0, 0],
      [last(name), last(name)]
    ]
  ],
  [
    "bytes=500-509, 0-9, 700-709",
    () => [
      [500, 509],
      [0, 9],
      [700, 709]
    ]
  ],
  [
    "bytes=500-509,0-9,505-520,99999999-",
    () => [
      [500, 520],
      [0, 9]
    ]
  ]
]

const parts = (body: Buffer, boundary: string) => {
  const text = body.toString("latin1")
  assert.isTrue(text.endsWith(`\r\n--${boundary}--\r\n`))
  return text
    .slice(0, -`\r\n--${boundary}--\r\n`.length)
    .split(new RegExp(`(?:^|\r\n)--${boundary}\r\n`))
    .slice(1)
    .map((part) => part.split(/\r\n\r\n(.*)/s))
}

describe("several ranges are a multipart/byteranges with its Content-Length", () => {
  for (const name of names) {
    served(name, app, (client) =>
      Effect.gen(function* () {
        for (const [range, wanted] of several) {
          const { body, headers, status } = yield* Folder.ask(client, `/${name}`, { range })
          const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(headers["content-type"] ?? "")?.[1] ?? ""
          assert.deepStrictEqual(
            [status, headers["content-range"], headers["content-length"]],
            [206, undefined, String(body.length)],
            range
          )
          const found = parts(body, boundary)
          assert.deepStrictEqual(
            found.map(([head, bytes]) => [head, Buffer.from(bytes ?? "", "latin1").toString("hex")]),
            wanted(name).map(([from, to]) => [
              `content-type: text/x-${name}\r\ncontent-range: bytes ${from}-${to}/${contents[name].length}`,
              contents[name].subarray(from, to + 1).toString("hex")
            ])
          )
        }
      })
    )
  }

  served("each with a boundary of its own", app, (client) =>
    Effect.gen(function* () {
      const ask = Folder.ask(client, "/small", { range: "bytes=0-0,-1" })
      assert.notStrictEqual((yield* ask).headers["content-type"], (yield* ask).headers["content-type"])
    })
  )
})

describe("all of it is sent", () => {
  const rows: ReadonlyArray<readonly [why: string, headers: Readonly<Record<string, string>>]> = [
    ["another unit", { range: "items=0-1" }],
    ["a malformed range", { range: "bytes=a-b" }],
    ["a range that ends before it begins", { range: "bytes=2-1" }],
    ["no range", { range: "bytes=" }],
    ["more than 100 ranges", { range: `bytes=${Array.from({ length: 101 }, (_, at) => `${at * 100}-`).join(",")}` }],
    ["an If-Range with another tag", { range: "bytes=0-1", "if-range": '"other"' }],
    ["an If-Range with a weak tag", { range: "bytes=0-1", "if-range": 'W/"other"' }],
    ["an If-Range with another date", { range: "bytes=0-1", "if-range": "Sun, 09 Sep 2001 01:46:40 GMT" }],
    ["an If-Range that is none", { range: "bytes=0-1", "if-range": "tomorrow" }]
  ]
  for (const name of names) {
    served(`for ${name}`, app, (client) =>
      Effect.gen(function* () {
        for (const [why, headers] of rows) {
          const got = yield* Folder.ask(client, `/${name}`, headers)
          assert.deepStrictEqual([got.status, got.headers["content-range"]], [200, undefined], why)
          assert.isTrue(got.body.equals(contents[name]), why)
        }
      })
    )
  }

  served("when the parts and what is around them would be more", app, (client) =>
    Effect.gen(function* () {
      const range = `bytes=${Array.from({ length: 10 }, (_, at) => `${at * 100}-${at * 100}`).join(",")}`
      const got = yield* Folder.ask(client, "/small", { range })
      assert.deepStrictEqual([got.status, got.body.length], [200, 1000])
    })
  )

  served("of an empty file", app, (client) =>
    Effect.gen(function* () {
      for (const range of ["bytes=0-0", "bytes=-1", "bytes=0-"]) {
        const got = yield* Folder.ask(client, "/empty", { range })
        assert.deepStrictEqual([got.status, got.body.length], [200, 0])
      }
    })
  )

  served("for HEAD, whose headers are those of a GET without Range (§14.2)", app, (client) =>
    Effect.gen(function* () {
      for (const name of names) {
        const got = yield* Folder.ask(client, `/${name}`, { range: "bytes=0-1" }, "HEAD")
        assert.deepStrictEqual([got.status, got.headers["content-length"]], [200, String(contents[name].length)])
      }
    })
  )
})

describe("If-Range that holds lets the range be honoured", () => {
  for (const name of names) {
    served(name, app, (client) =>
      Effect.gen(function* () {
        yield* Folder.settled
        const { headers } = yield* Folder.ask(client, `/${name}`, {}, "HEAD")
        for (const validator of [headers.etag, headers["last-modified"]]) {
          const got = yield* Folder.ask(client, `/${name}`, { range: "bytes=0-1", "if-range": validator ?? "" })
          assert.deepStrictEqual([got.status, got.body.length], [206, 2])
          assert.strictEqual(got.headers.etag, headers.etag)
        }
      })
    )
  }
})

describe("416 says how large the file is", () => {
  for (const range of ["bytes=99999999-", "bytes=-0", "bytes=200000-200001, 99999999999999999999-"]) {
    served(range, app, (client) =>
      Effect.gen(function* () {
        const got = yield* Folder.ask(client, "/old", { range })
        assert.deepStrictEqual(
          [got.status, got.headers["content-range"], got.headers["content-type"]],
          [416, "bytes */200000", "application/problem+json"]
        )
      })
    )
  }

  served("unless a precondition comes first", app, (client) =>
    Effect.gen(function* () {
      const range = { range: "bytes=99999999-" }
      assert.strictEqual((yield* Folder.ask(client, "/old", { ...range, "if-none-match": "*" })).status, 304)
      assert.strictEqual((yield* Folder.ask(client, "/old", { ...range, "if-match": '"x"' })).status, 412)
    })
  )
})
