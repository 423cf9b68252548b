/**
 * The request line: target forms, Host and the reconstruction of the target.
 *
 * @spec RFC 9112 §3; RFC 9110 §7.4
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Row, table, ways } from "./table.ts"
import * as Wire from "./wire.ts"

const get = (target: string, head = "Host: a\r\n"): string => `GET ${target} HTTP/1.1\r\n${head}\r\n`
const bad = "400 Bad Request"
const json = (method: string, url: string, host: string | null) => JSON.stringify({ method, url, host })

const forms: ReadonlyArray<Row> = [
  ["origin form", get("/seen/x?y=1"), "200 OK", "kept", { body: json("GET", "/seen/x?y=1", "a") }],
  ["an empty query", get("/seen/x?"), "200 OK", "kept", { body: json("GET", "/seen/x?", "a") }],
  [
    "a query with a slash and a question mark",
    get("/seen/x?/?"),
    "200 OK",
    "kept",
    { body: json("GET", "/seen/x?/?", "a") }
  ],
  [
    "absolute form, whose authority wins over Host",
    get("http://b:81/seen/x?y", "Host: a\r\n"),
    "200 OK",
    "kept",
    { body: json("GET", "/seen/x?y", "b:81") }
  ],
  ["absolute form without a path", get("http://a"), "200 OK", "kept", { body: "home" }],
  ["absolute form without a path, with a query", get("http://a?x"), "200 OK", "kept", { body: "home" }],
  ["absolute form with a scheme in upper case", get("HTTP://a/"), "200 OK", "kept", { body: "home" }],
  ["absolute form with userinfo", get("http://u:p@a/"), bad, "closed"],
  ["absolute form without an authority", get("http:///"), bad, "closed"],
  ["absolute form with a port that is none", get("http://a:99999/"), bad, "closed"],
  ["absolute form with a fragment", get("http://a/#x"), bad, "closed"],
  ["absolute form of another scheme", get("ftp://a/"), bad, "closed"],
  ["absolute form with a bad Host", get("http://a/", "Host: a b\r\n"), bad, "closed"],
  ["absolute form without Host", get("http://a/", ""), bad, "closed"],
  ["absolute form with two Hosts", get("http://a/", "Host: a\r\nHost: a\r\n"), bad, "closed"],
  [
    "OPTIONS in asterisk form",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "204 No Content",
    "kept",
    { headers: { "content-length": undefined } }
  ],
  ["OPTIONS in asterisk form with a bad Host", "OPTIONS * HTTP/1.1\r\nHost: a b\r\n\r\n", bad, "closed"],
  ["GET in asterisk form", get("*"), bad, "closed"],
  ["authority form", get("a:80"), bad, "closed"],
  ["a relative path", get("seen/x"), bad, "closed"],
  ["a fragment", get("/#x"), bad, "closed"],
  ["a fragment in the query", get("/?a#x"), bad, "closed"],
  ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "405 Method Not Allowed", "closed"],
  ["no target", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", bad, "closed"],
  ["a space in the target", get("/a b"), bad, "closed"],
  ["a tab after the method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", bad, "closed"],
  ["a NUL in the target", get("/a\0"), bad, "closed"],
  ["a CR in the target", get("/a\rb"), bad, "closed"],
  ["bytes above ASCII", get("/seen/\xc3\xa9"), bad, "closed"],
  ["a percent-encoding that is none", get("/%zz"), bad, "kept"],
  ["a percent-encoding that is UTF-8 of more bytes than it needs", get("/%c0%af"), bad, "kept"],
  ["a percent-encoding that is no UTF-8", get("/%ff"), bad, "kept"],
  ["an encoded NUL is a path like another", get("/%00"), "404 Not Found", "kept"],
  ["two slashes are no host", get("//evil.example/"), "404 Not Found", "kept"],
  ["dot segments are a path like another", get("/../probe"), "404 Not Found", "kept"],
  ["a target of 8192 bytes", get(`/seen/${"x".repeat(8192 - 6)}`), "200 OK", "kept", {}],
  ["a target of 8193 bytes", get(`/seen/${"x".repeat(8193 - 6)}`), "414 URI Too Long", "closed"],
  ["a target of 20000 bytes", get(`/${"x".repeat(20000)}`), "414 URI Too Long", "closed", { whole: true }]
]

table("RFC 9112 §3.2 target forms", forms)

for (const [way, { client }] of Object.entries(ways)) {
  const wanted = way === "over TLS" ? "200 OK" : "421 Misdirected Request"
  it.effect(`RFC 9110 §7.4 absolute form of https, ${way}: ${wanted}`, () =>
    Effect.gen(function* () {
      const wire = yield* Wire.open(yield* client)
      yield* wire.send(get("https://a/"))
      assert.strictEqual((yield* wire.answer()).line, wanted)
    })
  )
}

const host = (lines: string, version = "1.1"): string => `GET /seen/x HTTP/${version}\r\n${lines}\r\n`

const hosts: ReadonlyArray<Row> = [
  ["none", host(""), bad, "closed", { detail: "The Host header is missing" }],
  ["none under HTTP/1.0", host("", "1.0"), "200 OK", "closed", { body: json("GET", "/seen/x", null) }],
  ["two", host("Host: a\r\nHost: b\r\n"), bad, "closed", { detail: "There is more than one Host header" }],
  ["two alike", host("Host: a\r\nhost: a\r\n"), bad, "closed", { detail: "There is more than one Host header" }],
  ["two under HTTP/1.0", host("Host: a\r\nHost: a\r\n", "1.0"), bad, "closed"],
  ["empty", host("Host:\r\n"), bad, "closed", { detail: "The Host header is invalid" }],
  ["empty under HTTP/1.0", host("Host: \r\n", "1.0"), bad, "closed"],
  ["a list", host("Host: a, b\r\n"), bad, "closed"],
  ["userinfo", host("Host: u@a\r\n"), bad, "closed"],
  ["a path", host("Host: a/b\r\n"), bad, "closed"],
  ["a query", host("Host: a?b\r\n"), bad, "closed"],
  ["a fragment", host("Host: ###\r\n"), bad, "closed"],
  ["a backslash", host("Host: a\\b\r\n"), bad, "closed"],
  ["a percent-encoding that is none", host("Host: a%zz\r\n"), bad, "closed"],
  ["two ports", host("Host: a:80:80\r\n"), bad, "closed"],
  ["a list of two with a port", host("Host: a:80,b\r\n"), bad, "closed"],
  ["a scheme", host("Host: http://a\r\n"), bad, "closed"],
  ["a space inside", host("Host: a b\r\n"), bad, "closed"],
  ["a port that is no number", host("Host: a:b\r\n"), bad, "closed"],
  ["a port above 65535", host("Host: a:65536\r\n"), bad, "closed"],
  ["a negative port", host("Host: a:-1\r\n"), bad, "closed"],
  ["a port without a name", host("Host: :80\r\n"), bad, "closed"],
  ["a name, spaces around it", host("Host: \t a \r\n"), "200 OK", "kept", { body: json("GET", "/seen/x", "a") }],
  ["a port", host("Host: a:8080\r\n"), "200 OK", "kept", { body: json("GET", "/seen/x", "a:8080") }],
  ["an empty port", host("Host: a:\r\n"), "200 OK", "kept"],
  ["an IPv4 address", host("Host: 127.0.0.1:80\r\n"), "200 OK", "kept"],
  ["an IPv6 address", host("Host: [::1]:80\r\n"), "200 OK", "kept"],
  ["a broken IPv6 address", host("Host: [::1\r\n"), bad, "closed"],
  ["an IPv6 address without brackets", host("Host: ::1\r\n"), bad, "closed"],
  ["bytes above ASCII", host("Host: \xe9\r\n"), bad, "closed"]
]

table("RFC 9112 §3.2 Host", hosts)

const methods: ReadonlyArray<Row> = [
  [
    "lower case is another method",
    "get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "501 Not Implemented",
    "closed",
    { whole: true }
  ],
  ["one that nobody knows", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "501 Not Implemented", "closed", { whole: true }],
  [
    "one that Node knows and no route takes",
    "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n",
    "405 Method Not Allowed",
    "kept",
    { headers: { allow: "GET, HEAD, OPTIONS" } }
  ],
  ["no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", bad, "closed"],
  ["none", " / HTTP/1.1\r\nHost: a\r\n\r\n", bad, "closed"]
]

table("RFC 9112 §3.1 methods", methods)
