/**
 * Methods: HEAD as GET without its content, OPTIONS and Allow, and the statuses that have no content.
 *
 * @spec RFC 9110 §8.6, §9.3, §15
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Row, table, ways } from "./table.ts"
import * as Wire from "./wire.ts"

const ask = (method: string, path: string, head = ""): string => `${method} ${path} HTTP/1.1\r\nHost: a\r\n${head}\r\n`

const head = (path: string, line: string, headers: Record<string, string | undefined>): Row => [
  `of ${path}`,
  ask("HEAD", path),
  line,
  "kept",
  { methods: ["HEAD"], headers }
]

const problem = "application/problem+json"

const heads: ReadonlyArray<Row> = [
  head("/", "200 OK", { "content-length": "4", "content-type": "text/plain; charset=utf-8" }),
  head("/stream", "200 OK", { "content-length": undefined, "transfer-encoding": undefined }),
  head("/sized", "200 OK", { "content-length": "13", "transfer-encoding": undefined }),
  head("/nothing", "204 No Content", { "content-length": undefined }),
  head("/status/205", "205 Reset Content", { "content-length": "0" }),
  head("/status/404", "404 Not Found", { "content-length": "4" }),
  head("/bare/200", "200 OK", { "content-length": "0" }),
  head("/tagged", "200 OK", { "content-length": "6", etag: '"1"' }),
  head("/unknown", "404 Not Found", { "content-type": problem }),
  head("/echo", "405 Method Not Allowed", { allow: "OPTIONS, POST", "content-type": problem }),
  [
    "of a stream, twice in a pipeline",
    ask("HEAD", "/stream").repeat(2),
    ["200 OK", "200 OK"],
    "kept",
    { methods: ["HEAD"] }
  ],
  [
    "of a stream, then its GET",
    ask("HEAD", "/stream") + ask("GET", "/stream"),
    ["200 OK", "200 OK"],
    "kept",
    { methods: ["HEAD", "GET"], body: "one,two,three" }
  ],
  ["under HTTP/1.0 closes", "HEAD /stream HTTP/1.0\r\nHost: a\r\n\r\n", "200 OK", "closed", { methods: ["HEAD"] }],
  [
    "of a sized stream under HTTP/1.0 with keep-alive keeps",
    "HEAD /sized HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    "200 OK",
    "kept",
    { methods: ["HEAD"], headers: { "content-length": "13" } }
  ],
  [
    "that is malformed is answered without a body",
    "HEAD / HTTP/1.1\r\n\r\n",
    "400 Bad Request",
    "closed",
    { methods: ["HEAD"] }
  ],
  [
    "with a body of its own",
    `${ask("HEAD", "/", "Content-Length: 3\r\n")}abc`,
    "200 OK",
    "kept",
    { methods: ["HEAD"], headers: { "content-length": "4" } }
  ]
]

table("RFC 9110 §9.3.2 HEAD", heads)

const same = ["/", "/sized", "/nothing", "/tagged", "/bare/200", "/status/404", "/status/205", "/unknown"]

for (const [way, { client }] of Object.entries(ways)) {
  it.effect(`HEAD has the head of GET, ${way}`, () =>
    Effect.gen(function* () {
      const wire = yield* Wire.open(yield* client)
      for (const path of same) {
        yield* wire.send(ask("HEAD", path) + ask("GET", path))
        const [head, get] = [yield* wire.answer("HEAD"), yield* wire.answer()]
        assert.deepStrictEqual([head.line, { ...head.headers, date: "" }], [get.line, { ...get.headers, date: "" }])
      }
    })
  )
}

const others: ReadonlyArray<Row> = [
  [
    "OPTIONS of a path",
    ask("OPTIONS", "/"),
    "204 No Content",
    "kept",
    { headers: { allow: "GET, HEAD, OPTIONS", "content-length": undefined } }
  ],
  ["OPTIONS of an unknown path", ask("OPTIONS", "/unknown"), "404 Not Found", "kept"],
  [
    "another method of a known path",
    ask("DELETE", "/"),
    "405 Method Not Allowed",
    "kept",
    { headers: { allow: "GET, HEAD, OPTIONS" } }
  ],
  ["TRACE is a method like another", ask("TRACE", "/"), "405 Method Not Allowed", "kept"],
  [
    "TRACE is not reflected",
    ask("TRACE", "/seen/x", "Cookie: secret\r\n"),
    "200 OK",
    "kept",
    { body: '{"method":"TRACE","url":"/seen/x","host":"a"}' }
  ],
  [
    "GET with a body that is not read",
    `${ask("GET", "/", "Content-Length: 3\r\n")}abc`,
    "200 OK",
    "kept",
    { body: "home" }
  ]
]

table("RFC 9110 §9.3 other methods", others)

const none = { body: "", headers: { "content-length": undefined, "transfer-encoding": undefined } }

const statuses: ReadonlyArray<Row> = [
  ["204 with a body drops it", ask("GET", "/status/204"), "204 No Content", "kept", none],
  ["204 without", ask("GET", "/bare/204"), "204 No Content", "kept", none],
  ["304 with a body drops it", ask("GET", "/status/304"), "304 Not Modified", "kept", { body: "" }],
  [
    "205 with a body drops it and says so",
    ask("GET", "/status/205"),
    "205 Reset Content",
    "kept",
    { body: "", headers: { "content-length": "0" } }
  ],
  [
    "205 without",
    ask("GET", "/bare/205"),
    "205 Reset Content",
    "kept",
    { body: "", headers: { "content-length": "0" } }
  ],
  [
    "200 without says its length",
    ask("GET", "/bare/200"),
    "200 OK",
    "kept",
    { body: "", headers: { "content-length": "0" } }
  ],
  [
    "404 without says its length",
    ask("GET", "/bare/404"),
    "404 Not Found",
    "kept",
    { headers: { "content-length": "0" } }
  ],
  ["299 has no phrase of its own", ask("GET", "/bare/299"), "299 unknown", "kept"]
]

table("RFC 9110 §15 statuses without content", statuses)

const tag = (head: string, method = "GET") => ask(method, "/tagged", head)

const conditions: ReadonlyArray<Row> = [
  [
    "If-None-Match that matches",
    tag('If-None-Match: "1"\r\n'),
    "304 Not Modified",
    "kept",
    { body: "", headers: { etag: '"1"', "content-length": undefined, "content-type": undefined } }
  ],
  ["If-None-Match that matches weakly", tag('If-None-Match: W/"1"\r\n'), "304 Not Modified", "kept"],
  ["If-None-Match of a list", tag('If-None-Match: "0", "1"\r\n'), "304 Not Modified", "kept"],
  ["If-None-Match of anything", tag("If-None-Match: *\r\n"), "304 Not Modified", "kept"],
  ["If-None-Match of another", tag('If-None-Match: "2"\r\n'), "200 OK", "kept", { body: "tagged" }],
  ["If-None-Match that is malformed", tag("If-None-Match: 1\r\n"), "200 OK", "kept"],
  [
    "If-None-Match with HEAD",
    tag('If-None-Match: "1"\r\n', "HEAD"),
    "304 Not Modified",
    "kept",
    { methods: ["HEAD"], headers: { "content-length": undefined } }
  ],
  ["If-Match of another", tag('If-Match: "2"\r\n'), "412 Precondition Failed", "kept"],
  ["If-Match that matches", tag('If-Match: "1"\r\n'), "200 OK", "kept"],
  [
    "two conditions, the first of which fails",
    tag('If-Match: "2"\r\nIf-None-Match: "1"\r\n'),
    "412 Precondition Failed",
    "kept"
  ],
  ["a condition on an error is not asked", ask("GET", "/unknown", 'If-None-Match: "1"\r\n'), "404 Not Found", "kept"]
]

table("RFC 9110 §13 conditional requests", conditions)
