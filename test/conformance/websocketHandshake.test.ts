/**
 * Handshakes of odd forms, legal and not (RFC 6455 §4.1 to §4.3, §9.1; RFC 9110 §5, §7.8; RFC 9112 §3.2), and what is agreed on.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Route from "../../src/Route.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import { accepted, ask, CLOSE, closing, frame, frames, shown, TEXT } from "../frames.ts"
import { both } from "../server/both.ts"

const app = App.make({
  echo: Route.websocket(
    "/",
    WebSocket.raw({ protocols: ["v2", "v1"] }, (socket) => Stream.runForEach(socket.messages, socket.send))
  )
})

const sent = Buffer.concat([frame(TEXT, "a"), frame(CLOSE, closing(1000))])
const none = { Connection: undefined, Upgrade: undefined, Host: undefined }
const plain = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket"

/** A request with these lines in place of Host, Connection and Upgrade. */
const lines = (text: string): string => ask("/", none).replace("\r\n", `\r\n${text}\r\n`)
const more = (text: string): string => lines(`${plain}\r\n${text}`)

const legal: ReadonlyArray<readonly [name: string, request: string]> = [
  ["names in lower case", ask("/").replace(/^[\w-]+(?=:)/gm, (name) => name.toLowerCase())],
  ["names in upper case", ask("/").replace(/^[\w-]+(?=:)/gm, (name) => name.toUpperCase())],
  ["no space before values", ask("/").replaceAll(": ", ":")],
  ["tabs and spaces around values", ask("/").replace(/^([\w-]+): (.*)$/gm, "$1: \t$2 \t")],
  ["keep-alive beside", lines("Host: a\r\nConnection: keep-alive, , Upgrade,\r\nUpgrade: websocket")],
  ["Connection in two lines", lines("Host: a\r\nConnection: keep-alive\r\nConnection: UPGRADE\r\nUpgrade: websocket")],
  ["Upgrade in two lines", lines("Host: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: WebSocket")],
  ["an absolute target", ask("http://a/")],
  ["an absolute target without a path", ask("HTTP://a?b=c")],
  ["a query", ask("/?a=b%20")],
  ["empty lines before it", `\r\n\r\n${ask("/")}`],
  ["Content-Length: 0", more("Content-Length: 0")]
]

describe("is opened with", () => {
  for (const [name, request] of legal) {
    both(name, app, ({ logs, wire }) =>
      Effect.gen(function* () {
        // Frames in the packet of the handshake too.
        yield* wire.send(Buffer.concat([Buffer.from(request), sent]))
        const head = yield* wire.until("\r\n\r\n")
        assert.include(head, `\r\nSec-WebSocket-Accept: ${accepted}\r\n`)
        assert.match(head, /^HTTP\/1\.1 101 /)
        assert.deepStrictEqual(shown(frames(Buffer.from(yield* wire.closed, "latin1"))), ['text "a"', "close 1000"])
        assert.deepStrictEqual(logs, [])
      })
    )
  }
})

const refused: ReadonlyArray<readonly [name: string, request: string, status: number]> = [
  ["websocket with a version in Upgrade", lines("Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket/13"), 426],
  ["HTTP/1.0 (RFC 9110 §7.8)", ask("/").replace("HTTP/1.1", "HTTP/1.0"), 426],
  ["the version with a zero (§4.3)", ask("/", { "Sec-WebSocket-Version": "013" }), 426],
  ["the version twice (§11.3.5)", more("Sec-WebSocket-Version: 13"), 426],
  ["the key twice (§11.3.1)", more("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400],
  ["a target of ws: (§4.1)", ask("ws://a/"), 400],
  ["a subprotocol twice, in two lines (§4.1)", more("Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: v1"), 400],
  ["an empty list of subprotocols (§4.3)", more("Sec-WebSocket-Protocol: "), 400],
  ["an empty list of extensions (§9.1)", more("Sec-WebSocket-Extensions: "), 400]
]

describe("is refused with", () => {
  for (const [name, request, status] of refused) {
    both(`${name}: ${status}`, app, ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(request)
        assert.strictEqual((yield* wire.answer()).status, status)
      })
    )
  }
})

const deflate = "permessage-deflate"
const agreed: ReadonlyArray<readonly [field: string, offered: ReadonlyArray<string>, wanted: string]> = [
  ["Protocol", ["x, v1, v2"], "v1"],
  ["Protocol", ["x", "v1", "v2"], "v1"],
  ["Protocol", [",x, y", "", "v2,v1,"], "v2"],
  ["Extensions", ["foo", `${deflate}; server_max_window_bits=12`], "12"],
  ["Extensions", [`${deflate}; server_max_window_bits=99`, `${deflate}; server_max_window_bits=10`], "10"],
  ["Extensions", ["", `, ${deflate} ;  server_max_window_bits=11 ,, foo;a=b`], "11"],
  ["Extensions", [`${deflate}; server_max_window_bits="12"`], "12"],
  ["Extensions", [`${deflate}; server_max_window_bits="1\\2"`], "12"],
  // The grammar is that of RFC 2616, "including the implied *LWS rule": space may stand between any two words.
  ["Extensions", [`${deflate}; server_max_window_bits = 13 , foo`], "13"],
  ["Extensions", [`foo; a =b, ${deflate}; server_max_window_bits=\t"14"`], "14"]
]

describe("agrees, of lists in one or several lines", () => {
  for (const [field, offered, wanted] of agreed) {
    both(`${field}: ${offered.join(" | ")}`, app, ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(more(offered.map((value) => `Sec-WebSocket-${field}: ${value}`).join("\r\n")))
        const head = yield* wire.until("\r\n\r\n")
        const line = new RegExp(`\r\nSec-WebSocket-${field}: (?:.*server_max_window_bits=)?([^;\r]+)`).exec(head)
        assert.strictEqual(line?.[1], wanted)
      })
    )
  }
})
