/**
 * Bytes that are nearly HTTP, from a seed.
 */
import * as Zlib from "node:zlib"
import type { Seeded } from "../seeded.ts"
import { inPieces } from "./fuzzing.ts"

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1")

const gzipped = Zlib.gzipSync("x".repeat(2000))

const corpus: ReadonlyArray<Buffer> = [
  latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
  latin1("GET /seen/x?y=1 HTTP/1.1\r\nHost: a:80\r\nCookie: a=1; b=2\r\nAccept: text/html,*/*;q=0.5\r\n\r\n"),
  latin1("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n"),
  latin1("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
  latin1("GET http://a/stream HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"),
  latin1("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
  latin1("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"),
  latin1(
    'GET /tagged HTTP/1.1\r\nHost: a\r\nIf-None-Match: "1", W/"2"\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n'
  ),
  latin1("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"),
  latin1(
    "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nx: y\r\n\r\n"
  ),
  latin1("POST /counted HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
  latin1(`POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n${"z".repeat(50)}`),
  latin1("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nhello world!"),
  latin1("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
  latin1(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
  ),
  Buffer.concat([
    latin1(`POST /coding HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: ${gzipped.length}\r\n\r\n`),
    gzipped
  ])
]

const tokens: ReadonlyArray<string> = [
  ...[
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\0",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "%",
    "%00",
    "%zz",
    "/../",
    "//",
    "*",
    "#",
    "@",
    "\xff",
    "\x7f"
  ],
  ...[
    "Host: b\r\n",
    "Host:\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 99999999999999999999\r\n",
    "Content-Length: -1\r\n"
  ],
  ...["Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n"],
  ...[
    "Expect: 100-continue\r\n",
    "Expect: x\r\n",
    "Connection: close\r\n",
    "Content-Encoding: br\r\n",
    "Content-Encoding: x\r\n"
  ],
  ...["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/0.9", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01"],
  ...[
    "0\r\n\r\n",
    "ffffffff\r\n",
    "fffffffffffffffff\r\n",
    "__proto__: x\r\n",
    "x: y\r\n z\r\n",
    "a".repeat(9000),
    "x: y\r\n".repeat(120)
  ]
]

const step = (random: Seeded, bytes: Buffer): Buffer => {
  const at = random.below(bytes.length + 1)
  const to = Math.min(bytes.length, at + random.below(20))
  const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)]
  switch (random.below(7)) {
    case 0:
      return Buffer.concat([head, latin1(random.pick(tokens)), middle, tail])
    case 1:
      return Buffer.concat([head, latin1(random.pick(tokens)), tail])
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
      return Buffer.concat([bytes, random.pick(corpus)])
    default:
      return Buffer.concat([head, random.pick(corpus), tail])
  }
}

const noise = (random: Seeded): Buffer =>
  Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)))

/** The next bytes, in the pieces in which they are sent, and how to show them. */
export const mutated = (random: Seeded): { readonly pieces: ReadonlyArray<Buffer>; readonly shown: string } => {
  let bytes = random.chance(0.05) ? noise(random) : random.pick(corpus)
  for (let count = random.below(6); count > 0; count--) bytes = step(random, bytes)
  return inPieces(random, bytes, 40)
}
