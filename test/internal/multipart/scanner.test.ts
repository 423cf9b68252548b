/**
 * The scanner of multipart bodies: the same parts wherever the chunks are cut.
 */
import { assert, describe, it } from "@effect/vitest"
import { Scanner } from "../../../src/internal/multipart/scanner.ts"
import * as Seeded from "../../seeded.ts"

/** Heads and contents of a body, up to what it ends with. */
interface Scanned {
  readonly parts: ReadonlyArray<readonly [head: string, content: string]>
  readonly end: "end" | "more" | "large"
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

// Fed by every way: one chunk after the other, or several at once
const scan = (boundary: string, chunks: ReadonlyArray<Uint8Array>, atOnce = 1, limit = 100): Scanned => {
  const scanner = new Scanner(boundary, limit)
  let next = 0
  const give = (): boolean => {
    if (next >= chunks.length) return false
    scanner.give(chunks.slice(next, next + atOnce))
    next += atOnce
    return true
  }
  const parts: Array<readonly [string, string]> = []
  for (;;) {
    const head = scanner.head()
    if (head === "more" && give()) continue
    if (typeof head === "string") return { parts, end: head }
    const text = latin1(head)
    const pieces: Array<Uint8Array> = []
    while (scanner.take(pieces) === "more") if (!give()) return { parts, end: "more" }
    parts.push([text, pieces.map(latin1).join("")])
  }
}

const cut = (text: string, size: number): ReadonlyArray<Uint8Array> => {
  const bytes = Buffer.from(text, "latin1")
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size)
  )
}

type Row = readonly [name: string, boundary: string, body: string, wanted: Scanned]

const ends = (...parts: Scanned["parts"]): Scanned => ({ parts, end: "end" })
const stops = (...parts: Scanned["parts"]): Scanned => ({ parts, end: "more" })

const rows: ReadonlyArray<Row> = [
  [
    "two parts",
    "b",
    "--b\r\nA: 1\r\n\r\none\r\n--b\r\nB: 2\r\nC: 3\r\n\r\ntwo\r\n--b--\r\n",
    ends(["A: 1", "one"], ["B: 2\r\nC: 3", "two"])
  ],
  ["no parts", "b", "--b--", ends()],
  ["no parts, with what comes before and after", "b", "before\r\n--b--\r\nafter\r\n--b\r\n\r\nx\r\n--b--", ends()],
  [
    "a preamble and an epilogue",
    "b",
    "pre\r\namble --b\r\n--b\r\nA: 1\r\n\r\none\r\n--b--epi\r\n--b\r\n",
    ends(["A: 1", "one"])
  ],
  ["no headers", "b", "--b\r\n\r\none\r\n--b--", ends(["", "one"])],
  ["no headers and no content", "b", "--b\r\n\r\n\r\n--b--", ends(["", ""])],
  ["no content", "b", "--b\r\nA: 1\r\n\r\n\r\n--b--", ends(["A: 1", ""])],
  [
    "no content and no line for it",
    "b",
    "--b\r\nA: 1\r\n\r\n--b\r\nB: 2\r\n\r\n--b--",
    ends(["A: 1", ""], ["B: 2", ""])
  ],
  [
    "line ends in the content",
    "b",
    "--b\r\n\r\n\r\n\r\none\r\n\r\r\n\n\r\n--b--",
    ends(["", "\r\n\r\none\r\n\r\r\n\n"])
  ],
  [
    "white space behind a boundary",
    "b",
    "--b \t \r\nA: 1\r\n\r\none\r\n--b\t\r\n\r\ntwo\r\n--b-- \r\n",
    ends(["A: 1", "one"], ["", "two"])
  ],
  [
    "too much white space behind what is no boundary then",
    "b",
    `--b\r\n\r\none\r\n--b${" ".repeat(300)}\r\n\r\n--b--`,
    ends(["", `one\r\n--b${" ".repeat(300)}\r\n`])
  ],
  [
    "lines that only begin as the boundary",
    "b",
    "--b\r\n\r\n--bb\r\n--bc\r\n--b-\r\n--b-c\r\n--b x\r\n--b\n\r\n--b\rx\r\n--\r\n-\r\n--b--",
    ends(["", "--bb\r\n--bc\r\n--b-\r\n--b-c\r\n--b x\r\n--b\n\r\n--b\rx\r\n--\r\n-"])
  ],
  [
    "a boundary that is no line",
    "b",
    "--b\r\n\r\none --b\r\ntwo\n--b\r\nthree\r\n--b--",
    ends(["", "one --b\r\ntwo\n--b\r\nthree"])
  ],
  ["a first boundary that is no line", "b", " --b\r\n\r\nno\r\n--b\r\n\r\none\r\n--b--", ends(["", "one"])],
  [
    "the boundary of another body",
    "bb",
    "--bb\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--bb--",
    ends(["", "--b\r\n\r\nx\r\n--b--"])
  ],
  [
    "a boundary of hyphens",
    "-----",
    "-------\r\n\r\n----\r\n------\r\n-----\r\n---------",
    ends(["", "----\r\n------\r\n-----"])
  ],
  [
    "a boundary of spaces and signs",
    "a b'()+_,-./:=?",
    "--a b'()+_,-./:=?\r\n\r\none\r\n--a b'()+_,-./:=?--",
    ends(["", "one"])
  ],
  [
    "a boundary of 70",
    "x".repeat(70),
    `--${"x".repeat(70)}\r\n\r\n${"x".repeat(200)}\r\n--${"x".repeat(69)}\r\n--${"x".repeat(70)}--`,
    ends(["", `${"x".repeat(200)}\r\n--${"x".repeat(69)}`])
  ],
  [
    "bytes of all kinds",
    "b",
    `--b\r\n\r\n\0\xff\r\n-\r\r\n--\r\n--\0b\r\n--b--`,
    ends(["", "\0\xff\r\n-\r\r\n--\r\n--\0b"])
  ],
  [
    "headers of exactly the limit",
    "b",
    `--b\r\nA: ${"x".repeat(95)}\r\n\r\none\r\n--b--`,
    ends([`A: ${"x".repeat(95)}`, "one"])
  ],
  [
    "headers above the limit",
    "b",
    `--b\r\n\r\none\r\n--b\r\nA: ${"x".repeat(96)}\r\n\r\ntwo\r\n--b--`,
    { parts: [["", "one"]], end: "large" }
  ],
  ["headers without an end", "b", `--b\r\n${"A: 1\r\n".repeat(1000)}`, { parts: [], end: "large" }],
  ["a body without a boundary", "b", "one\r\ntwo\r\n", stops()],
  ["nothing", "b", "", stops()],
  ["a body that ends in a content", "b", "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--", stops(["", "one"])],
  ["a body that ends in the headers", "b", "--b\r\n\r\none\r\n--b\r\nA: 1\r\n", stops(["", "one"])],
  ["a body that ends in its boundary", "b", "--b\r\n\r\none\r\n--b", stops()],
  ["a body that ends in its closing boundary", "b", "--b\r\n\r\none\r\n--b-", stops()]
]

describe("a body is split, wherever its chunks are cut:", () => {
  for (const [name, boundary, body, wanted] of rows) {
    it(name, () => {
      for (let size = 1; size <= Math.min(body.length, 400) + 1; size++) {
        assert.deepStrictEqual(scan(boundary, cut(body, size)), wanted, `chunks of ${size}`)
        assert.deepStrictEqual(scan(boundary, cut(body, size), 3), wanted, `three chunks of ${size}`)
      }
      for (let at = 0; at <= Math.min(body.length, 400); at++) {
        const bytes = Buffer.from(body, "latin1")
        assert.deepStrictEqual(scan(boundary, [bytes.subarray(0, at), bytes.subarray(at)]), wanted, `cut at ${at}`)
      }
    })
  }
})

it("random bodies of what looks like boundaries are read back as they were written", () => {
  const random = Seeded.make(7)
  const tokens = [
    "\r\n",
    "\r",
    "\n",
    "--",
    "-",
    "ab",
    "a",
    "b",
    "aba",
    " ",
    "x",
    "--aba",
    "\r\n--ab",
    "\r\n--abaX",
    "\0"
  ]
  const text = () => Array.from({ length: random.below(12) }, () => random.pick(tokens)).join("")
  for (let round = 0; round < 3000; round++) {
    // What is a boundary by itself is no content
    const parts = Array.from({ length: random.below(4) }, () => ["A: 1", text()] as const).filter(
      ([, content]) => !/(?:^|\r\n)--aba(?:--|[ \t]*(?:\r\n|\r?$))/.test(content)
    )
    const body = `${parts.map(([head, content]) => `--aba\r\n${head}\r\n\r\n${content}\r\n`).join("")}--aba--`
    const chunks: Array<Uint8Array> = []
    const bytes = Buffer.from(body, "latin1")
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + random.below(9)
      chunks.push(bytes.subarray(at, at + size))
      at += size
    }
    assert.deepStrictEqual(scan("aba", chunks, 1 + random.below(4)), ends(...parts), JSON.stringify(body))
  }
})

it("a part that is not taken is passed over, from wherever one stopped", () => {
  const body = "--b\r\nA: 1\r\n\r\none\r\n--b\r\nB: 2\r\n\r\ntwo\r\n--b--"
  const scanner = new Scanner("b", 100)
  scanner.give([Buffer.from(body.slice(0, 14))])
  const pieces: Array<Uint8Array> = []
  assert.strictEqual(latin1(scanner.head() as Uint8Array), "A: 1")
  assert.strictEqual(scanner.take(pieces), "more")
  assert.strictEqual(pieces.map(latin1).join(""), "o")
  assert.strictEqual(scanner.head(), "more")
  scanner.give([Buffer.from(body.slice(14))])
  assert.strictEqual(latin1(scanner.head() as Uint8Array), "B: 2")
  assert.strictEqual(scanner.head(), "end")
  assert.strictEqual(scanner.take(pieces), "end")
})

it("pieces are views of the chunks, and no view of a used chunk is kept", () => {
  const scanner = new Scanner("b", 100)
  scanner.give([Buffer.from("--b\r\n\r\nx")])
  scanner.head()
  const pieces: Array<Uint8Array> = []
  scanner.take(pieces)
  const chunk = new Uint8Array(1000)
  scanner.give([chunk])
  scanner.take(pieces)
  assert.strictEqual(pieces[1]?.buffer, chunk.buffer)
  chunk.buffer.transfer(0)
  scanner.give([Buffer.from("\r\n--b--")])
  assert.strictEqual(scanner.take(pieces), "end")
})
