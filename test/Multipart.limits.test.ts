/**
 * The limits of multipart bodies: exactly the limit is accepted, one more is refused with the limit in the text.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Multipart from "../src/Multipart.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import type { Sent } from "./bodies.ts"
import { body, failure, field, file, form, type Part, run, streamed, texts, type } from "./multiparts.ts"
import { both } from "./server/both.ts"

type Reading = Effect.Effect<unknown, Multipart.Failure, HttpServerRequest.HttpServerRequest | Scope.Scope>
type Row = readonly [name: string, read: Reading, within: Sent, above: Sent, status: number, text: string]

const xs = (count: number): string => "x".repeat(count)
const many = (count: number): ReadonlyArray<Part> => Array.from({ length: count }, (_, index) => field(`${index}`, ""))
const open = (chunks: Iterable<string>): Sent => streamed(type, chunks)
const first = (options: Multipart.Options, use: (part: Multipart.Part) => Effect.Effect<unknown, Multipart.Failure>) =>
  Effect.flatMap(Multipart.readerWith(options), (parts) =>
    Effect.flatMap(parts.next, (part) => (part === undefined ? Effect.die("no part") : use(part)))
  )
const drain = (part: Multipart.Part) => Stream.runDrain(part.stream)
const anything = Multipart.form(Schema.Record(Schema.String, Schema.String), { limit: "20 MiB" })
/** So many bodies within each other. */
const nested = (depth: number): Sent => {
  const within = (level: number): string => {
    const head = level === 1 ? "" : `Content-Type: multipart/mixed; boundary=b${level - 1}`
    return body([[head, level === 1 ? "x" : within(level - 1)]], level === depth ? "b" : `b${level}`)
  }
  return ["multipart/mixed; boundary=b", within(depth)]
}
const deep = (reader: Multipart.Reader): Effect.Effect<void, Multipart.Failure> =>
  Stream.runForEach(reader.stream, (part) =>
    part.contentType.startsWith("multipart/") ? Effect.flatMap(part.parts, deep) : Effect.void
  )

const a64k = `${field("a", "")[0]}\r\nX: `
const rows: ReadonlyArray<Row> = [
  [
    "1 MiB of a field",
    texts({ limit: "9 MiB" }),
    form(field("a", xs(1_048_576))),
    form(field("a", xs(1_048_577))),
    413,
    'The field "a" is larger than 1048576 bytes'
  ],
  [
    "the limit of a field",
    texts({ fieldLimit: "2 B" }),
    form(field("a", "xx")),
    form(field("a", "xxx")),
    413,
    'The field "a" is larger than 2 bytes'
  ],
  [
    "the limit of a field, decoded",
    texts({ fieldLimit: 3 }),
    form(field("a", "YWJj", "\r\nContent-Transfer-Encoding: base64")),
    form(field("a", "YWJjZA==", "\r\nContent-Transfer-Encoding: base64")),
    413,
    'The field "a" is larger than 3 bytes'
  ],
  [
    "the limit of a field as a stream",
    first({ fieldLimit: 2 }, drain),
    form(field("a", "xx")),
    form(field("a", "xxx")),
    413,
    'The field "a" is larger than 2 bytes'
  ],
  [
    "the limit of a part without a name",
    first({ fieldLimit: 2 }, drain),
    ["multipart/mixed; boundary=b", body([["", "xx"]])],
    ["multipart/mixed; boundary=b", body([["", "xxx"]])],
    413,
    "Part 1 is larger than 2 bytes"
  ],
  [
    "the limit of a file",
    texts({ fileLimit: 2, fieldLimit: 1 }),
    form(file("f", "n", "xx")),
    form(file("f", "n", "xxx")),
    413,
    'The file "f" is larger than 2 bytes'
  ],
  [
    "the limit of all fields of a form",
    Multipart.form(Schema.Record(Schema.String, Schema.String), { fieldLimit: 2, fieldsLimit: "4 B" }),
    form(field("a", "xx"), field("b", "xx")),
    form(field("a", "xx"), field("b", "xx"), field("c", "x")),
    413,
    "The fields together are larger than 4 bytes"
  ],
  [
    "10 MiB of all fields of a form",
    anything,
    form(...Array.from({ length: 10 }, (_, i) => field(`${i}`, xs(1_048_576)))),
    form(...Array.from({ length: 10 }, (_, i) => field(`${i}`, xs(1_048_576))), field("z", "x")),
    413,
    "The fields together are larger than 10485760 bytes"
  ],
  ["1000 parts", texts(), form(...many(1000)), form(...many(1001)), 413, "There are more than 1000 parts"],
  [
    "the limit of parts",
    texts({ maxParts: 2 }),
    form(...many(2)),
    form(...many(3)),
    413,
    "There are more than 2 parts"
  ],
  [
    "the limit of parts, with those within",
    Effect.flatMap(Multipart.readerWith({ maxParts: 2 }), deep),
    nested(2),
    nested(3),
    413,
    "There are more than 2 parts"
  ],
  [
    "a million parts",
    Effect.void,
    form(),
    open(
      (function* () {
        for (let index = 0; index < 1_000_000; index++) yield body([field("a", "")]).replace("--b--\r\n", "")
      })()
    ),
    413,
    "There are more than 1000 parts"
  ],
  [
    "16 KiB of headers",
    texts(),
    form([`${a64k}${xs(16 * 1024 - a64k.length - 2)}`, ""]),
    form([`${a64k}${xs(16 * 1024 - a64k.length - 1)}`, ""]),
    413,
    "The headers of part 1 are larger than 16384 bytes"
  ],
  [
    "the limit of headers",
    texts({ headersLimit: "50 B" }),
    form(field("a".repeat(9), "")),
    form(field("a".repeat(10), "")),
    413,
    "The headers of part 1 are larger than 50 bytes"
  ],
  [
    "a header without an end",
    Effect.void,
    form(),
    open(
      (function* () {
        yield `--b\r\n${a64k}`
        for (;;) yield xs(1000)
      })()
    ),
    413,
    "The headers of part 1 are larger than 16384 bytes"
  ],
  [
    "100 header fields",
    texts(),
    form(field("a", "", "\r\nX: 1".repeat(99))),
    form(field("a", "", "\r\nX: 1".repeat(100))),
    413,
    "Part 1 has more than 100 header fields"
  ],
  [
    "the limit of header fields",
    texts({ maxHeaders: 1 }),
    form(field("a", "")),
    form(field("b", ""), field("a", "", "\r\nX: 1")),
    413,
    "Part 2 has more than 1 header fields"
  ],
  [
    "three bodies within each other",
    Effect.flatMap(Multipart.reader, deep),
    nested(3),
    nested(4),
    400,
    "Multipart is nested more than 3 deep"
  ],
  [
    "the limit of depth",
    Effect.flatMap(Multipart.readerWith({ maxDepth: 1 }), deep),
    nested(1),
    nested(2),
    400,
    "Multipart is nested more than 1 deep"
  ]
]

describe("exactly the limit is accepted, more is not:", () => {
  for (const [name, read, within, above, status, text] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        yield* run(read, within)
        assert.deepStrictEqual(yield* failure(read === Effect.void ? texts() : read, above), [status, text])
      })
    )
  }
})

describe("a limit that is none is refused when it is declared:", () => {
  const rows: ReadonlyArray<readonly [string, Multipart.Options, RegExp]> = [
    ["a size", { limit: "ten" as "10 B" }, /"ten" is no size; write "64 kB"/],
    ["a size of a field", { fieldLimit: "x" as "1 B" }, /"x" is no size/],
    ["a count of nothing", { maxParts: 0 }, /maxParts is 0: write a whole number above 0/],
    ["a fraction", { maxHeaders: 1.5 }, /maxHeaders is 1.5/],
    ["no number", { maxDepth: Number.NaN }, /maxDepth is NaN/]
  ]
  for (const [name, options, wanted] of rows) {
    it(name, () => {
      assert.throws(() => Multipart.readerWith(options), TypeError, wanted)
      assert.throws(() => Multipart.form(Schema.Struct({}), options), TypeError, wanted)
    })
  }
})

const count = (options: Multipart.Options) => Effect.map(texts(options), (found) => Response.text(String(found.length)))

const app = App.make({
  usual: Route.post("/usual", count({})),
  route: Route.post("/route", count({})).pipe(Route.bodyLimit("100 B")),
  raised: Route.post("/raised", count({ limit: "200 B" })).pipe(Route.bodyLimit("100 B")),
  form: Route.post(
    "/form",
    { body: Multipart.form(Schema.Record(Schema.String, Schema.String), { limit: "100 B" }) },
    () => Effect.succeed(Response.text("ok"))
  ),
  caught: Route.post(
    "/caught",
    Effect.catchTag(count({ limit: "100 B" }), "ContentTooLarge", ({ limit }) =>
      Effect.fail(new HttpError.Conflict({ text: `above ${limit}` }))
    )
  )
})

/** A body of so many bytes. */
const ofSize = (size: number): string => {
  const empty = body([file("f", "n", "")])
  return body([file("f", "n", xs(size - empty.length))])
}

const totals: ReadonlyArray<readonly [path: string, size: number, status: number]> = [
  ["/usual", 1_048_576, 200],
  ["/usual", 1_048_577, 413],
  ["/route", 100, 200],
  ["/route", 101, 413],
  ["/raised", 200, 200],
  ["/raised", 201, 413],
  ["/form", 101, 413],
  ["/caught", 101, 409]
]

describe("the limit of the whole body is that of the reader, or of its route, or 1 MiB:", () => {
  const head = (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nAccept: application/problem+json\r\n`
  for (const [path, size, status] of totals) {
    both(`${size} bytes to ${path}`, app, ({ connect, wire }) =>
      Effect.gen(function* () {
        const text = ofSize(size)
        yield* wire.send(`${head(path)}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${text}\r\n0\r\n\r\n`)
        const answer = yield* wire.answer()
        assert.strictEqual(answer.status, status)
        if (status === 413) assert.strictEqual(JSON.parse(answer.body.toString()).limit, size - 1)
        // Before it is sent
        const other = yield* connect
        yield* other.send(`${head(path)}Content-Length: ${size}\r\nExpect: 100-continue\r\n\r\n`)
        if (status === 200) {
          yield* other.until("100 Continue\r\n\r\n")
          yield* other.send(text)
        }
        const second = yield* other.answer()
        assert.deepStrictEqual([second.status, second.interim], [status, []])
      })
    )
  }
})
