/**
 * How connections end that were taken over: one outcome each, with what was noted on the way.
 */

import type * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../src/App.ts"
import { type Connection, takeover } from "../src/internal/exchange/takeover.ts"
import type { Outcome } from "../src/Outcome.ts"
import * as Route from "../src/Route.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { upgrade } from "./frames.ts"
import { recorder, until } from "./server/both.ts"
import { start } from "./server/started.ts"

const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"

const echo = ({ note, socket }: Connection) =>
  Effect.callback<void>((resume) => {
    // Only Node's engine makes such connections.
    const near = socket as Net.Socket
    note({ messagesIn: 1 })
    near.write(`${head}hello`)
    near.once("data", () => {
      note({ messagesIn: 2, closeCode: 1000 })
      resume(Effect.void)
    })
  })

const waiting = ({ socket }: Connection) => {
  const near = socket as Net.Socket
  near.write(head)
  near.resume().once("end", () => near.destroy())
  return Effect.never
}

const app = App.make({
  echo: Route.get("/echo", Effect.succeed(takeover(echo, { protocol: "echo" }))),
  dies: Route.get("/dies", Effect.succeed(takeover(() => Effect.die("a"), { protocol: "echo" }))),
  never: Route.get("/never", Effect.succeed(takeover(waiting, { protocol: "echo" }))),
  socket: Route.websocket(
    "/socket",
    WebSocket.raw({}, () => Effect.never)
  )
})

const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n`

const follow = Effect.gen(function* () {
  const outcomes: Array<Outcome> = []
  const format = ({ outcome }: { readonly outcome: Outcome }) => {
    outcomes.push(outcome)
    return ""
  }
  const started = yield* start(app, {
    accessLog: { format, write: () => {} },
    shutdownTimeout: "20 millis",
    interruptGrace: "20 millis"
  })
  return { ...started, outcomes, wire: yield* started.connect }
})

const shown = ({ protocol, result, status }: Outcome) => `${status} ${result} ${protocol}`

describe("a connection that was taken over", () => {
  it.live("ends completed, with its protocol, its bytes and what was noted", () =>
    Effect.gen(function* () {
      const { outcomes, wire } = yield* follow
      yield* wire.send(ask("/echo"))
      yield* wire.until("hello")
      assert.deepStrictEqual(outcomes, [])
      yield* wire.send("a")
      yield* wire.closed
      yield* until(() => outcomes.length === 1)
      assert.deepStrictEqual(outcomes.map(shown), ["101 completed echo"])
      assert.deepStrictEqual(outcomes[0]?.fields, { messagesIn: 2, closeCode: 1000 })
      assert.strictEqual(outcomes[0]?.bytes, head.length + 5)
      assert.strictEqual(outcomes[0]?.route, "echo")
    }).pipe(Effect.scoped)
  )

  it.live("is a defect when it dies", () =>
    Effect.gen(function* () {
      const { outcomes, wire } = yield* follow
      yield* wire.send(ask("/dies"))
      yield* wire.closed
      yield* until(() => outcomes.length === 1)
      assert.deepStrictEqual(outcomes.map(shown), ["101 defect echo"])
    }).pipe(Effect.scoped, Effect.provide(recorder().layer))
  )

  it.live("is completed when its client leaves", () =>
    Effect.gen(function* () {
      const { outcomes, wire } = yield* follow
      yield* wire.send(ask("/never"))
      yield* wire.until("\r\n\r\n")
      wire.socket.destroy()
      yield* until(() => outcomes.length === 1)
      assert.deepStrictEqual(outcomes.map(shown), ["101 completed echo"])
    }).pipe(Effect.scoped)
  )

  it.live("is drained when the server interrupts it", () =>
    Effect.gen(function* () {
      const { outcomes, stop, wire } = yield* follow
      yield* wire.send(ask("/never"))
      yield* wire.until("\r\n\r\n")
      yield* stop
      yield* until(() => outcomes.length === 1)
      assert.deepStrictEqual(outcomes.map(shown), ["101 drained echo"])
    }).pipe(Effect.scoped)
  )

  it.live("is an ordinary outcome when no upgrade was asked for, or was refused", () =>
    Effect.gen(function* () {
      const { connect, outcomes, wire } = yield* follow
      yield* wire.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
      assert.strictEqual((yield* wire.answer()).status, 426)
      const other = yield* connect
      yield* other.send(ask("/nowhere"))
      assert.strictEqual((yield* other.answer()).status, 404)
      yield* until(() => outcomes.length === 2)
      assert.deepStrictEqual(outcomes.map(shown), ["426 failed undefined", "404 failed undefined"])
    }).pipe(Effect.scoped)
  )

  it.live("as a WebSocket ends with its client", () =>
    Effect.gen(function* () {
      const { outcomes, wire } = yield* follow
      const peer = yield* upgrade(wire, "/socket")
      peer.socket.destroy()
      yield* until(() => outcomes.length === 1)
      assert.deepStrictEqual(outcomes.map(shown), ["101 completed websocket"])
      assert.isAtLeast(Number(outcomes[0]?.bytes), peer.head.length)
    }).pipe(Effect.scoped)
  )
})
