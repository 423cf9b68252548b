/**
 * A slow peer behind TLS: one message is one write there, and only the connection below tells how much of it has gone.
 */
import * as Tls from "node:tls"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Route from "../src/Route.ts"
import * as Server from "../src/server/Server.ts"
import * as Site from "../src/server/Site.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { ask } from "./frames.ts"
import { turns, until } from "./server/both.ts"
import * as Certificates from "./server/certificates.ts"

it.effect("that takes a large message is alive, and one that takes no more of it is not", () =>
  Effect.gen(function* () {
    let isOver = false
    const bulk = WebSocket.raw({ compress: false }, (socket) =>
      Effect.andThen(socket.send("x".repeat(48_000_000)), Effect.never).pipe(
        Effect.onExit(() =>
          Effect.sync(() => {
            isOver = true
          })
        )
      )
    )
    const sites = [Site.tls({ host: "127.0.0.1", port: 0, ...Certificates.selfSigned("localhost") })] as const
    const { addresses } = yield* Server.start(App.make({ bulk: Route.websocket("/", bulk) }), { sites })
    const connect = () => Tls.connect({ host: "127.0.0.1", port: addresses[0]?.port ?? 0, rejectUnauthorized: false })
    const socket = yield* Effect.acquireRelease(Effect.sync(connect), (socket) => Effect.sync(() => socket.destroy()))
    yield* Effect.sync(() => socket.on("error", () => {}).write(ask("/")))
    for (let count = 0; count < 8; count++) {
      let got = 0
      while (got < 3_000_000 && !isOver) {
        const chunk: Buffer | null = socket.read()
        got += chunk?.length ?? 0
        if (chunk === null) yield* turns
      }
      yield* turns
      yield* TestClock.adjust("15 seconds")
      yield* turns
    }
    assert.isFalse(isOver)
    for (let count = 0; count < 6; count++) {
      yield* TestClock.adjust("15 seconds")
      yield* turns
    }
    yield* until(() => isOver)
  })
)
