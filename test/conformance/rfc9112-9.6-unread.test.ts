/**
 * Bodies that nobody reads to their end: small ones are read away, large ones close the connection after the answer.
 *
 * @spec RFC 9112 §9.3, §9.6; RFC 9110 §15.5.14
 */
import { type Row, table } from "./table.ts"

const post = (path: string, size: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`
const chunked = (path: string, size: number, count: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${`${size.toString(16)}\r\n${"x".repeat(size)}\r\n`.repeat(count)}0\r\n\r\n`

const large = { whole: true } as const
const tooLarge = "413 Content Too Large"

const rows: ReadonlyArray<Row> = [
  ["a small one that is ignored", post("/ignore", 1000), "200 OK", "kept", { body: "ignored" }],
  ["a small one that is refused", post("/refuse", 1000), "403 Forbidden", "kept"],
  ["a small one for an unknown path", post("/unknown", 1000), "404 Not Found", "kept"],
  ["a small one above the limit of its route", post("/small", 11), tooLarge, "kept"],
  ["one of exactly the limit of its route", post("/small", 10), "200 OK", "kept"],
  ["a small one in chunks above the limit of its route", chunked("/small", 6, 2), tooLarge, "kept"],
  ["one of 100 KB in chunks above the limit of its route", chunked("/small", 1000, 100), tooLarge, "kept", large],
  ["one in chunks of exactly the limit of its route", chunked("/small", 5, 2), "200 OK", "kept"],
  ["one of 256 KiB", post("/ignore", 256 * 1024), "200 OK", "kept", large],
  ["one of which the first chunk is read", post("/first", 200_000), "200 OK", "kept", { body: "Some", ...large }],
  ["one of 300 KB", post("/ignore", 300_000), "200 OK", "closed", { body: "ignored", ...large }],
  ["one of 300 KB that is refused", post("/refuse", 300_000), "403 Forbidden", "closed", large],
  ["one of 1 MiB that is read", post("/counted", 1_048_576), "200 OK", "kept", { body: "1048576", ...large }],
  ["one above 1 MiB", post("/echo", 1_048_577), tooLarge, "closed", large],
  ["one above 1 MiB as a stream", post("/counted", 1_048_577), tooLarge, "closed", large],
  ["one of 50 MB, all of it sent before the answer is read", post("/echo", 50_000_000), tooLarge, "closed", large],
  ["one of 50 MB for an unknown path", post("/unknown", 50_000_000), "404 Not Found", "closed", large],
  [
    "one of 50 MB and a bad Host",
    post("/echo", 50_000_000).replace("Host: a", "Host: a b"),
    "400 Bad Request",
    "closed",
    large
  ]
]

table("RFC 9112 §9.6 unread bodies", rows)
