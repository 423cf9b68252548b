/**
 * Multipart bodies on the wire: what is in order is read, what is not is refused with a reason, and the connection goes on.
 *
 * @spec RFC 2046 §5.1; RFC 7578
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { body, field, file, type } from "../multiparts.ts"
import { both } from "../server/both.ts"
import { app } from "./multipartApp.ts"

/** To where, of which type, what: and the status with the detail of the problem, or the text of the answer. */
type Row = readonly [name: string, path: string, contentType: string | undefined, body: string, wanted: string]

const mixed = (boundary: string, ...parts: Parameters<typeof body>[0]): string => body(parts, boundary)
const inner = [
  'Content-Disposition: form-data; name="files"\r\nContent-Type: multipart/mixed; boundary=c',
  mixed("c", ['Content-Disposition: file; filename="1.txt"', "one"], ["", "two"])
] as const
const nest = (depth: number): string =>
  depth === 0
    ? "x"
    : body(
        [[`Content-Type: multipart/mixed; boundary=b${depth - 1}`, nest(depth - 1)]],
        depth === 3 ? "b" : `b${depth}`
      )

const read: ReadonlyArray<Row> = [
  ["a form", "/parts", type, body([field("a", "1"), file("f", "x.txt", "two")]), '200 [["a","1"],["f/x.txt","two"]]'],
  ["a form without parts", "/parts", type, "--b--\r\n", "200 []"],
  ["a form without the last line end", "/parts", type, "--b--", "200 []"],
  ["a form with preamble and epilogue", "/parts", type, `pre\r\n${body([field("a", "1")])}epi`, '200 [["a","1"]]'],
  [
    "a boundary in quotes",
    "/parts",
    'multipart/form-data; boundary="b b"',
    body([field("a", "1")], "b b"),
    '200 [["a","1"]]'
  ],
  [
    "a boundary of 70 characters",
    "/parts",
    `multipart/form-data; boundary=${"x".repeat(70)}`,
    body([field("a", "1")], "x".repeat(70)),
    '200 [["a","1"]]'
  ],
  [
    "white space behind a boundary",
    "/parts",
    type,
    body([field("a", "1")]).replace("--b\r", "--b \t\r"),
    '200 [["a","1"]]'
  ],
  [
    "a type with other parameters, in upper case",
    "/parts",
    'Multipart/Form-Data; charset=x; Boundary="b"',
    body([field("a", "1")]),
    '200 [["a","1"]]'
  ],
  [
    "multipart of another kind, whose parts need no name",
    "/parts",
    "multipart/mixed; boundary=b",
    body([
      ["", "1"],
      ["Content-Type: text/plain", "2"]
    ]),
    '200 [["","1"],["","2"]]'
  ],
  [
    "multipart within a form",
    "/parts",
    type,
    body([inner, field("a", "1")]),
    '200 [["files",[["/1.txt","one"],["","two"]]],["a","1"]]'
  ],
  [
    "multipart three deep",
    "/parts",
    "multipart/mixed; boundary=b",
    nest(3).replace("multipart/mixed; boundary=b0", "text/plain"),
    '200 [["",[["",[["","x"]]]]]]'
  ],
  [
    "parts that are passed over",
    "/skip",
    type,
    body([field("a", "1"), inner, file("f", "x", "y".repeat(100_000))]),
    "200 3"
  ],
  [
    "parts that are saved",
    "/save",
    type,
    body([file("a", "b.txt", "one"), file("a", "../../c.txt", ""), field("d", "two")]),
    '200 {"sizes":[3,0,3],"names":["b.txt","c.txt","none"]}'
  ],
  [
    "a form by its schema",
    "/form",
    type,
    body([field("title", "T"), field("count", "3"), field("tag", "x"), file("file", "y", "z")]),
    '200 {"title":"T","count":3,"tag":["x"],"file":["y",1,"z"]}'
  ]
]

const refused: ReadonlyArray<Row> = [
  ["another type", "/parts", "application/json", "{}", "415 Expected multipart/*, got application/json"],
  ["no type", "/parts", undefined, "{}", "415 Expected multipart/*, got no valid Content-Type"],
  [
    "multipart of another kind for a form",
    "/form",
    "multipart/mixed; boundary=b",
    body([field("a", "1")]),
    "415 Expected multipart/form-data, got multipart/mixed"
  ],
  [
    "no boundary",
    "/parts",
    "multipart/form-data",
    body([field("a", "1")]),
    "400 multipart/form-data needs a boundary of 1 to 70 characters in its Content-Type"
  ],
  [
    "an empty boundary",
    "/parts",
    'multipart/form-data; boundary=""',
    body([]),
    "400 multipart/form-data needs a boundary of 1 to 70 characters in its Content-Type"
  ],
  [
    "a boundary of 71 characters",
    "/parts",
    `multipart/form-data; boundary=${"x".repeat(71)}`,
    body([], "x".repeat(71)),
    "400 multipart/form-data needs a boundary of 1 to 70 characters in its Content-Type"
  ],
  [
    "a boundary that ends in a space",
    "/parts",
    'multipart/form-data; boundary="b "',
    body([], "b "),
    "400 multipart/form-data needs a boundary of 1 to 70 characters in its Content-Type"
  ],
  ["no body", "/parts", type, "", "400 The body ends before its closing boundary"],
  ["a body without a boundary", "/parts", type, "a=1&b=2", "400 The body ends before its closing boundary"],
  [
    "the boundary of another",
    "/parts",
    type,
    body([field("a", "1")], "c"),
    "400 The body ends before its closing boundary"
  ],
  [
    "line ends without CR",
    "/parts",
    type,
    body([field("a", "1")]).replaceAll("\r", ""),
    "400 The body ends before its closing boundary"
  ],
  [
    "an end in the middle of a part",
    "/parts",
    type,
    body([field("a", "1")]).slice(0, -10),
    "400 The body ends before its closing boundary"
  ],
  [
    "an end in the middle of a part that is passed over",
    "/skip",
    type,
    body([field("a", "1")]).slice(0, -10),
    "400 The body ends before its closing boundary"
  ],
  [
    "an end in the middle of a part that is saved",
    "/save",
    type,
    body([file("a", "a", "1".repeat(1000))]).slice(0, -10),
    "400 The body ends before its closing boundary"
  ],
  [
    "an end in the middle of the headers",
    "/parts",
    type,
    body([field("a", "1")]).slice(0, 20),
    "400 The body ends before its closing boundary"
  ],
  [
    "an end before the closing hyphens",
    "/parts",
    type,
    "--b\r\n\r\n--b",
    '400 Part 1 has no name: each part of a form has "Content-Disposition: form-data; name=..."'
  ],
  [
    "an end within a part that is multipart",
    "/parts",
    type,
    body([[inner[0], inner[1].replace("--c--", "")]]),
    "400 The body ends before its closing boundary"
  ],
  [
    "a part without headers",
    "/parts",
    type,
    body([["", "1"]]),
    '400 Part 1 has no name: each part of a form has "Content-Disposition: form-data; name=..."'
  ],
  [
    "a part without a name",
    "/parts",
    type,
    body([field("a", "1"), ['Content-Disposition: form-data; filename="x"', "1"]]),
    '400 Part 2 has no name: each part of a form has "Content-Disposition: form-data; name=..."'
  ],
  [
    "a part that is no form-data",
    "/parts",
    type,
    body([['Content-Disposition: attachment; name="a"', "1"]]),
    '400 Part 1 has no name: each part of a form has "Content-Disposition: form-data; name=..."'
  ],
  [
    "a malformed Content-Disposition",
    "/parts",
    type,
    body([['Content-Disposition: form-data; name="a', "1"]]),
    "400 The Content-Disposition of part 1 is malformed"
  ],
  [
    "two names",
    "/parts",
    type,
    body([field("a", "1", '; name="b"')]),
    "400 The Content-Disposition of part 1 is malformed"
  ],
  [
    "two Content-Dispositions",
    "/parts",
    type,
    body([field("a", "1", '\r\nContent-Disposition: form-data; name="b"')]),
    "400 Part 1 has two content-disposition fields"
  ],
  [
    "a malformed Content-Type",
    "/parts",
    type,
    body([field("a", "1", "\r\nContent-Type: text")]),
    "400 The Content-Type of part 1 is malformed"
  ],
  [
    "a header without a colon",
    "/parts",
    type,
    body([field("a", "1", "\r\nX")]),
    "400 The headers of part 1 are malformed"
  ],
  [
    "a header with a space in its name",
    "/parts",
    type,
    body([field("a", "1", "\r\nX Y: 1")]),
    "400 The headers of part 1 are malformed"
  ],
  ["a header with a NUL", "/parts", type, body([field("a\0b", "1")]), "400 The headers of part 1 are malformed"],
  [
    "a header with a bare line feed",
    "/parts",
    type,
    body([field("a", "1", "\nX: 1")]),
    "400 The headers of part 1 are malformed"
  ],
  [
    "a first line that goes on with another",
    "/parts",
    type,
    body([[" X: 1", "1"]]),
    "400 The headers of part 1 are malformed"
  ],
  [
    "no line between two boundaries",
    "/parts",
    type,
    "--b\r\n--b\r\n\r\n\r\n--b--",
    "400 The headers of part 1 are malformed"
  ],
  [
    "a transfer encoding that is not known",
    "/parts",
    type,
    body([field("a", "1", "\r\nContent-Transfer-Encoding: x-uuencode")]),
    '415 The field "a" has the Content-Transfer-Encoding "x-uuencode", which is not known'
  ],
  [
    "a transfer encoding that is empty",
    "/parts",
    type,
    body([field("a", "1", "\r\nContent-Transfer-Encoding:")]),
    '415 The field "a" has the Content-Transfer-Encoding "", which is not known'
  ],
  [
    "what is no base64",
    "/parts",
    type,
    body([field("a", "%%%%", "\r\nContent-Transfer-Encoding: base64")]),
    '400 The field "a" is not base64'
  ],
  [
    "base64 that is cut off",
    "/save",
    type,
    body([file("a", "x", "AAAAA", "\r\nContent-Transfer-Encoding: base64")]),
    '400 The file "a" is not base64'
  ],
  [
    "what is no quoted-printable",
    "/form",
    type,
    body([field("a", "=zz", "\r\nContent-Transfer-Encoding: quoted-printable")]),
    '400 The field "a" is not quoted-printable'
  ],
  ["a text that is not in its charset", "/parts", type, body([field("a", "\xff")]), '415 The field "a" is not utf-8'],
  [
    "a charset that is not known",
    "/parts",
    type,
    body([field("a", "1", "\r\nContent-Type: text/plain; charset=klingon")]),
    '415 The field "a" has a charset that is not supported'
  ],
  [
    "a _charset_ that is not known",
    "/parts",
    type,
    body([field("_charset_", "klingon"), field("a", "1")]),
    '415 The field "a" has a charset that is not supported'
  ],
  ["multipart too deep", "/parts", "multipart/mixed; boundary=b", nest(3), "400 Multipart is nested more than 3 deep"],
  [
    "multipart without a boundary within",
    "/parts",
    type,
    body([field("a", "", "\r\nContent-Type: multipart/mixed")]),
    "400 multipart/mixed needs a boundary of 1 to 70 characters in its Content-Type"
  ],
  [
    "a form that is not the schema",
    "/form",
    type,
    body([field("count", "x"), field("file", "no file")]),
    "422 Invalid body: title: Missing key (and 2 more)"
  ]
]

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1")

const framed = (path: string, contentType: string | undefined, text: string, isChunked: boolean): Buffer => {
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\n${contentType === undefined ? "" : `Content-Type: ${contentType}\r\n`}`
  if (!isChunked) return latin1(`${head}Content-Length: ${text.length}\r\n\r\n${text}`)
  const chunks = text.match(/[\s\S]{1,7}/g) ?? []
  return latin1(
    `${head}Transfer-Encoding: chunked\r\n\r\n${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("")}0\r\n\r\n`
  )
}

for (const [title, rows] of [
  ["is read:", read],
  ["is refused:", refused]
] as const) {
  describe(title, () => {
    for (const [name, path, contentType, text, wanted] of rows) {
      both(name, app, ({ logs, wire }) =>
        Effect.gen(function* () {
          for (const isChunked of [false, true]) {
            yield* wire.send(framed(path, contentType, text, isChunked))
            const { body, status } = yield* wire.answer()
            const answer = body.toString()
            assert.strictEqual(`${status} ${status === 200 ? answer : JSON.parse(answer).detail}`, wanted)
          }
          yield* wire.send("GET /probe HTTP/1.1\r\nHost: a\r\n\r\n")
          assert.strictEqual((yield* wire.answer()).body.toString(), "probe")
          assert.deepStrictEqual(
            logs.filter((line) => !line.startsWith("Debug")),
            []
          )
        })
      )
    }
  })
}
