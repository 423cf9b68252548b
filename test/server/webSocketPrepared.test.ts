/**
 * Frames that are made once for many receivers: each can read them, in the order in which they were sent.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as App from "../../src/App.ts"
import { Acceptor } from "../../src/internal/webSocket/wire.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import { frames, open } from "../frames.ts"
import { both, turns, until } from "./both.ts"

const far = Array.from({ length: 400 }, (_, index) => String(index * 7919)).join("")
const large = far + far

/** Sends a message of its own, which takes a while to compress, and behind it one that is prepared. */
const endpoint = WebSocket.make({ receive: Schema.String, send: Schema.String, codec: WebSocket.plain }, (socket) =>
  Effect.gen(function* () {
    const acceptor = yield* Acceptor
    const prepared = acceptor?.prepare(large)
    const small = acceptor?.prepare("small")
    if (prepared === undefined || small === undefined) return
    yield* socket.send("own ".repeat(1000))
    assert.isFalse(socket["~offer"](prepared, () => large))
    assert.isFalse(socket["~offer"](small, () => "small"))
    // What is compressed has left.
    while ((yield* socket.buffered) > 0) yield* turns
    assert.isFalse(socket["~offer"](prepared, () => large))
    yield* socket.send("end")
  })
)

const app = App.make({ it: Route.websocket("/", endpoint) })

served("prepared messages keep their place, compressed or not", app, (client) =>
  Effect.gen(function* () {
    for (const compress of [true, false]) {
      const peer = yield* client.webSocket("/", { compress })
      for (const wanted of ["own ".repeat(1000), large, "small", large, "end"]) {
        assert.strictEqual(yield* peer.receive, wanted)
      }
    }
  })
)

const rsvs: ReadonlyArray<readonly [offer: string, wanted: Array<number>]> = [
  ["permessage-deflate", [4, 4, 0, 4, 0]],
  // Compressed once for all, it would look further back than this client can.
  ["permessage-deflate; server_max_window_bits=9", [4, 4, 0, 0, 0]],
  ["other", [0, 0, 0, 0, 0]]
]

for (const [offer, wanted] of rsvs) {
  both(`who offers "${offer}" gets frames that it can read`, app, ({ client }) =>
    Effect.gen(function* () {
      const raw = yield* open(client, "/", { "Sec-WebSocket-Extensions": offer })
      yield* until(() => raw.rest().endsWith("end\x88\x02\x03\xe8"))
      yield* Effect.sync(() => raw.socket.end())
      const came = frames(Buffer.from(yield* raw.closed, "latin1"))
      assert.deepStrictEqual(
        came.slice(0, 5).map(({ rsv }) => rsv),
        wanted
      )
    })
  )
}
