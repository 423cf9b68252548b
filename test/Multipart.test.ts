/**
 * Parts as they arrive: in order, passed over, read in every way, and whatever they are called.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as HttpError from "../src/HttpError.ts"
import * as Multipart from "../src/Multipart.ts"
import type { Sent } from "./bodies.ts"
import { body, failure, field, file, form, latin1, run, streamed, texts, type } from "./multiparts.ts"

const both = form(field("name", "Ann"), file("mp3", "song.mp3", "tune", "\r\nContent-Type: audio/mpeg"))

/** The first part. */
const first = Effect.flatMap(Multipart.reader, (parts) =>
  Effect.flatMap(parts.next, (part) => (part === undefined ? Effect.die("There is no part") : Effect.succeed(part)))
)

it.effect("parts are read field by field", () =>
  Effect.gen(function* () {
    const parts = yield* Multipart.reader
    assert.strictEqual(yield* parts.field("name"), "Ann")
    const mp3 = yield* parts.file("mp3")
    assert.deepStrictEqual([mp3.name, mp3.filename, mp3.contentType], ["mp3", "song.mp3", "audio/mpeg"])
    assert.strictEqual(yield* mp3.text, "tune")
    assert.isUndefined(yield* parts.next)
    assert.isUndefined(yield* parts.next)
  }).pipe((effect) => run(effect, both))
)

it.effect("parts are read as a stream", () =>
  Effect.gen(function* () {
    const parts = yield* Multipart.reader
    const read = Stream.mapEffect(parts.stream, (part) => Effect.map(part.text, (text) => [part.name, text]))
    assert.deepStrictEqual(yield* Stream.runCollect(read), [
      ["name", "Ann"],
      ["mp3", "tune"]
    ])
  }).pipe((effect) => run(effect, both))
)

describe("what is left of a part is passed over when the next is asked for,", () => {
  const chunks = Array.from({ length: 100 }, () => "x".repeat(1000))
  const large = () =>
    streamed(type, [
      `--b\r\n${file("a", "a", "")[0]}\r\n\r\n`,
      ...chunks,
      `\r\n--b\r\n${field("z", "")[0]}\r\n\r\nlast\r\n--b--`
    ])
  const rows: ReadonlyArray<readonly [string, (part: Multipart.Part) => Effect.Effect<unknown, Multipart.Failure>]> = [
    ["of one that was not touched", () => Effect.void],
    ["of one that was read", (part) => part.bytes],
    ["of one that was read in part", (part) => Stream.runDrain(Stream.take(part.stream, 1))],
    ["of one whose reading failed", (part) => Effect.ignore(part.json(Schema.String))]
  ]
  for (const [name, use] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const parts = yield* Multipart.reader
        const part = yield* parts.file("a")
        yield* use(part)
        assert.strictEqual(yield* parts.field("z"), "last")
        assert.isUndefined(yield* parts.next)
      }).pipe((effect) => run(effect, large()))
    )
  }
})

describe("a part that cannot be read any more says so:", () => {
  const rows: ReadonlyArray<
    readonly [
      string,
      Effect.Effect<unknown, Multipart.Failure, HttpServerRequest.HttpServerRequest | Scope.Scope>,
      string
    ]
  > = [
    [
      "one that was passed over",
      Effect.gen(function* () {
        const parts = yield* Multipart.reader
        const part = yield* parts.next
        yield* parts.next
        yield* part?.text ?? Effect.void
      }),
      'Multipart: The field "name" was passed over: read it before the next part'
    ],
    [
      "one that no file system is there for",
      Effect.gen(function* () {
        const parts = yield* Multipart.reader
        const part = yield* parts.next
        yield* part?.saveTo("/nowhere/x") ?? Effect.void
      }),
      "Multipart: there is no effect/FileSystem to write a file with: provide it, as NodeServices.layer does"
    ],
    [
      "one whose stream was read",
      Effect.flatMap(first, (part) => Effect.andThen(Stream.runDrain(part.stream), part.text)),
      'Multipart: The field "name" was read before: it comes once'
    ],
    [
      "one that another fiber is reading",
      Effect.gen(function* () {
        const parts = yield* Multipart.reader
        yield* Effect.all([parts.next, parts.next], { concurrency: 2 })
      }),
      "Multipart: two fibers read one body at the same time"
    ]
  ]
  for (const [name, effect, wanted] of rows) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(run(effect, both))
        const [reason] = exit._tag === "Failure" ? exit.cause.reasons : []
        assert.strictEqual(reason?._tag === "Die" ? String(reason.defect) : reason, `Error: ${wanted}`)
      })
    )
  }
})

it.effect("what was read whole is read again, as text, bytes, JSON and stream, after the part too", () =>
  Effect.gen(function* () {
    const parts = yield* Multipart.reader
    const part = (yield* parts.next) ?? assert.fail()
    assert.strictEqual(yield* part.text, "[1, 2]")
    yield* parts.next
    assert.deepStrictEqual(yield* part.json(Schema.Array(Schema.Int)), [1, 2])
    assert.deepStrictEqual(yield* part.bytes, latin1("[1, 2]"))
    const chunks = yield* Stream.runCollect(part.stream)
    assert.strictEqual(Buffer.concat(chunks).toString(), "[1, 2]")
  }).pipe((effect) => run(effect, form(field("a", "[1, 2]"), field("b", ""))))
)

describe("a field or file that is not the next part is 422,", () => {
  const rows: ReadonlyArray<
    readonly [string, (parts: Multipart.Reader) => Effect.Effect<unknown, Multipart.Failure>, Sent, string]
  > = [
    [
      "a field of another name",
      (parts) => parts.field("a"),
      both,
      'Invalid body: a: Expected this field next, got the field "name"'
    ],
    [
      "a file for a field",
      (parts) => parts.field("f"),
      form(file("f", "x", "")),
      'Invalid body: f: Expected this field next, got the file "f"'
    ],
    [
      "a field for a file",
      (parts) => parts.file("name"),
      both,
      'Invalid body: name: Expected this file next, got the field "name"'
    ],
    [
      "no file chosen",
      (parts) => parts.file("f"),
      form(file("f", "", "")),
      "Invalid body: f: Expected this file next, got none"
    ],
    [
      "no part",
      (parts) => parts.field("a"),
      form(),
      "Invalid body: a: Expected this field next, got the end of the body"
    ]
  ]
  for (const [name, use, from, wanted] of rows) {
    it.effect(name, () =>
      Effect.map(failure(Effect.flatMap(Multipart.reader, use), from), (found) =>
        assert.deepStrictEqual(found, [422, wanted])
      )
    )
  }
})

describe("a text is decoded", () => {
  const rows: ReadonlyArray<readonly [string, string, ReadonlyArray<readonly [string, string]>]> = [
    ["as UTF-8", body([field("a", "\xc3\xa9")]), [["a", "é"]]],
    [
      "by the charset of the part",
      body([field("a", "\xe9", "\r\nContent-Type: text/plain; charset=latin1")]),
      [["a", "é"]]
    ],
    [
      "by the _charset_ field before it",
      body([field("_charset_", "iso-8859-1"), field("a", "\xe9"), field("b", "\xe8")]),
      [
        ["a", "é"],
        ["b", "è"]
      ]
    ],
    [
      "by the charset of the part before that of the form",
      body([field("_charset_", "latin1"), field("a", "\xc3\xa9", "\r\nContent-Type: text/plain; charset=utf-8")]),
      [["a", "é"]]
    ],
    [
      "with a _charset_ field that is not the first",
      body([field("a", "x"), field("_charset_", "latin1")]),
      [
        ["a", "x"],
        ["_charset_", "latin1"]
      ]
    ],
    ["from base64", body([field("a", "w6k=\r\n", "\r\nContent-Transfer-Encoding: base64")]), [["a", "é"]]],
    [
      "from quoted-printable",
      body([field("a", "=C3=\r\n=A9", "\r\ncontent-transfer-encoding: Quoted-Printable")]),
      [["a", "é"]]
    ],
    ["of 8bit as it is", body([field("a", "=C3\xc3\xa9", "\r\nContent-Transfer-Encoding: 8bit")]), [["a", "=C3é"]]],
    [
      "whatever length and coding its part claims",
      body([field("a", "abc", "\r\nContent-Length: 1\r\nContent-Encoding: gzip")]),
      [["a", "abc"]]
    ],
    ["with the name of a prototype", body([field("__proto__", "x")]), [["__proto__", "x"]]],
    ["with a name in UTF-8", body([field("\xc3\xa4", "x")]), [["ä", "x"]]],
    [
      "of several parts of one name",
      body([field("a", "1"), field("a", "2")]),
      [
        ["a", "1"],
        ["a", "2"]
      ]
    ]
  ]
  for (const [name, text, wanted] of rows) {
    it.effect(name, () =>
      Effect.map(run(texts(), [type, latin1(text)]), (found) => assert.deepStrictEqual(found, wanted))
    )
  }
})

it.effect("headers have a null prototype and names in lower case, as they were sent", () =>
  Effect.gen(function* () {
    const { headers, ...part } = yield* first
    assert.isNull(Object.getPrototypeOf(headers))
    assert.deepStrictEqual(
      { ...headers },
      {
        "content-disposition": 'form-data; name="a"; filename="../../b.txt"',
        "x-a": "1, 2",
        "x-folded": "a b",
        ["__proto__"]: "x"
      }
    )
    assert.deepStrictEqual([part.filename, part.contentType], ["b.txt", "application/octet-stream"])
  }).pipe((effect) =>
    run(effect, form(file("a", "../../b.txt", "x", "\r\nX-A: 1\r\nX-Folded: a\r\n b\r\nx-a:2 \r\n__proto__: x")))
  )
)

describe("a file name is safe to show:", () => {
  const rows: ReadonlyArray<readonly [sent: string, wanted: string]> = [
    // Shown as "invoice_exe.pdf"
    ["invoice_\u202Efdp.exe", "invoice_fdp.exe"],
    ["\u2066a\u2069\u200Fb\u061C.txt", "ab.txt"],
    ["\u202E", "_"],
    ["\u202E..", "_"],
    ["שלום.txt", "שלום.txt"],
    ["", ""]
  ]
  for (const [name, wanted] of rows) {
    it.effect(JSON.stringify(name), () =>
      Effect.map(run(first, form(file("a", name, "x"))), ({ filename }) => assert.strictEqual(filename, wanted))
    )
  }
})

it("types: a reader needs what the engine gives, and fails with what has a response", () => {
  expectTypeOf(Multipart.reader).toEqualTypeOf<
    Effect.Effect<Multipart.Reader, Multipart.Failure, HttpServerRequest.HttpServerRequest | Scope.Scope>
  >()
  expectTypeOf<Multipart.Failure>().toExtend<HttpError.HttpError>()
})
