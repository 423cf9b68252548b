/**
 * RFC 6455 and RFC 7692 as tables: what is sent behind a handshake, and the frames that come back until the connection ends. They
 * follow the cases of Autobahn's fuzzing client, whose sections are named.
 */
import * as Zlib from "node:zlib"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Route from "../../src/Route.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import { BINARY, CLOSE, CONTINUATION, closing, frame, frames, open, PING, PONG, shown, TEXT } from "../frames.ts"
import { both } from "../server/both.ts"
import { sendIn } from "./table.ts"

const echo = (options: WebSocket.Options) =>
  WebSocket.raw(options, (socket) => Stream.runForEach(socket.messages, socket.send))

const app = App.make({
  echo: Route.websocket("/", echo({})),
  small: Route.websocket("/small", echo({ maxMessage: 1000 })),
  plain: Route.websocket("/plain", echo({ compress: false }))
})

const bye = frame(CLOSE, closing(1000))
const part = { fin: false } as const

type Row = readonly [name: string, sent: ReadonlyArray<Uint8Array>, wanted: ReadonlyArray<string>]

/** Declares rows: the frames are sent at once, then byte by byte, and what comes back is the same. Those that fail say with what code. */
const table = (section: string, rows: ReadonlyArray<Row>, path = "/") =>
  describe(section, () => {
    for (const [name, sent, wanted] of rows) {
      both(name, app, ({ client, logs }) =>
        Effect.gen(function* () {
          const bytes = Buffer.concat(sent)
          for (const piece of bytes.length < 2000 ? [bytes.length, 1] : [bytes.length]) {
            const raw = yield* open(client, path)
            yield* sendIn(raw, bytes, piece)
            // The reasons are for people.
            const came = (yield* raw.last).map((line) => line.replace(/^(close 100[2-9]) .*/, "$1"))
            assert.deepStrictEqual(came, wanted)
          }
          assert.deepStrictEqual(logs, [])
        })
      )
    }
  })

const letters = (count: number): string => "a".repeat(count)
const echoed = (text: string): string => `text ${JSON.stringify(text)}`

table("messages of every form of length (§5.2; Autobahn 1)", [
  ...[0, 125, 126, 127, 128, 65_535, 65_536].flatMap(
    (count): ReadonlyArray<Row> => [
      [`a text of ${count} bytes`, [frame(TEXT, letters(count)), bye], [echoed(letters(count)), "close 1000"]],
      [
        `${count} bytes`,
        [frame(BINARY, Buffer.alloc(count, 0xfe)), bye],
        [`binary ${"fe".repeat(count)}`, "close 1000"]
      ]
    ]
  ),
  [
    "lengths in a longer form than they need, as `ws` reads them",
    [
      frame(TEXT, "ab", { length: { form: 16, value: 2n } }),
      frame(TEXT, "c", { length: { form: 64, value: 1n } }),
      bye
    ],
    [echoed("ab"), echoed("c"), "close 1000"]
  ]
])

table("pings and pongs (§5.5.2, §5.5.3; Autobahn 2)", [
  ["a ping is answered with its payload", [frame(PING, "hello"), bye], ['pong "hello"', "close 1000"]],
  ["an empty ping", [frame(PING), bye], ['pong ""', "close 1000"]],
  ["a ping of 125 bytes", [frame(PING, letters(125)), bye], [`pong "${letters(125)}"`, "close 1000"]],
  ["a ping of 126 bytes", [frame(PING, letters(126))], ["close 1002"]],
  ["pongs that nobody asked for mean nothing", [frame(PONG), frame(PONG, "x"), bye], ["close 1000"]],
  ["a pong of 126 bytes", [frame(PONG, letters(126))], ["close 1002"]],
  [
    "ten pings are answered in order",
    [...Array.from({ length: 10 }, (_, index) => frame(PING, String(index))), bye],
    [...Array.from({ length: 10 }, (_, index) => `pong "${index}"`), "close 1000"]
  ]
])

table("reserved bits (§5.2; Autobahn 3)", [
  ...[1, 2, 3, 4, 5, 6, 7].map((rsv): Row => [`RSV ${rsv} on a text`, [frame(TEXT, "a", { rsv })], ["close 1002"]]),
  ["RSV on a ping", [frame(PING, "a", { rsv: 4 })], ["close 1002"]],
  ["RSV on a close frame", [frame(CLOSE, "", { rsv: 1 })], ["close 1002"]],
  [
    "a message before it is answered",
    [frame(TEXT, "a"), frame(TEXT, "b", { rsv: 4 }), frame(PING)],
    [echoed("a"), "close 1002"]
  ]
])

table(
  "reserved opcodes (§5.2; Autobahn 4)",
  [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): Row => [`opcode ${opcode}`, [frame(opcode, "a")], ["close 1002"]])
)

table("fragments (§5.4; Autobahn 5)", [
  ["a ping in pieces", [frame(PING, "a", part), frame(CONTINUATION, "b")], ["close 1002"]],
  ["a pong in pieces", [frame(PONG, "a", part)], ["close 1002"]],
  ["a close frame in pieces", [frame(CLOSE, "", part)], ["close 1002"]],
  ["a text in two", [frame(TEXT, "a", part), frame(CONTINUATION, "b"), bye], [echoed("ab"), "close 1000"]],
  [
    "a ping between the pieces of a text is answered first",
    [frame(TEXT, "a", part), frame(PING, "p"), frame(CONTINUATION, "b"), bye],
    ['pong "p"', echoed("ab"), "close 1000"]
  ],
  [
    "pings between all pieces of a message in bytes",
    [
      frame(BINARY, "a", part),
      frame(PING, "1"),
      frame(CONTINUATION, "b", part),
      frame(PING, "2"),
      frame(CONTINUATION, "c"),
      bye
    ],
    ['pong "1"', 'pong "2"', "binary 616263", "close 1000"]
  ],
  ["a piece of nothing", [frame(CONTINUATION, "a")], ["close 1002"]],
  ["a first piece of nothing", [frame(CONTINUATION, "a", part)], ["close 1002"]],
  [
    "a piece behind the last",
    [frame(TEXT, "a", part), frame(CONTINUATION, "b"), frame(CONTINUATION, "c")],
    [echoed("ab"), "close 1002"]
  ],
  ["a text inside another", [frame(TEXT, "a", part), frame(TEXT, "b")], ["close 1002"]],
  ["a message in bytes inside a text", [frame(TEXT, "a", part), frame(BINARY, "b")], ["close 1002"]],
  ["RSV1 on a piece", [frame(TEXT, "a", part), frame(CONTINUATION, "b", { rsv: 4 })], ["close 1002"]],
  [
    "empty pieces",
    [frame(TEXT, "", part), frame(CONTINUATION, "", part), frame(CONTINUATION, ""), bye],
    [echoed(""), "close 1000"]
  ],
  [
    "a close frame between the pieces ends it all",
    [frame(TEXT, "a", part), bye, frame(CONTINUATION, "b")],
    ["close 1000"]
  ]
])

const bytes = (...codes: ReadonlyArray<number>): Buffer => Buffer.from(codes)
const word = Buffer.from("κόσμε")

const invalid: ReadonlyArray<readonly [string, Buffer]> = [
  ["a continuation byte alone", bytes(0x80)],
  ["half a character", bytes(0xce)],
  ["a character of three bytes without its last", bytes(0xe2, 0x82)],
  ["an overlong slash", bytes(0xc0, 0xaf)],
  ["an overlong slash of three bytes", bytes(0xe0, 0x80, 0xaf)],
  ["a surrogate", bytes(0xed, 0xa0, 0x80)],
  ["a code point above U+10FFFF", bytes(0xf4, 0x90, 0x80, 0x80)],
  ["a sequence of five bytes", bytes(0xf8, 0x88, 0x80, 0x80, 0x80)],
  ["0xFE and 0xFF", bytes(0xfe, 0xff)]
]

table("UTF-8 (§8.1; Autobahn 6)", [
  ["a text of other letters", [frame(TEXT, word), bye], [echoed("κόσμε"), "close 1000"]],
  ...Array.from(
    { length: word.length - 1 },
    (_, index): Row => [
      `a text that is split behind byte ${index + 1}`,
      [frame(TEXT, word.subarray(0, index + 1), part), frame(CONTINUATION, word.subarray(index + 1)), bye],
      [echoed("κόσμε"), "close 1000"]
    ]
  ),
  [
    "one byte in each piece",
    [
      ...[...word].map((byte, index) => frame(index === 0 ? TEXT : CONTINUATION, bytes(byte), part)),
      frame(CONTINUATION),
      bye
    ],
    [echoed("κόσμε"), "close 1000"]
  ],
  ["NUL, U+FFFF, U+10FFFF", [frame(TEXT, "\0\uffff\u{10ffff}"), bye], [echoed("\0\uffff\u{10ffff}"), "close 1000"]],
  ["a byte order mark is part of the text", [frame(TEXT, "\ufeffa"), bye], [echoed("\ufeffa"), "close 1000"]],
  ...invalid.map(([name, data]): Row => [name, [frame(TEXT, Buffer.concat([word, data]))], ["close 1007"]]),
  ["an invalid text in pieces", [frame(TEXT, bytes(0xce), part), frame(CONTINUATION, "a")], ["close 1007"]],
  ["bytes need not be UTF-8", [frame(BINARY, bytes(0xfe, 0xff)), bye], ["binary feff", "close 1000"]]
])

const validCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
const invalidCodes = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]

table("the end (§5.5.1, §7; Autobahn 7)", [
  ["a close frame without a code", [frame(CLOSE)], ["close"]],
  ["a second close frame is not answered", [bye, frame(CLOSE, closing(1001))], ["close 1000"]],
  ["a text behind a close frame is not answered", [bye, frame(TEXT, "a")], ["close 1000"]],
  ["a ping behind a close frame is not answered", [bye, frame(PING)], ["close 1000"]],
  ["a payload of one byte", [frame(CLOSE, "a")], ["close 1002"]],
  ["a reason of 123 bytes", [frame(CLOSE, closing(1000, letters(123)))], [`close 1000 ${letters(123)}`]],
  ["a reason of 124 bytes", [frame(CLOSE, closing(1000, letters(124)))], ["close 1002"]],
  ["a reason that is not UTF-8", [frame(CLOSE, closing(1000, bytes(0xce)))], ["close 1007"]],
  ...validCodes.map((code): Row => [`code ${code}`, [frame(CLOSE, closing(code))], [`close ${code}`]]),
  ...invalidCodes.map((code): Row => [`code ${code}`, [frame(CLOSE, closing(code))], ["close 1002"]])
])

table("masks (§5.1, §5.3)", [
  ["a text that is not masked", [frame(TEXT, "a", { mask: false })], ["close 1002"]],
  ["a ping that is not masked", [frame(PING, "a", { mask: false })], ["close 1002"]],
  ["a close frame that is not masked", [frame(CLOSE, "", { mask: false })], ["close 1002"]]
])

const huge = (value: bigint) => frame(TEXT, "a", { length: { form: 64, value } })

table(
  "limits (Autobahn 9)",
  [
    ["exactly as many bytes as are allowed", [frame(TEXT, letters(1000)), bye], [echoed(letters(1000)), "close 1000"]],
    ["one byte more", [frame(TEXT, letters(1001))], ["close 1009"]],
    ["one byte more in bytes", [frame(BINARY, letters(1001))], ["close 1009"]],
    [
      "exactly as many in pieces",
      [frame(TEXT, letters(600), part), frame(CONTINUATION, letters(400)), bye],
      [echoed(letters(1000)), "close 1000"]
    ],
    ["one more in pieces", [frame(TEXT, letters(600), part), frame(CONTINUATION, letters(401))], ["close 1009"]],
    ["a length of 2^31", [huge(2n ** 31n)], ["close 1009"]],
    ["a length of 2^53", [huge(2n ** 53n)], ["close 1009"]],
    ["a length of 2^63 - 1", [huge(2n ** 63n - 1n)], ["close 1009"]],
    ["a length with the highest bit set", [huge(2n ** 63n)], ["close 1009"]]
  ],
  "/small"
)

const most = 4 * 1024 * 1024

describe("4 MiB", () => {
  both("exactly are accepted, and one byte more is 1009", app, ({ client }) =>
    Effect.gen(function* () {
      const whole = yield* open(client, "/plain")
      yield* whole.send(Buffer.concat([frame(BINARY, Buffer.alloc(most, 1)), bye]))
      const [message, close] = frames(Buffer.from(yield* whole.closed, "latin1"))
      assert.deepStrictEqual([message?.payload.length, message?.payload.at(-1), close?.opcode], [most, 1, CLOSE])
      const more = yield* open(client, "/plain")
      yield* more.send(frame(BINARY, Buffer.alloc(most + 1)))
      assert.deepStrictEqual(yield* more.last, ["close 1009"])
    })
  )

  both("pass in 131,072 pieces", app, ({ client, logs }) =>
    Effect.gen(function* () {
      const count = 131_072
      const each = most / count
      const piece = frame(CONTINUATION, Buffer.alloc(each, 1), part)
      const raw = yield* open(client, "/plain")
      yield* raw.send(
        Buffer.concat([
          frame(BINARY, Buffer.alloc(each, 1), part),
          ...Array.from({ length: count - 2 }, () => piece),
          frame(CONTINUATION, Buffer.alloc(each, 1)),
          bye
        ])
      )
      const [message, close] = frames(Buffer.from(yield* raw.closed, "latin1"))
      assert.deepStrictEqual([message?.payload.length, close?.opcode, logs], [most, CLOSE, []])
    })
  )
})

/** What a client of RFC 7692 sends: compressed, without the last four bytes. */
const deflated = (text: string | Uint8Array, options: Zlib.ZlibOptions = {}): Buffer =>
  Zlib.deflateRawSync(text, { finishFlush: Zlib.constants.Z_SYNC_FLUSH, ...options }).subarray(0, -4)

const inflated = (payload: Uint8Array, windowBits = 15): string =>
  Zlib.inflateRawSync(Buffer.concat([payload, bytes(0, 0, 0xff, 0xff)]), {
    finishFlush: Zlib.constants.Z_SYNC_FLUSH,
    windowBits
  }).toString()

const own = "server_no_context_takeover; client_no_context_takeover"
const offers: ReadonlyArray<readonly [offer: string, wanted: string | undefined]> = [
  ["permessage-deflate", own],
  ["permessage-deflate; client_max_window_bits", own],
  ["permessage-deflate; client_max_window_bits=10", `client_max_window_bits=10; ${own}`],
  ['permessage-deflate; server_max_window_bits="9"', `server_max_window_bits=9; ${own}`],
  ["permessage-deflate; server_no_context_takeover", own],
  ["permessage-deflate; client_no_context_takeover", "client_no_context_takeover; server_no_context_takeover"],
  ["x-webkit-deflate-frame, permessage-deflate", own],
  ["permessage-deflate; server_max_window_bits=16, permessage-deflate", own],
  ["permessage-deflate; server_max_window_bits=7", undefined],
  ["permessage-deflate; server_max_window_bits=08", undefined],
  ["permessage-deflate; server_max_window_bits", undefined],
  ["permessage-deflate; client_max_window_bits=99", undefined],
  ["permessage-deflate; server_no_context_takeover=1", undefined],
  ["permessage-deflate; server_no_context_takeover; server_no_context_takeover", undefined],
  ["permessage-deflate; unknown", undefined],
  ["permessage-deflate; __proto__", undefined],
  ["other", undefined]
]

describe("offers of permessage-deflate (RFC 7692 §5, §7.1; Autobahn 13)", () => {
  for (const [offer, wanted] of offers) {
    both(wanted === undefined ? `${offer}: is declined` : `${offer}: is taken`, app, ({ client }) =>
      Effect.gen(function* () {
        const raw = yield* open(client, "/", { "Sec-WebSocket-Extensions": offer })
        const header = /\r\nSec-WebSocket-Extensions: permessage-deflate; (.*)\r\n/.exec(raw.head)?.[1]
        assert.deepStrictEqual(header?.split("; ").toSorted(), wanted?.split("; ").toSorted())
        assert.strictEqual(raw.head.includes("Extensions"), wanted !== undefined)
        yield* raw.send(Buffer.concat([frame(TEXT, "plain"), bye]))
        assert.deepStrictEqual(yield* raw.last, [echoed("plain"), "close 1000"])
      })
    )
  }

  both("are declined where the endpoint does not compress", app, ({ client }) =>
    Effect.gen(function* () {
      const raw = yield* open(client, "/plain", { "Sec-WebSocket-Extensions": "permessage-deflate" })
      assert.notInclude(raw.head, "Extensions")
      yield* raw.send(frame(TEXT, deflated("a"), { rsv: 4 }))
      assert.match((yield* raw.last).join(), /^close 1002/)
    })
  )
})

describe("compressed messages (RFC 7692 §7.2; Autobahn 12)", () => {
  const text = "compress me, ".repeat(200)
  const ask = { "Sec-WebSocket-Extensions": "permessage-deflate" }

  /** Sends frames and gives what comes back, inflated. */
  const exchange = (name: string, sent: ReadonlyArray<Uint8Array>, wanted: ReadonlyArray<string>, path = "/") =>
    both(name, app, ({ client, logs }) =>
      Effect.gen(function* () {
        const raw = yield* open(client, path, ask)
        yield* raw.send(Buffer.concat(sent))
        const came = frames(Buffer.from(yield* raw.closed, "latin1")).map((one) =>
          one.rsv === 4 ? { ...one, rsv: 0, payload: Buffer.from(inflated(one.payload)) } : one
        )
        assert.deepStrictEqual(
          shown(came).map((line) => line.replace(/^(close 100[2-9]) .*/, "$1")),
          wanted
        )
        assert.deepStrictEqual(logs, [])
      })
    )

  exchange(
    "a compressed text is answered",
    [frame(TEXT, deflated(text), { rsv: 4 }), bye],
    [echoed(text), "close 1000"]
  )
  exchange(
    "compressed and plain ones, one after the other, in order",
    [
      frame(TEXT, deflated(text), { rsv: 4 }),
      frame(TEXT, "plain"),
      frame(TEXT, deflated("small"), { rsv: 4 }),
      frame(TEXT, text),
      bye
    ],
    [echoed(text), echoed("plain"), echoed("small"), echoed(text), "close 1000"]
  )
  const [first, second] = [deflated(text).subarray(0, 10), deflated(text).subarray(10)]
  exchange(
    "in pieces, RSV1 on the first alone, with a ping between",
    [frame(TEXT, first, { ...part, rsv: 4 }), frame(PING, "p"), frame(CONTINUATION, second), bye],
    ['pong "p"', echoed(text), "close 1000"]
  )
  exchange(
    "in several blocks, and with one that is not compressed",
    [
      frame(TEXT, Buffer.concat([deflated("a", { level: 0 }), bytes(0, 0, 0xff, 0xff), deflated("b")]), { rsv: 4 }),
      bye
    ],
    [echoed("ab"), "close 1000"]
  )
  exchange("an empty one", [frame(TEXT, bytes(0), { rsv: 4 }), bye], [echoed(""), "close 1000"])
  exchange(
    "one that ends with a final block (§7.2.3.4)",
    [frame(TEXT, Buffer.concat([Zlib.deflateRawSync("final"), bytes(0)]), { rsv: 4 }), bye],
    [echoed("final"), "close 1000"]
  )
  exchange("garbage is 1007", [frame(TEXT, bytes(0xff, 0xff, 0xff), { rsv: 4 })], ["close 1007"])
  exchange("invalid UTF-8 inside is 1007", [frame(TEXT, deflated(bytes(0xce)), { rsv: 4 })], ["close 1007"])
  exchange("RSV1 on a ping is 1002", [frame(PING, deflated("a"), { rsv: 4 })], ["close 1002"])
  exchange(
    "the limit is that of the decompressed size: exactly",
    [frame(TEXT, deflated(letters(1000)), { rsv: 4 }), bye],
    [echoed(letters(1000)), "close 1000"],
    "/small"
  )
  exchange("one byte more is 1009", [frame(TEXT, deflated(letters(1001)), { rsv: 4 })], ["close 1009"], "/small")
  exchange("a bomb is 1009", [frame(BINARY, deflated(Buffer.alloc(50_000_000)), { rsv: 4 })], ["close 1009"], "/small")

  both("what goes out is compressed from 1,024 bytes on, each message for itself", app, ({ client }) =>
    Effect.gen(function* () {
      const raw = yield* open(client, "/", ask)
      yield* raw.send(
        Buffer.concat([...[letters(1023), letters(1024), text, text].map((one) => frame(TEXT, one)), bye])
      )
      const [short, long, once, twice] = frames(Buffer.from(yield* raw.closed, "latin1"))
      assert.deepStrictEqual([short?.rsv, long?.rsv, once?.rsv, short?.payload.length], [0, 4, 4, 1023])
      assert.isBelow(once?.payload.length ?? 0, 100)
      assert.deepStrictEqual(once?.payload, twice?.payload)
      assert.strictEqual(inflated(twice?.payload as Buffer), text)
    })
  )

  both("a client's smaller window is kept to", app, ({ client }) =>
    Effect.gen(function* () {
      const raw = yield* open(client, "/", {
        "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=9"
      })
      const far = Array.from({ length: 400 }, (_, index) => String(index * 7919)).join("")
      yield* raw.send(Buffer.concat([frame(TEXT, far + far), bye]))
      const [message] = frames(Buffer.from(yield* raw.closed, "latin1"))
      assert.strictEqual(message?.rsv, 4)
      assert.strictEqual(inflated(message?.payload as Buffer, 9), far + far)
    })
  )
})
