/**
 * How a WebSocket is asked for, and what who gets none is answered: on the wire.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../src/App.ts"
import * as Middleware from "../src/Middleware.ts"
import * as Request from "../src/Request.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as WebSocket from "../src/WebSocket.ts"
import * as Wire from "./conformance/wire.ts"
import { accepted, ask, BINARY, frame, open, TEXT } from "./frames.ts"
import { both, get, turns } from "./server/both.ts"

const says = (options: WebSocket.Options) =>
  WebSocket.raw(options, (socket) => Effect.andThen(socket.send(`speaks ${socket.protocol}`), socket.closed))

const app = App.make({
  plain: Route.websocket("/plain", says({})),
  chat: Route.websocket("/chat", says({ protocols: ["chat.v2", "chat.v1"] })),
  listed: Route.websocket("/listed", says({ origins: ["https://app.example", "http://b:8080"] })),
  any: Route.websocket("/any", says({ origins: "any" })),
  chosen: Route.websocket("/chosen", says({ origins: (origin) => origin.endsWith(".example") })),
  loose: Route.websocket("/loose", says({ compress: false })),
  page: Route.websocket("/page", says({}), Response.text("a page")),
  set: Route.websocket("/set", says({})).pipe(
    Route.use(
      Middleware.onResponse((response) => Response.setCookie(Response.setHeader(response, "x-a", "1"), "b", "2"))
    )
  ),
  split: Route.websocket("/split", says({})).pipe(
    Route.use(Middleware.onResponse((response) => Response.setHeader(response, "x-a", "1\r\nx-b: 2")))
  ),
  asks: Route.any(
    "/asks",
    Effect.map(WebSocket.accepts, (asks) => Response.text(String(asks)))
  ),
  other: Route.get("/other", Response.text("other")),
  mounted: Route.mount("/mounted", App.make({ it: Route.websocket("/it", says({})) }))
})

both("the answer to a handshake is 101 with the key of the client", app, ({ client }) =>
  Effect.gen(function* () {
    const { head, until } = yield* open(client, "/plain")
    assert.strictEqual(
      head,
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accepted}\r\n\r\n`
    )
    assert.include(yield* until("speaks "), "speaks ")
  })
)

const accepting = [
  ["tokens in other cases and beside others", { Connection: "keep-alive, UPGRADE", Upgrade: "h2c, WebSocket" }],
  ["no Origin", { Origin: undefined }],
  ["the same Origin", { Origin: "http://a" }],
  ["the same Origin, in capitals", { Origin: "HTTP://A" }],
  ["the same Origin, its port written in Host", { Origin: "http://a", Host: "a:80" }]
] as const

for (const [name, changes] of accepting) {
  both(`a handshake is accepted with ${name}`, app, ({ client }) => open(client, "/plain", changes))
}

const otherOrigin = 'This WebSocket takes no connections from pages of that origin: see the option "origins"'

const refusing = [
  ["no Upgrade", { Upgrade: undefined }, 426, "Open a WebSocket here"],
  ["another Upgrade", { Upgrade: "h2c" }, 426, "Open a WebSocket here"],
  ["no token upgrade in Connection", { Connection: "upgraded" }, 426, "Open a WebSocket here"],
  ["no version", { "Sec-WebSocket-Version": undefined }, 426, "Only version 13 of the protocol is spoken here"],
  ["version 8", { "Sec-WebSocket-Version": "8" }, 426, "Only version 13 of the protocol is spoken here"],
  ["two versions", { "Sec-WebSocket-Version": "13, 8" }, 426, "Only version 13 of the protocol is spoken here"],
  ["no key", { "Sec-WebSocket-Key": undefined }, 400, "Sec-WebSocket-Key is missing, or not 16 bytes in base64"],
  ["a short key", { "Sec-WebSocket-Key": "c2hvcnQ=" }, 400, "Sec-WebSocket-Key is missing, or not 16 bytes in base64"],
  [
    "a key that is not base64",
    { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j*Q==" },
    400,
    "Sec-WebSocket-Key is missing, or not 16 bytes in base64"
  ],
  [
    "a subprotocol that is no token",
    { "Sec-WebSocket-Protocol": "a b" },
    400,
    "Sec-WebSocket-Protocol is no list of different tokens"
  ],
  [
    "a subprotocol twice",
    { "Sec-WebSocket-Protocol": "a, a" },
    400,
    "Sec-WebSocket-Protocol is no list of different tokens"
  ],
  [
    "a broken list of extensions",
    { "Sec-WebSocket-Extensions": "permessage-deflate; =" },
    400,
    "Sec-WebSocket-Extensions is no list of extensions"
  ],
  ["another Origin", { Origin: "http://b" }, 403, otherOrigin],
  ["another port", { Origin: "http://a:81" }, 403, otherOrigin],
  ["another scheme", { Origin: "https://a" }, 403, otherOrigin],
  ["the Origin null", { Origin: "null" }, 403, otherOrigin]
] as const

for (const [name, changes, status, detail] of refusing) {
  both(`a handshake with ${name} is ${status}, and the connection stays usable`, app, ({ wire, logs }) =>
    Effect.gen(function* () {
      yield* wire.send(ask("/plain", changes))
      const { body, headers, status: answered } = yield* wire.answer()
      assert.strictEqual(answered, status)
      assert.strictEqual(JSON.parse(body.toString()).detail, detail)
      if (status === 426) {
        assert.deepInclude(headers, { upgrade: "websocket", "sec-websocket-version": "13", connection: "upgrade" })
      }
      yield* wire.send(get("/other"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "other")
      yield* wire.send(ask("/plain"))
      yield* wire.until("101 Switching Protocols")
      assert.deepStrictEqual(logs, [])
    })
  )
}

both("a HEAD and a POST get no WebSocket", app, ({ wire }) =>
  Effect.gen(function* () {
    yield* wire.send(ask("/plain").replace("GET", "HEAD"))
    assert.strictEqual((yield* wire.answer("HEAD")).status, 426)
    yield* wire.send(ask("/plain").replace("GET", "POST"))
    assert.strictEqual((yield* wire.answer()).status, 405)
  })
)

const protocols = [
  ["the first of the client's that is known", "chat.v1, chat.v2", "chat.v1"],
  ["a known one behind unknown ones", "x, y, chat.v2", "chat.v2"],
  ["none where none is known", "x, y", undefined],
  ["none where none is offered", undefined, undefined],
  ["no other case", "CHAT.V2", undefined]
] as const

for (const [name, offered, wanted] of protocols) {
  both(`of subprotocols is chosen ${name}`, app, ({ client }) =>
    Effect.gen(function* () {
      const raw = yield* open(client, "/chat", { "Sec-WebSocket-Protocol": offered })
      const header = /\r\nSec-WebSocket-Protocol: (.*)\r\n/i.exec(raw.head)?.[1]
      assert.strictEqual(header, wanted)
      yield* raw.until(`speaks ${wanted ?? ""}`)
    })
  )
}

const origins = [
  ["/listed", "https://app.example", 101],
  ["/listed", "HTTPS://APP.example", 101],
  ["/listed", "http://b:8080", 101],
  ["/listed", "http://a", 403],
  ["/listed", "https://app.example.evil", 403],
  ["/any", "https://evil.example", 101],
  ["/any", "null", 101],
  ["/chosen", "https://any.example", 101],
  ["/chosen", "https://any.other", 403]
] as const

for (const [path, origin, status] of origins) {
  both(`${path} answers a page of ${origin} with ${status}`, app, ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(ask(path, { Origin: origin }))
      yield* wire.until(`HTTP/1.1 ${status} `)
    })
  )
}

both("one URL serves a page and a socket", app, ({ client, wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/page"))
    assert.strictEqual((yield* wire.answer()).body.toString(), "a page")
    yield* open(client, "/page")
    yield* wire.send(ask("/page", { "Sec-WebSocket-Version": "8" }))
    assert.strictEqual((yield* wire.answer()).status, 426)
  })
)

both("WebSocket.accepts says whether a request asks for one", app, ({ wire }) =>
  Effect.gen(function* () {
    const rows = [
      [ask("/asks"), "true"],
      [ask("/asks", { Upgrade: "h2c, WEBSOCKET" }), "true"],
      [get("/asks"), "false"],
      [ask("/asks", { Upgrade: "h2c" }), "false"],
      [ask("/asks").replace("GET", "POST"), "false"]
    ] as const
    for (const [request, wanted] of rows) {
      yield* wire.send(request)
      assert.strictEqual((yield* wire.answer()).body.toString(), wanted)
    }
  })
)

both("headers and cookies that middleware sets are on the 101", app, ({ client }) =>
  Effect.gen(function* () {
    const { head } = yield* open(client, "/set")
    assert.match(head, /\r\nx-a: 1\r\nset-cookie: b=2\b.*\r\n\r\n$/)
  })
)

both("a header that would break out of its line is a 500", app, ({ wire, logs }) =>
  Effect.gen(function* () {
    yield* wire.send(ask("/split"))
    const { headers, status } = yield* wire.answer()
    assert.deepStrictEqual([status, headers["x-b"]], [500, undefined])
    assert.lengthOf(logs, 1)
  })
)

both("frames that come with the handshake are not lost", app, ({ wire }) =>
  Effect.gen(function* () {
    const echo = Buffer.concat([Buffer.from(ask("/mounted/it")), frame(TEXT, "one"), frame(BINARY, "two")])
    yield* wire.send(echo)
    yield* wire.until("speaks ")
  })
)

it.live("fifty upgrades that are declined leave nothing behind on their connection", () =>
  Effect.gen(function* () {
    const wire = yield* Wire.open(yield* Testing.socketClient(app))
    const warnings: Array<Error> = []
    const warn = (warning: Error) => warnings.push(warning)
    process.on("warning", warn)
    for (let count = 0; count < 50; count++) {
      yield* wire.send(ask("/plain", { Origin: "http://b" }))
      assert.strictEqual((yield* wire.answer()).status, 403)
    }
    yield* turns
    process.off("warning", warn)
    assert.deepStrictEqual(warnings, [])
  }).pipe(Effect.scoped)
)

const who = WebSocket.raw({}, (socket) => Effect.flatMap(Request.cookies, ({ user }) => socket.send(user ?? "nobody")))
const cookies = App.make({
  login: Route.get("/login", Effect.succeed(Response.setCookie(Response.text("in"), "user", "ann"))),
  who: Route.websocket("/who", who)
})

served("the handshake carries the cookies that the app has set", cookies, (client) =>
  Effect.gen(function* () {
    yield* client.get("/login")
    const peer = yield* client.webSocket("/who")
    assert.strictEqual(yield* peer.receive, "ann")
  })
)

describe("wrong declarations throw", () => {
  const rows: ReadonlyArray<readonly [wanted: string, options: WebSocket.Options]> = [
    ['"a b" is no subprotocol; write one word, as "chat.v2"', { protocols: ["a b"] }],
    ['"https://app.example/" is no origin; write "https://app.example"', { origins: ["https://app.example/"] }],
    ['"app.example" is no origin; write "https://app.example"', { origins: ["app.example"] }],
    ['"*" is no origin; for all of them write origins: "any"', { origins: ["*"] }],
    ["maxMessage: 0 is out of range; write a size from 1 byte to 500 MiB", { maxMessage: 0 }],
    ["maxMessage: 1 GiB is out of range; write a size from 1 byte to 500 MiB", { maxMessage: "1 GiB" }],
    ["sendBuffer: 0 is out of range; write a size from 1 byte to 500 MiB", { sendBuffer: 0 }],
    ["heartbeat: write a time above zero, or false for none", { heartbeat: 0 }],
    ["closeTimeout: write a time above zero", { closeTimeout: "0 seconds" }]
  ]
  for (const [wanted, options] of rows) {
    it(wanted, () => assert.throws(() => says(options), TypeError, wanted))
  }
  it("a schema that is no message of the plain codec is a defect when it is sent", () => {
    assert.throws(() => WebSocket.plain.encode(1), TypeError, "A plain message is a string or a Uint8Array")
    assert.strictEqual(WebSocket.plain.encode("a"), "a")
  })
})

both("a handshake in pieces is accepted", app, ({ wire }) =>
  Effect.gen(function* () {
    for (const byte of ask("/plain")) yield* wire.send(byte)
    yield* wire.until("101 Switching Protocols")
  })
)
