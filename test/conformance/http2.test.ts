/**
 * HTTP/2 by the rules of RFC 9113: messages and the beginning of a connection, one table for a section.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as H2 from "../server/http2/frames.ts"
import { start } from "../server/started.ts"
import { app, post, type Row, rules } from "./http2Table.ts"

const { block, endHeaders, endStream, frame, get, head, preface, settings, type } = H2

const without = (name: string) => get().filter(([field]) => field !== name)
const long = "a".repeat(20_000)
/** An upload of three bytes, and trailers. */
const trailers = (fields: ReadonlyArray<readonly [string, string]>, flags = endStream) => [
  head(1, get("/echo", "POST"), 0),
  frame(type.data, 0, 1, Buffer.from("abc")),
  head(1, fields, flags)
]

const tables: Readonly<Record<string, ReadonlyArray<Row>>> = {
  "§8.1 messages": [
    [
      "a length that is more than the body",
      [head(1, post("5"), 0), frame(type.data, endStream, 1, Buffer.from("abc"))],
      "reset 1"
    ],
    [
      "a length that is less than the body",
      [head(1, post("2"), 0), frame(type.data, endStream, 1, Buffer.from("abc"))],
      "goaway 2"
    ],
    ["a length without a body", [head(1, post("5"))], "reset 1"],
    [
      "a length that is that of the body",
      [head(1, post("3"), 0), frame(type.data, endStream, 1, Buffer.from("abc"))],
      "200"
    ],
    ["an empty body that ends in a frame of its own", [head(1, post("0"), 0), frame(type.data, endStream, 1)], "200"],
    [
      "an empty body of two frames",
      [head(1, get("/echo", "POST"), 0), frame(type.data, 0, 1), frame(type.data, endStream, 1)],
      "200"
    ],
    [
      "trailers behind a body",
      [head(1, get("/echo", "POST"), 0), frame(type.data, 0, 1, Buffer.from("abc")), head(1, [["x-sum", "1"]])],
      "200"
    ],
    ["trailers that do not end the stream", trailers([["x-sum", "1"]], 0), "reset 1"],
    ["trailers with a pseudo-header field", trailers([[":path", "/"]]), "reset 1"],
    ["trailers with a name in upper case", trailers([["X-Sum", "1"]]), "reset 1"],
    ["trailers with a field of the connection", trailers([["connection", "close"]]), "reset 1"],
    ["two of Content-Length", [head(1, [...post("3"), ["content-length", "3"]], 0)], "reset 1"],
    ["a Content-Length that is no number", [head(1, post("+3"), 0)], "reset 1"]
  ],
  // Where a field is taken away the whole message is to be refused (§8.2.1): nghttp2 does not, and Node tells nobody.
  "§8.2 fields": [
    ["a name in upper case", [head(1, [...get(), ["X-Name", "a"]])], "reset 1"],
    ["an empty name takes the field away", [head(1, [...get(), ["", "a"]])], "200"],
    ["a line break in a value takes the field away", [head(1, [...get(), ["x-name", "a\r\nb: c"]])], "200"],
    ["a name that is no token takes the field away", [head(1, [...get(), ["x name", "a"]])], "200"],
    ["a space before a value takes the field away", [head(1, [...get(), ["x-name", " a"]])], "200"],
    ["a space behind a value takes the field away", [head(1, [...get(), ["x-name", "a "]])], "200"],
    ["a zero in a value takes the field away", [head(1, [...get(), ["x-name", "a\0"]])], "200"],
    ["Connection", [head(1, [...get(), ["connection", "close"]])], "reset 1"],
    ["Transfer-Encoding", [head(1, [...get(), ["transfer-encoding", "chunked"]])], "reset 1"],
    ["Upgrade", [head(1, [...get(), ["upgrade", "h2c"]])], "reset 1"],
    ["Proxy-Connection", [head(1, [...get(), ["proxy-connection", "close"]])], "reset 1"],
    ["Keep-Alive", [head(1, [...get(), ["keep-alive", "timeout=1"]])], "reset 1"],
    ["TE other than trailers", [head(1, [...get(), ["te", "gzip"]])], "reset 1"],
    ["TE of trailers", [head(1, [...get(), ["te", "trailers"]])], "200"],
    ["a head above 16 KiB", big(), "431"],
    [
      "more than 100 fields",
      [head(1, [...get(), ...Array.from({ length: 101 }, (_, at) => [`x${at}`, "a"] as const)])],
      "431"
    ],
    [
      "120 pieces of a cookie",
      [head(1, [...get(), ...Array.from({ length: 120 }, (_, at) => ["cookie", `c${at}=1`] as const)])],
      "200"
    ]
  ],
  "§8.3 pseudo-header fields": [
    ["no :method", [head(1, without(":method"))], "reset 1"],
    ["no :scheme", [head(1, without(":scheme"))], "reset 1"],
    ["no :path", [head(1, without(":path"))], "reset 1"],
    ["an empty :path", [head(1, get(""))], "reset 1"],
    ["a :path with a space", [head(1, get("/a b"))], "reset 1"],
    ["* with GET", [head(1, get("*"))], "reset 1"],
    ["a :method that is no token", [head(1, get("/", "G ET"))], "reset 1"],
    ["a :method that is not known", [head(1, get("/", "BREW"))], "501"],
    ["a :method in lower case", [head(1, get("/", "get"))], "501"],
    ["a :method that no route takes", [head(1, get("/", "PROPFIND"))], "405"],
    ["a :scheme that is none", [head(1, [[":scheme", "1:"], ...without(":scheme")])], "reset 1"],
    ["an empty :authority", [head(1, [[":authority", ""], ...without(":authority")])], "reset 1"],
    ["two of Host", [head(1, [...without(":authority"), ["host", "a"], ["host", "b"]])], "reset 1"],
    ["two of :path", [head(1, [...get(), [":path", "/"]])], "reset 1"],
    [":status in a request", [head(1, [...get(), [":status", "200"]])], "reset 1"],
    ["an unknown one", [head(1, [...get(), [":name", "a"]])], "reset 1"],
    ["one behind a field", [head(1, [["x-name", "a"], ...get()])], "reset 1"],
    [":protocol, which was not offered", [head(1, [...get("/", "CONNECT"), [":protocol", "websocket"]], 0)], "reset 1"],
    ["no :authority and no Host", [head(1, without(":authority"))], "reset 1"],
    ["a Host in the place of :authority", [head(1, [...without(":authority"), ["host", "a"]])], "200"],
    ["a Host that is the :authority", [head(1, [...get(), ["host", "a"]])], "200"],
    ["a Host that is not the :authority", [head(1, [...get(), ["host", "b"]])], "400"],
    ["an :authority with userinfo", [head(1, [[":authority", "me@a"], ...without(":authority")])], "reset 1"],
    ["a target with a fragment", [head(1, get("/a#b"))], "400"],
    ["a target that is no path", [head(1, get("http://a/"))], "reset 1"],
    ["OPTIONS *", [head(1, get("*", "OPTIONS"))], "204"],
    [
      "CONNECT",
      [
        head(
          1,
          [
            [":method", "CONNECT"],
            [":authority", "a:443"]
          ],
          0
        )
      ],
      "405"
    ]
  ]
}

// Above the limit, in two frames.
function big(): ReadonlyArray<Uint8Array> {
  const bytes = block([...get(), ["x-long", long]])
  return [
    frame(type.headers, endStream, 1, bytes.subarray(0, 16_000)),
    frame(type.continuation, endHeaders, 1, bytes.subarray(16_000))
  ]
}

rules(tables)

describe("RFC 9113 §3.4 the preface", () => {
  const answered = (...sent: ReadonlyArray<string | Uint8Array>) =>
    Effect.gen(function* () {
      const { server } = yield* start(app, { h2c: true })
      const client = yield* H2.connect(server)
      for (const bytes of sent) {
        yield* client.send(Buffer.from(bytes as string))
        yield* Effect.sleep(5)
      }
      return yield* client.outcome(1)
    }).pipe(Effect.scoped)

  it.live("may come in pieces", () =>
    Effect.map(
      answered(preface.subarray(0, 1), preface.subarray(1, 20), preface.subarray(20), settings(), head(1, get())),
      (said) => assert.strictEqual(said, "200")
    )
  )
  it.live("is followed by SETTINGS, or the connection ends", () =>
    Effect.map(answered(preface, head(1, get())), (said) => assert.strictEqual(said, "goaway 1"))
  )
  it.live("128 streams at a time are announced, a list of fields of 16 KiB, and no server push", () =>
    Effect.gen(function* () {
      const { server } = yield* start(app, { h2c: true })
      const client = yield* H2.open(server)
      const { payload } = yield* client.wait(({ kind }) => kind === type.settings)
      const found = Array.from({ length: payload.length / 6 }, (_, at) => [
        payload.readUInt16BE(at * 6),
        payload.readUInt32BE(at * 6 + 2)
      ])
      assert.deepStrictEqual(Object.fromEntries(found), { 2: 0, 3: 128, 6: 16_384 })
    }).pipe(Effect.scoped)
  )
})
