/**
 * The version, and what stands around a message.
 *
 * @spec RFC 9112 §2.2, §2.3; RFC 9110 §2.5
 */
import { type Row, table } from "./table.ts"

const bad = "400 Bad Request"
const get = (version: string, head = "Host: a\r\n"): string => `GET / ${version}\r\n${head}\r\n`

const versions: ReadonlyArray<Row> = [
  [
    "HTTP/1.1 keeps the connection and says nothing of it",
    get("HTTP/1.1"),
    "200 OK",
    "kept",
    { headers: { connection: undefined } }
  ],
  ["HTTP/1.0 closes", get("HTTP/1.0"), "200 OK", "closed"],
  ["HTTP/1.0 closes without Host too", get("HTTP/1.0", ""), "200 OK", "closed"],
  [
    "HTTP/1.0 with keep-alive keeps, and says so",
    get("HTTP/1.0", "Host: a\r\nConnection: keep-alive\r\n"),
    "200 OK",
    "kept",
    { headers: { connection: "keep-alive" } }
  ],
  [
    "HTTP/1.0 with keep-alive in any case",
    get("HTTP/1.0", "Host: a\r\nConnection: Keep-Alive\r\n"),
    "200 OK",
    "kept",
    { headers: { connection: "keep-alive" } }
  ],
  ["HTTP/1.0 with Connection: close closes", get("HTTP/1.0", "Host: a\r\nConnection: close\r\n"), "200 OK", "closed"],
  ["HTTP/2.0", get("HTTP/2.0"), "505 HTTP Version Not Supported", "closed", { whole: true }],
  ["HTTP/0.9", get("HTTP/0.9"), bad, "closed", { whole: true }],
  ["HTTP/1.2", get("HTTP/1.2"), "505 HTTP Version Not Supported", "closed", { whole: true }],
  ["HTTP/3.0", get("HTTP/3.0"), "505 HTTP Version Not Supported", "closed", { whole: true }],
  // No request line (RFC 9112 §3): Node takes it for one of HTTP/0.9, and the two cannot be told apart.
  ["no version", "GET /\r\n\r\n", bad, "closed", { detail: "The request line needs a version: HTTP/1.1" }],
  [
    "the preface of HTTP/2",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "505 HTTP Version Not Supported",
    "closed",
    { whole: true }
  ],
  ["another protocol", get("ICE/1.0"), bad, "closed"],
  ["a version in lower case", get("http/1.1"), bad, "closed"],
  ["a version without a minor", get("HTTP/1"), bad, "closed"],
  ["a version of two digits", get("HTTP/1.10"), bad, "closed"],
  ["a version with leading zeros", get("HTTP/01.01"), bad, "closed"],
  ["a version with a space", get("HTTP/ 1.1"), bad, "closed"],
  ["HTTP/9.9", get("HTTP/9.9"), "505 HTTP Version Not Supported", "closed", { whole: true }],
  ["a version of letters", get("HTTP/a.b"), bad, "closed"],
  ["a space after the version", get("HTTP/1.1 "), bad, "closed"],
  ["something after the version", get("HTTP/1.1 x"), bad, "closed"]
]

table("RFC 9112 §2.3 versions", versions)

const around: ReadonlyArray<Row> = [
  ["an empty line before the request", `\r\n${get("HTTP/1.1")}`, "200 OK", "kept"],
  ["several empty lines before the request", `\r\n\r\n\r\n${get("HTTP/1.1")}`, "200 OK", "kept"],
  ["an empty line between two requests", `${get("HTTP/1.1")}\r\n${get("HTTP/1.1")}`, ["200 OK", "200 OK"], "kept"],
  ["a space before the method", ` ${get("HTTP/1.1")}`, bad, "closed"],
  ["bare LF as the end of the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", bad, "closed"],
  ["bare CR as the end of the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", bad, "closed"],
  [
    "a line of a space between the request line and the fields",
    "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n",
    bad,
    "closed"
  ],
  ["a space between the request line and the fields", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", bad, "closed"],
  ["junk", "hello?\r\n\r\n", bad, "closed"],
  ["a NUL", "\0", bad, "closed"],
  [
    "the hello of TLS",
    Buffer.from("16030100c8010000c40303", "hex"),
    bad,
    "closed",
    { whole: true, detail: "TLS was received where HTTP is spoken; use http:// or another port" }
  ],
  ["the hello of SSH", "SSH-2.0-OpenSSH_9.6\r\n", bad, "closed"],
  ["the line of the PROXY protocol", `PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n${get("HTTP/1.1")}`, bad, "closed"]
]

table("RFC 9112 §2.2 around a message", around)
