/**
 * Content codings of request bodies: undone within the limit, refused when unknown, a client error when broken.
 *
 * @spec RFC 9110 §8.4, §12.5.3, §15.5.16
 */
import * as Zlib from "node:zlib"
import { type Row, table } from "./table.ts"

const post = (path: string, coding: string, body: Uint8Array, head = ""): Buffer =>
  Buffer.concat([
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n${head}\r\n`
    ),
    body
  ])

const inChunks = (path: string, coding: string, body: Buffer, size: number): Buffer => {
  const parts: Array<Uint8Array> = [
    Buffer.from(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Encoding: ${coding}\r\nTransfer-Encoding: chunked\r\n\r\n`)
  ]
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"))
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")])
}

const text = Buffer.from(
  "It is a truth universally acknowledged, that a single man in possession of a good fortune. ".repeat(50)
)
const decoded = { body: JSON.stringify({ length: text.length, coding: null, stated: null }) }
const whole = { body: text.toString() }
const bad = "400 Bad Request"
const unsupported = "415 Unsupported Media Type"
const known = { headers: { "accept-encoding": "gzip, deflate, br, zstd" } }

const encoded = {
  gzip: Zlib.gzipSync(text),
  "x-gzip": Zlib.gzipSync(text),
  deflate: Zlib.deflateSync(text),
  br: Zlib.brotliCompressSync(text),
  zstd: Zlib.zstdCompressSync(text)
}

const understood: ReadonlyArray<Row> = [
  ...Object.entries(encoded).flatMap(
    ([coding, body]): ReadonlyArray<Row> => [
      [`${coding}`, post("/echo", coding, body), "200 OK", "kept", whole],
      [`${coding} in chunks`, inChunks("/echo", coding, body, 7), "200 OK", "kept", whole],
      [`${coding}, without its length and its coding`, post("/coding", coding, body), "200 OK", "kept", decoded],
      [`${coding} as a stream`, post("/counted", coding, body), "200 OK", "kept", { body: String(text.length) }],
      [`${coding} that nobody reads`, post("/ignore", coding, body), "200 OK", "kept", { body: "ignored" }]
    ]
  ),
  ["deflate without the frame of zlib", post("/echo", "deflate", Zlib.deflateRawSync(text)), "200 OK", "kept", whole],
  ["gzip in upper case", post("/echo", "GZIP", encoded.gzip), "200 OK", "kept", whole],
  [
    "gzip of two members",
    post("/echo", "gzip", Buffer.concat([encoded.gzip, encoded.gzip])),
    "200 OK",
    "kept",
    { body: `${text}${text}` }
  ],
  ["gzip of nothing", post("/echo", "gzip", Zlib.gzipSync("")), "200 OK", "kept", { body: "" }],
  ["no bytes at all", post("/echo", "gzip", Buffer.alloc(0)), "200 OK", "kept", { body: "" }],
  ["identity", post("/echo", "identity", text), "200 OK", "kept", whole],
  ["an empty list", post("/echo", "", text), "200 OK", "kept", whole],
  ["gzip, then br", post("/echo", "gzip, br", Zlib.brotliCompressSync(encoded.gzip)), "200 OK", "kept", whole],
  [
    "gzip, then br on two lines",
    post("/echo", "gzip", Zlib.brotliCompressSync(encoded.gzip), "Content-Encoding: br\r\n"),
    "200 OK",
    "kept",
    whole
  ],
  [
    "three",
    post("/echo", "deflate, identity, gzip, zstd", Zlib.zstdCompressSync(Zlib.gzipSync(encoded.deflate))),
    "200 OK",
    "kept",
    whole
  ]
]

table("RFC 9110 §8.4 codings that are understood", understood)

const refused: ReadonlyArray<Row> = [
  ["an unknown one", post("/echo", "compress", text), unsupported, "kept", known],
  ["an unknown one as a stream", post("/counted", "compress", text), unsupported, "kept", known],
  ["an unknown one below a known one", post("/echo", "compress, gzip", encoded.gzip), unsupported, "kept", known],
  ["the name of a prototype", post("/echo", "constructor", text), unsupported, "kept", known],
  ["an unknown one that nobody reads", post("/ignore", "compress", text), "200 OK", "kept", { body: "ignored" }],
  ["eleven", post("/echo", Array(11).fill("gzip").join(","), encoded.gzip), unsupported, "kept", known]
]

table("RFC 9110 §15.5.16 codings that are refused", refused)

const noise = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 31 + (at >> 8)) & 255))

const broken: ReadonlyArray<Row> = [
  ...Object.entries(encoded).flatMap(
    ([coding, body]): ReadonlyArray<Row> => [
      [`${coding} that is none`, post("/echo", coding, Buffer.from("this is no compressed data at all")), bad, "kept"],
      [
        `${coding} that is none, as a stream`,
        post("/counted", coding, Buffer.from("this is no compressed data")),
        bad,
        "kept"
      ],
      [`${coding} that ends too early`, post("/echo", coding, body.subarray(0, body.length - 9)), bad, "kept"],
      [
        `${coding} that ends too early, as a stream`,
        post("/counted", coding, body.subarray(0, body.length - 9)),
        bad,
        "kept"
      ],
      [`${coding} that ends at its start`, post("/echo", coding, body.subarray(0, 1)), bad, "kept"],
      [`${coding} that is noise of 300 KB`, post("/echo", coding, noise), bad, "closed", { whole: true }]
    ]
  ),
  ["gzip with a wrong checksum", post("/echo", "gzip", flipped(encoded.gzip, -6)), bad, "kept"],
  ["gzip inside br that is none", post("/echo", "gzip, br", Zlib.brotliCompressSync(text)), bad, "kept"]
]

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[copy.length + at] = 255 - (copy.at(at) as number)
  return copy
}

table("RFC 9110 §8.4 codings that are broken", broken)

const tooLarge = "413 Content Too Large"
const mebibyte = 1024 * 1024
const zeros = (size: number): Buffer => Buffer.alloc(size)

const bombs: ReadonlyArray<Row> = [
  [
    "exactly the limit",
    post("/counted", "gzip", Zlib.gzipSync(zeros(mebibyte))),
    "200 OK",
    "kept",
    { body: String(mebibyte) }
  ],
  ["one byte more", post("/echo", "gzip", Zlib.gzipSync(zeros(mebibyte + 1))), tooLarge, "kept"],
  ["one byte more, as a stream", post("/counted", "gzip", Zlib.gzipSync(zeros(mebibyte + 1))), tooLarge, "kept"],
  ["one byte more than the limit of the route", post("/small", "gzip", Zlib.gzipSync(zeros(11))), tooLarge, "kept"],
  [
    "100 MB of zeros in gzip",
    post("/echo", "gzip", Zlib.gzipSync(zeros(100_000_000))),
    tooLarge,
    "kept",
    { whole: true }
  ],
  [
    "100 MB of zeros in br",
    post(
      "/echo",
      "br",
      Zlib.brotliCompressSync(zeros(100_000_000), { params: { [Zlib.constants.BROTLI_PARAM_QUALITY]: 3 } })
    ),
    tooLarge,
    "kept"
  ],
  [
    "100 MB of zeros in zstd",
    post("/echo", "zstd", Zlib.zstdCompressSync(zeros(100_000_000))),
    tooLarge,
    "kept",
    { whole: true }
  ],
  [
    "100 MB of zeros in gzip in gzip",
    post("/echo", "gzip, gzip", Zlib.gzipSync(Zlib.gzipSync(zeros(100_000_000)))),
    tooLarge,
    "kept"
  ]
]

table("RFC 9110 §15.5.14 codings that swell", bombs)
