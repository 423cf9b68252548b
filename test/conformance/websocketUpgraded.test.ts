/**
 * RFC 6455 on the other way to a WebSocket, `request.upgrade` of Effect: what is sent behind the handshake, and what comes back.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as App from "../../src/App.ts"
import * as Route from "../../src/Route.ts"
import { CLOSE, CONTINUATION, closing, frame, open, PING, PONG, TEXT } from "../frames.ts"
import { both } from "../server/both.ts"
import { sendIn } from "./table.ts"

const echo = Effect.gen(function* () {
  const { upgrade } = yield* HttpServerRequest.HttpServerRequest
  const socket = yield* upgrade
  const { pull } = yield* socket.reader
  const { writeAll } = yield* socket.writer
  yield* Effect.ignore(Effect.forever(Effect.flatMap(pull, writeAll)))
  return HttpServerResponse.empty()
}).pipe(Effect.scoped, Effect.orDie)

const app = App.make({ echo: Route.mountHandler("/", echo) })

const bye = frame(CLOSE, closing(1000))
const part = { fin: false } as const

const rows: ReadonlyArray<readonly [name: string, sent: ReadonlyArray<Uint8Array>, wanted: ReadonlyArray<string>]> = [
  ["a ping is answered with its payload (§5.5.2)", [frame(PING, "hello"), bye], ['pong "hello"', "close 1000"]],
  [
    "a ping between the pieces of a text is answered first (§5.4)",
    [frame(TEXT, "a", part), frame(PING, "p"), frame(CONTINUATION, "b"), bye],
    ['pong "p"', 'text "ab"', "close 1000"]
  ],
  [
    "pings are answered in their order (§5.5.3)",
    [...Array.from({ length: 10 }, (_, index) => frame(PING, String(index))), bye],
    [...Array.from({ length: 10 }, (_, index) => `pong "${index}"`), "close 1000"]
  ],
  ["a pong that nobody asked for means nothing (§5.5.3)", [frame(PONG, "x"), bye], ["close 1000"]],
  ["a ping behind a close frame is not answered (§5.5.1)", [bye, frame(PING)], ["close 1000"]],
  ["a ping of 126 bytes (§5.5)", [frame(PING, "a".repeat(126))], ["close 1002"]],
  ["an opcode that is reserved (§5.2)", [frame(3)], ["close 1002"]],
  ["RSV1 without an extension (§5.2)", [frame(TEXT, "a", { rsv: 4 })], ["close 1002"]],
  ["a text that is not masked (§5.1)", [frame(TEXT, "a", { mask: false })], ["close 1002"]],
  ["a text that is not UTF-8 (§8.1)", [frame(TEXT, Buffer.from([0xce]))], ["close 1007"]],
  ["a code that may not be sent (§7.4.1)", [frame(CLOSE, closing(1005))], ["close 1002"]]
]

for (const [name, sent, wanted] of rows) {
  both(name, app, ({ client, logs }) =>
    Effect.gen(function* () {
      const bytes = Buffer.concat(sent)
      for (const piece of [bytes.length, 1]) {
        const raw = yield* open(client, "/")
        yield* sendIn(raw, bytes, piece)
        assert.deepStrictEqual(yield* raw.last, wanted)
      }
      assert.deepStrictEqual(logs, [])
    })
  )
}
