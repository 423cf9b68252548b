/**
 * The framing of requests: Content-Length, Transfer-Encoding, chunks, extensions and trailers.
 *
 * @spec RFC 9112 §6, §7, §11.2
 */
import { type Row, table } from "./table.ts"

const bad = "400 Bad Request"
const post = (head: string, body = "", version = "1.1"): string =>
  `POST /echo HTTP/${version}\r\nHost: a\r\n${head}\r\n${body}`
const chunked = (body: string): string => post("Transfer-Encoding: chunked\r\n", body)
const smuggled = "GET /probe HTTP/1.1\r\nHost: a\r\n\r\n"

const lengths: ReadonlyArray<Row> = [
  ["a length", post("Content-Length: 3\r\n", "abc"), "200 OK", "kept", { body: "abc" }],
  ["a length of zero", post("Content-Length: 0\r\n"), "200 OK", "kept", { body: "" }],
  ["no length is no body", post(""), "200 OK", "kept", { body: "" }],
  ["leading zeros", post("Content-Length: 0003\r\n", "abc"), "200 OK", "kept", { body: "abc" }],
  ["a body for GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "200 OK", "kept", { body: "home" }],
  ["two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), bad, "closed"],
  ["two equal lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), bad, "closed"],
  ["a list of lengths", post("Content-Length: 3, 3\r\n", "abc"), bad, "closed"],
  ["a length of letters", post("Content-Length: abc\r\n", "abc"), bad, "closed"],
  ["an empty length", post("Content-Length:\r\n", "abc"), bad, "closed"],
  ["a length with a plus", post("Content-Length: +3\r\n", "abc"), bad, "closed"],
  ["a negative length", post("Content-Length: -3\r\n", "abc"), bad, "closed"],
  ["a hexadecimal length", post("Content-Length: 0x3\r\n", "abc"), bad, "closed"],
  ["an octal length", post("Content-Length: 0o3\r\n", "abc"), bad, "closed"],
  ["a length with an underscore", post("Content-Length: 0_3\r\n", "abc"), bad, "closed"],
  ["a length of minus zero", post("Content-Length: -0\r\n"), bad, "closed"],
  ["spaces and tabs around a length", post("Content-Length: \t3 \t\r\n", "abc"), "200 OK", "kept", { body: "abc" }],
  ["a length with a fraction", post("Content-Length: 3.0\r\n", "abc"), bad, "closed"],
  ["a length with a space inside", post("Content-Length: 3 3\r\n", "abc"), bad, "closed"],
  ["a length above 64 bits", post("Content-Length: 99999999999999999999\r\n", "abc"), bad, "closed"],
  ["a length and chunks", post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), bad, "closed"],
  ["chunks and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), bad, "closed"],
  ["a length and another coding", post("Content-Length: 3\r\nTransfer-Encoding: gzip\r\n", "abc"), bad, "closed"],
  [
    "a request behind a length and chunks is never answered",
    post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${smuggled}`),
    bad,
    "closed"
  ]
]

table("RFC 9112 §6.2 Content-Length", lengths)

const notImplemented = "501 Not Implemented"

const codings: ReadonlyArray<Row> = [
  ["chunked", chunked("3\r\nabc\r\n0\r\n\r\n"), "200 OK", "kept", { body: "abc" }],
  [
    "chunked in any case",
    post("transfer-encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    "200 OK",
    "kept",
    { body: "abc" }
  ],
  ["gzip before chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), notImplemented, "closed"],
  [
    "gzip before chunked on two lines",
    post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    notImplemented,
    "closed"
  ],
  ["identity", post("Transfer-Encoding: identity\r\n", "abc"), bad, "closed"],
  ["gzip alone", post("Transfer-Encoding: gzip\r\n", "abc"), bad, "closed"],
  ["chunked that is not the last", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), bad, "closed"],
  ["chunked twice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), bad, "closed"],
  ["chunked behind a vertical tab", post("Transfer-Encoding: \x0bchunked\r\n", "0\r\n\r\n"), bad, "closed"],
  ["chunked with a suffix", post("Transfer-Encoding: chunked-x\r\n", "0\r\n\r\n"), bad, "closed"],
  ["chunked in quotes", post('Transfer-Encoding: "chunked"\r\n', "0\r\n\r\n"), bad, "closed"],
  ["chunked with a parameter", post("Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"), bad, "closed"],
  ["chunked behind a form feed", post("Transfer-Encoding: \x0cchunked\r\n", "0\r\n\r\n"), bad, "closed"],
  ["chunked with a NUL", post("Transfer-Encoding: chunk\0ed\r\n", "0\r\n\r\n"), bad, "closed"],
  ["chunked on a folded line", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), bad, "closed"],
  ["chunked behind a tab", post("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n"), "200 OK", "kept", { body: "" }],
  ["an empty coding", post("Transfer-Encoding:\r\n", "0\r\n\r\n"), bad, "closed"],
  ["a space before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), bad, "closed"],
  ["HTTP/1.0", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "1.0"), bad, "closed"]
]

table("RFC 9112 §6.1 Transfer-Encoding", codings)

const chunks: ReadonlyArray<Row> = [
  ["several", chunked("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), "200 OK", "kept", { body: "abc" }],
  [
    "a size in upper and lower case hexadecimal",
    chunked("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
    "200 OK",
    "kept",
    { body: "01234567890123456789" }
  ],
  ["a size with leading zeros", chunked("0003\r\nabc\r\n000\r\n\r\n"), "200 OK", "kept", { body: "abc" }],
  ["an extension", chunked("3;a=b\r\nabc\r\n0;c\r\n\r\n"), "200 OK", "kept", { body: "abc" }],
  ["an extension in quotes", chunked('3;a="b;c"\r\nabc\r\n0\r\n\r\n'), "200 OK", "kept", { body: "abc" }],
  ["an extension with an escaped quote", chunked('3;a="b\\"c"\r\nabc\r\n0\r\n\r\n'), "200 OK", "kept", { body: "abc" }],
  ["trailers, which are dropped", chunked("3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"), "200 OK", "kept", { body: "abc" }],
  ["a binary body", chunked("4\r\n\0\r\n\xff\r\n0\r\n\r\n"), "200 OK", "kept", { body: "\0\r\n\xff" }],
  ["no size", chunked("\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a size that is no number", chunked("x\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a negative size", chunked("-3\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a size with a prefix", chunked("0x3\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a size with an underscore", chunked("1_0\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a space before a size", chunked(" 3\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a space after a size", chunked("3 \r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a size above 64 bits", chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["less than its size", chunked("4\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["more than its size", chunked("2\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["bare LF after a size", chunked("3\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["bare LF after the data", chunked("3\r\nabc\n0\r\n\r\n"), bad, "closed"],
  ["bare CR after a size", chunked("3\rabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a size with a plus", chunked("+3\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  // BWS there is to be taken (§7.1.1): Node's parser refuses it, as others read it as something else.
  ["a space around an extension", chunked("3 ; a = b\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["an extension without a name", chunked("3;\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["an extension whose name is no token", chunked("3;a[=b\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["an extension with an open quote", chunked('3;a="b\r\nabc\r\n0\r\n\r\n'), bad, "closed"],
  ["bare CR in an extension", chunked("3;a\rb\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["bare LF in an extension", chunked("3;a\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a NUL in an extension", chunked("3;a=\0\r\nabc\r\n0\r\n\r\n"), bad, "closed"],
  ["a trailer that is no field", chunked("0\r\nx\r\n\r\n"), bad, "closed"],
  ["a trailer with a space before its colon", chunked("0\r\nx : y\r\n\r\n"), bad, "closed"],
  ["a trailer that is folded", chunked("0\r\nx: a\r\n b\r\n\r\n"), bad, "closed"],
  ["an extension of 20 KB", chunked(`3;${"x".repeat(20_000)}\r\nabc\r\n0\r\n\r\n`), "413 Content Too Large", "closed"],
  [
    "trailers of 20 KB",
    chunked(`0\r\nx: ${"x".repeat(20_000)}\r\n\r\n`),
    "431 Request Header Fields Too Large",
    "closed"
  ],
  ["Content-Length as a trailer", chunked("3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n"), bad, "closed"]
]

table("RFC 9112 §7.1 chunks", chunks)
