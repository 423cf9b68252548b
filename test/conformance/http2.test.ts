/**
 * HTTP/2 by the rules of RFC 9113: what a server says to frames, one table for a section.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../../src/App.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { recorder } from "../server/both.ts"
import * as H2 from "../server/http2/frames.ts"
import { start } from "../server/started.ts"

const { block, endHeaders, endStream, frame, get, head, preface, settings, type, uint32 } = H2

const app = App.make({
  home: Route.get(
    "/",
    Effect.map(Request.header("x-name"), (name) => Response.text("home", { status: name ? 409 : 200 }))
  ),
  echo: Route.post(
    "/echo",
    Effect.flatMap(Request.current, (request) => Effect.map(request.text, (text) => Response.text(text)))
  )
})

/** What is sent behind the preface, and what becomes of stream 1: a status, "reset" or "goaway" with its code. */
type Row = readonly [rule: string, sent: ReadonlyArray<Uint8Array>, wanted: string]

const post = (length: string) => [...get("/echo", "POST"), ["content-length", length]] as const
const without = (name: string) => get().filter(([field]) => field !== name)
const long = "a".repeat(20_000)

const tables: Readonly<Record<string, ReadonlyArray<Row>>> = {
  "§4.2 frame size": [
    ["a frame above SETTINGS_MAX_FRAME_SIZE", [frame(type.data, 0, 1, Buffer.alloc(16_385))], "goaway 6"],
    ["a PING that is not eight bytes", [frame(type.ping, 0, 0, Buffer.alloc(7))], "goaway 6"],
    ["SETTINGS that are no multiple of six bytes", [frame(type.settings, 0, 0, Buffer.alloc(5))], "goaway 6"],
    ["an unknown type of frame is ignored", [frame(99, 0, 0, Buffer.alloc(5)), head(1, get())], "200"]
  ],
  "§4.3 header blocks": [
    [
      "a head in two frames",
      [
        frame(type.headers, endStream, 1, block(get().slice(0, 2))),
        frame(type.continuation, endHeaders, 1, block(get().slice(2)))
      ],
      "200"
    ],
    [
      "another frame inside of a head",
      [frame(type.headers, endStream, 1, block(get())), frame(type.ping, 0, 0, Buffer.alloc(8))],
      "goaway 1"
    ],
    [
      "a block that cannot be decoded",
      [frame(type.headers, endHeaders | endStream, 1, Buffer.from([0xff, 0xff, 0xff, 0xff]))],
      "goaway 9"
    ]
  ],
  "§5.1 states of streams": [
    ["DATA on an idle stream", [frame(type.data, 0, 1, Buffer.alloc(1))], "goaway 1"],
    ["RST_STREAM on an idle stream", [frame(type.reset, 0, 1, uint32(8))], "goaway 1"],
    ["a stream of an even number", [head(2, get())], "goaway 1"],
    ["CONTINUATION without a head", [frame(type.continuation, endHeaders, 1, block(get()))], "goaway 1"],
    ["DATA behind the end of a stream", [head(1, get("/")), frame(type.data, 0, 1, Buffer.alloc(1))], "goaway 5"]
  ],
  "§6 frames of the connection": [
    ["HEADERS on stream 0", [head(0, get())], "goaway 1"],
    ["PING on a stream", [frame(type.ping, 0, 1, Buffer.alloc(8))], "goaway 1"],
    ["PUSH_PROMISE of a client", [frame(5, endHeaders, 1, uint32(2))], "goaway 1"],
    ["a window of zero more", [frame(type.window, 0, 0, uint32(0))], "goaway 1"],
    ["a window above 2^31-1", [frame(type.window, 0, 0, uint32(2 ** 31 - 1))], "goaway 3"],
    ["SETTINGS_ENABLE_PUSH of 2", [settings([2, 2])], "goaway 1"],
    ["a SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1", [settings([4, 2 ** 31])], "goaway 3"],
    ["an unknown setting is ignored", [settings([99, 1]), head(1, get())], "200"]
  ],
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
    ]
  ],
  "§8.2 fields": [
    ["a name in upper case", [head(1, [...get(), ["X-Name", "a"]])], "reset 1"],
    ["an empty name takes the field away", [head(1, [...get(), ["", "a"]])], "200"],
    ["a line break in a value takes the field away", [head(1, [...get(), ["x-name", "a\r\nb: c"]])], "200"],
    ["a zero in a value takes the field away", [head(1, [...get(), ["x-name", "a\0"]])], "200"],
    ["Connection", [head(1, [...get(), ["connection", "close"]])], "reset 1"],
    ["Transfer-Encoding", [head(1, [...get(), ["transfer-encoding", "chunked"]])], "reset 1"],
    ["Upgrade", [head(1, [...get(), ["upgrade", "h2c"]])], "reset 1"],
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

for (const [section, rows] of Object.entries(tables)) {
  describe(`RFC 9113 ${section}`, () => {
    for (const [rule, sent, wanted] of rows) {
      it.live(`${rule}: ${wanted}`, () => {
        const { layer, logs } = recorder()
        return Effect.gen(function* () {
          const { server } = yield* start(app, { h2c: true })
          const client = yield* H2.open(server, ...sent)
          assert.strictEqual(yield* client.outcome(1), wanted)
          const other = yield* H2.open(server, head(1, get()))
          assert.strictEqual(yield* other.outcome(1), "200")
          assert.deepStrictEqual(
            logs.filter((line) => /^(Error|Fatal|Warn)/i.test(line)),
            []
          )
        }).pipe(Effect.scoped, Effect.provide(layer))
      })
    }
  })
}

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
