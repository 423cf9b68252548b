/**
 * Header fields: their syntax, their number and their size.
 *
 * @spec RFC 9112 §5; RFC 9110 §5; RFC 6585 §5
 */
import { type Row, table } from "./table.ts"

const bad = "400 Bad Request"
const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const field = (name: string, value = "x"): string => get(`${name}: ${value}\r\n`)

const syntax: ReadonlyArray<Row> = [
  ["no space after the colon", get("x:y\r\n"), "200 OK", "kept"],
  ["spaces around the value", get("x: \t y \t \r\n"), "200 OK", "kept"],
  ["an empty value", get("x:\r\n"), "200 OK", "kept"],
  ["every token character in a name", field("!#$%&'*+-.^_`|~09azAZ"), "200 OK", "kept"],
  ["bytes above ASCII in a value", field("x", "\x80\xff"), "200 OK", "kept"],
  ["a tab in a value", field("x", "a\tb"), "200 OK", "kept"],
  ["a space before the colon", get("x : y\r\n"), bad, "closed"],
  ["a tab before the colon", get("x\t: y\r\n"), bad, "closed"],
  ["a space in a name", field("x y"), bad, "closed"],
  ["an empty name", field(""), bad, "closed"],
  ["a name of no token", field("x@y"), bad, "closed"],
  ["a name in brackets", field("(x)"), bad, "closed"],
  ["a name above ASCII", field("\xe9"), bad, "closed"],
  ["no colon", get("x\r\n"), bad, "closed"],
  ["an obsolete folding with a space", get("x: a\r\n b\r\n"), bad, "closed"],
  ["an obsolete folding with a tab", get("x: a\r\n\tb\r\n"), bad, "closed"],
  ["an obsolete folding of Host", "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n", bad, "closed"],
  ["bare LF as the end of a field", get("x: a\ny: b\r\n"), bad, "closed"],
  ["bare CR inside a value", get("x: a\rb\r\n"), bad, "closed"],
  ["bare LF as the end of the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", bad, "closed"],
  ["a NUL in a value", field("x", "a\0b"), bad, "closed"],
  ["a control character in a value", field("x", "a\x01b"), bad, "closed"],
  ["DEL in a value", field("x", "a\x7fb"), bad, "closed"],
  ["a NUL in a name", field("x\0y"), bad, "closed"],
  ["the name of a prototype", field("__proto__"), "200 OK", "kept"],
  ["two lines of a field that is single", get("Content-Type: a/b\r\nContent-Type: c/d\r\n"), "200 OK", "kept"]
]

table("RFC 9112 §5 syntax", syntax)

const fields = (count: number): string => get("x: y\r\n".repeat(count - 1))
const sized = (size: number): string => get(`x: ${"y".repeat(size)}\r\n`)

const tooLarge = "431 Request Header Fields Too Large"

const sizes: ReadonlyArray<Row> = [
  ["100 fields", fields(100), "200 OK", "kept"],
  ["101 fields", fields(101), tooLarge, "closed"],
  ["1000 fields", fields(1000), tooLarge, "closed"],
  ["10000 fields", fields(10_000), tooLarge, "closed"],
  ["a value of 15 KiB", sized(15 * 1024), "200 OK", "kept"],
  ["a value of 17 KiB", sized(17 * 1024), tooLarge, "closed", { whole: true }],
  ["a value of 100 KB", sized(100_000), tooLarge, "closed", { whole: true }],
  ["a value of 5 MB", sized(5_000_000), tooLarge, "closed", { whole: true }],
  ["a name of 17 KiB", get(`${"x".repeat(17 * 1024)}: y\r\n`), tooLarge, "closed", { whole: true }]
]

table("RFC 9110 §5.4 sizes", sizes)
