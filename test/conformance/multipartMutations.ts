/**
 * Multipart bodies that are nearly in order, from a seed.
 */
import { body, field, file } from "../multiparts.ts"
import type { Seeded } from "../seeded.ts"
import { inPieces } from "./fuzzing.ts"

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1")

const inner = body(
  [
    ['Content-Disposition: file; filename="1"', "one"],
    ["", "two"]
  ],
  "c"
)

const corpus: ReadonlyArray<Buffer> = [
  body([field("title", "T"), field("count", "3"), field("tag", "a"), field("tag", "b")]),
  body([field("title", "T"), file("file", "a.txt", "content", "\r\nContent-Type: text/plain; charset=utf-8")]),
  body([file("file", "", "", "\r\nContent-Type: application/octet-stream"), field("title", "")]),
  body([field("_charset_", "latin1"), field("title", "\xe9")]),
  body([field("title", "w6k=", "\r\nContent-Transfer-Encoding: base64")]),
  body([file("file", "x", "=C3=\r\n=A9", "\r\nContent-Transfer-Encoding: quoted-printable")]),
  body([field("title", "T"), [`${field("file", "")[0]}\r\nContent-Type: multipart/mixed; boundary=c`, inner]]),
  `before\r\n${body([field("a", "\r\n--bb\r\n--b x\r\n--")])}after\r\n--b\r\n`,
  body([["Content-Disposition: form-data; name=a; filename*0*=UTF-8''%C3; filename*1*=%A9.txt", "x"]]),
  body([file("file", "big", "x".repeat(70_000)), field("title", "T")]),
  body(Array.from({ length: 50 }, (_, index) => field(`${index}`, "v")))
].map(latin1)

const tokens: ReadonlyArray<string> = [
  ...[
    "\r\n",
    "\r",
    "\n",
    "\r\n\r\n",
    "--",
    "--b",
    "\r\n--b",
    "\r\n--b--",
    "\r\n--b\r\n",
    "--b--",
    "--c",
    "\0",
    "\xff",
    " ",
    "\t"
  ],
  ...[
    ":",
    ";",
    "=",
    '"',
    "\\",
    "%",
    "'",
    "*",
    "/",
    "..",
    "../../x",
    "name=",
    'filename="',
    "filename*=UTF-8''%",
    "__proto__"
  ],
  ...[
    "Content-Disposition: form-data; name=z\r\n",
    "Content-Disposition: attachment\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: multipart/mixed; boundary=c\r\n",
    "Content-Type: text/plain; charset=utf-16\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: x\r\n",
    "X: y\r\n z\r\n"
  ],
  ...[
    "x".repeat(20_000),
    "X: y\r\n".repeat(120),
    "--b\r\n\r\n".repeat(1200),
    body([field("a", "")])
      .replace("--b--\r\n", "")
      .repeat(1100)
  ],
  ...["y".repeat(1_100_000)]
]

const step = (random: Seeded, bytes: Buffer): Buffer => {
  const at = random.below(bytes.length + 1)
  const to = Math.min(bytes.length, at + random.below(40))
  const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
  switch (random.below(7)) {
    case 0:
    case 1:
      // The longest are rare
      return Buffer.concat([
        head,
        latin1(tokens[random.below(random.chance(0.1) ? tokens.length : tokens.length - 5)]!),
        middle,
        tail
      ])
    case 2:
      return Buffer.concat([head, tail])
    case 3:
      return Buffer.concat([head, middle, middle, tail])
    case 4: {
      const copy = Buffer.from(bytes)
      if (copy.length > 0) copy[random.below(copy.length)] = random.below(256)
      return copy
    }
    case 5:
      return bytes.subarray(0, at)
    default:
      return Buffer.concat([head, random.pick(corpus), tail])
  }
}

const types: ReadonlyArray<string> = [
  "multipart/form-data; boundary=b",
  'multipart/form-data; boundary="b"',
  "multipart/form-data; boundary=b",
  "multipart/mixed; boundary=b",
  "multipart/form-data; boundary=c",
  "multipart/form-data; boundary",
  "multipart/form-data; boundary=bb"
]

/** A request, in the pieces in which it is sent, and how to show it. */
export const mutated = (random: Seeded): { readonly pieces: ReadonlyArray<Buffer>; readonly shown: string } => {
  let bytes = random.pick(corpus)
  for (let count = random.below(5); count > 0; count--) bytes = step(random, bytes)
  const path = random.pick(["/parts", "/parts", "/skip", "/form", "/form", "/save"])
  const type = random.chance(0.8) ? types[0] : random.pick(types)
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\n`
  const all = random.chance(0.5)
    ? Buffer.concat([latin1(`${head}Content-Length: ${bytes.length}\r\n\r\n`), bytes])
    : Buffer.concat([
        latin1(`${head}Transfer-Encoding: chunked\r\n\r\n`),
        ...(bytes.length === 0 ? [] : [latin1(`${bytes.length.toString(16)}\r\n`), bytes, latin1("\r\n")]),
        latin1("0\r\n\r\n")
      ])
  return inPieces(random, all, 200)
}
