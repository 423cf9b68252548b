/**
 * Expectations: 100 Continue is said when the body is first read, and only then.
 *
 * @spec RFC 9110 §10.1.1
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Row, table, ways } from "./table.ts"
import * as Wire from "./wire.ts"

const post = (path: string, head: string, body = "", version = "1.1", expect = "100-continue"): string =>
  `POST ${path} HTTP/${version}\r\nHost: a\r\nExpect: ${expect}\r\n${head}\r\n${body}`
const sized = (path: string, body: string) => post(path, `Content-Length: ${body.length}\r\n`, body)
const announced = (path: string, length: number | string, head = "") =>
  post(path, `Content-Length: ${length}\r\n${head}`)

const rows: ReadonlyArray<Row> = [
  ["a body that is read", sized("/echo", "abc"), "200 OK", "kept", { interim: [100], body: "abc" }],
  [
    "a body in chunks that is read",
    post("/echo", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
    "200 OK",
    "kept",
    { interim: [100], body: "abc" }
  ],
  ["a body that is read as a stream", sized("/counted", "abc"), "200 OK", "kept", { interim: [100], body: "3" }],
  [
    "in any case",
    post("/echo", "Content-Length: 3\r\n", "abc", "1.1", "100-Continue"),
    "200 OK",
    "kept",
    { interim: [100] }
  ],
  ["a body of length zero", announced("/echo", 0), "200 OK", "kept", { interim: [], body: "" }],
  ["no body", post("/echo", ""), "200 OK", "kept", { interim: [], body: "" }],
  [
    "GET without a body",
    "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
    "200 OK",
    "kept",
    { interim: [] }
  ],
  [
    "HTTP/1.0, where it is ignored",
    post("/echo", "Content-Length: 3\r\n", "abc", "1.0"),
    "200 OK",
    "closed",
    { interim: [], body: "abc" }
  ],
  [
    "a body that is not read, and not sent",
    announced("/ignore", 3),
    "200 OK",
    "closed",
    { interim: [], body: "ignored" }
  ],
  [
    "a body above the limit, refused before it is sent",
    announced("/small", 11),
    "413 Content Too Large",
    "closed",
    { interim: [] }
  ],
  [
    "a body above the limit as a stream",
    announced("/counted", 1_048_577),
    "413 Content Too Large",
    "closed",
    { interim: [] }
  ],
  ["a body far above the limit", announced("/echo", 50_000_000), "413 Content Too Large", "closed", { interim: [] }],
  [
    "a coding that is unknown",
    announced("/echo", 3, "Content-Encoding: x\r\n"),
    "415 Unsupported Media Type",
    "closed",
    { interim: [] }
  ],
  ["a refusal of the handler", announced("/refuse", 3), "403 Forbidden", "closed", { interim: [] }],
  ["an unknown path", announced("/unknown", 3), "404 Not Found", "closed", { interim: [] }],
  ["another method", announced("/", 3), "405 Method Not Allowed", "closed", { interim: [] }],
  [
    "a bad Host",
    `POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n`,
    "400 Bad Request",
    "closed",
    { interim: [] }
  ],
  [
    "an unknown expectation",
    post("/echo", "Content-Length: 3\r\n", "abc", "1.1", "200-ok"),
    "417 Expectation Failed",
    "kept",
    { interim: [] }
  ],
  ["an unknown expectation of GET", "GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", "417 Expectation Failed", "kept"],
  ["an unknown expectation with a bad Host", "GET / HTTP/1.1\r\nExpect: x\r\n\r\n", "400 Bad Request", "closed"],
  [
    "a known and an unknown one, which is ignored",
    post("/echo", "Content-Length: 3\r\n", "abc", "1.1", "100-continue, x"),
    "200 OK",
    "kept",
    { interim: [100] }
  ],
  [
    "a word that contains the known one",
    post("/echo", "Content-Length: 3\r\n", "abc", "1.1", "x100-continue"),
    "417 Expectation Failed",
    "kept"
  ],
  [
    "an empty list",
    post("/echo", "Content-Length: 3\r\n", "abc", "1.1", ""),
    "200 OK",
    "kept",
    { interim: [], body: "abc" }
  ],
  [
    "two in a pipeline",
    sized("/echo", "a") + sized("/echo", "b"),
    ["200 OK", "200 OK"],
    "kept",
    { interim: "any", body: "b" }
  ],
  [
    "behind a slow answer",
    `GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${sized("/echo", "b")}`,
    ["200 OK", "200 OK"],
    "kept",
    { interim: "any", body: "b" }
  ]
]

table("RFC 9110 §10.1.1 Expect", rows)

for (const [way, { client }] of Object.entries(ways)) {
  it.effect(`a client that waits in a pipeline is told to go on after the answer before, ${way}`, () =>
    Effect.gen(function* () {
      const wire = yield* Wire.open(yield* client)
      yield* wire.send(`GET /slow HTTP/1.1\r\nHost: a\r\n\r\n${announced("/echo", 3)}`)
      assert.strictEqual((yield* wire.answer()).body.toString(), "slow")
      assert.strictEqual(yield* wire.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n")
      yield* wire.send("abc")
      assert.strictEqual((yield* wire.answer()).body.toString(), "abc")
    })
  )
}
