/**
 * Clients that do not take their answers: the connection is reset, and the outcome says so. On sockets, whose buffers are the system's.
 */
import type * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../../../src/App.ts"
import type { Outcome } from "../../../src/Outcome.ts"
import * as Response from "../../../src/Response.ts"
import * as Route from "../../../src/Route.ts"
import * as Sse from "../../../src/Sse.ts"
import * as Server from "../../../src/server/Server.ts"
import * as Site from "../../../src/server/Site.ts"
import * as WebSocket from "../../../src/WebSocket.ts"
import type * as Wire from "../../conformance/wire.ts"
import { get, recorder, until } from "../both.ts"
import * as Certificates from "../certificates.ts"
import * as Secure from "../secure.ts"
import { start } from "../started.ts"

const megabytes = (count: number) => new Uint8Array(count * 1024 * 1024)
const events: Array<string> = []

const app = App.make({
  home: Route.get("/", Response.text("home")),
  large: Route.get("/large", Response.bytes(megabytes(32))),
  endless: Route.get(
    "/endless",
    Response.stream(
      Stream.forever(Stream.make(megabytes(1))).pipe(
        Stream.ensuring(Effect.sync(() => void events.push("the producer ended")))
      )
    )
  ),
  quiet: Route.get("/quiet", Response.stream(Stream.concat(Stream.make("first"), Stream.never))),
  ticks: Route.get("/ticks", Sse.response(Stream.concat(Stream.make("one"), Stream.never))),
  socket: Route.websocket(
    "/socket",
    WebSocket.raw({ heartbeat: false, compress: false }, (socket) => Effect.forever(socket.send(megabytes(1))))
  )
})

interface Given {
  readonly connect: Effect.Effect<Wire.Wire, never, Scope.Scope>
  readonly outcomes: ReadonlyArray<Outcome>
  readonly logs: ReadonlyArray<string>
}

const short = { writeTimeout: "500 millis" } satisfies Server.Options

const on = (
  name: string,
  options: Server.Options,
  test: (given: Given) => Effect.Effect<unknown, unknown, Scope.Scope>
): void => {
  it.live(name, () => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const outcomes: Array<Outcome> = []
      const accessLog = ({ outcome }: { readonly outcome: Outcome }) => {
        outcomes.push(outcome)
        return ""
      }
      const { connect } = yield* start(app, { accessLog, ...options })
      yield* test({ connect, outcomes, logs })
      assert.deepStrictEqual(
        logs.filter((line) => /^(?:WARN|ERROR|FATAL)/i.test(line)),
        []
      )
    }).pipe(Effect.provide(layer))
  })
}

/** Asks for a path and reads nothing. */
const stalled = Effect.fnUntraced(function* (connect: Given["connect"], path: string) {
  const wire = yield* connect
  wire.socket.pause()
  yield* wire.send(get(path))
  return wire
})

/** Waits until so many bytes have come; a wire would keep them all. */
const taken = ({ socket }: Wire.Wire, bytes: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    let count = 0
    socket.removeAllListeners("data").on("data", (chunk: Buffer) => {
      count += chunk.length
      if (count >= bytes) resume(Effect.void)
    })
  })

describe.concurrent("a client that takes nothing", () => {
  for (const path of ["/large", "/endless"]) {
    on(`of ${path} is reset`, short, ({ connect, outcomes }) =>
      Effect.gen(function* () {
        const wire = yield* stalled(connect, path)
        yield* until(() => outcomes.length === 1)
        const [outcome] = outcomes as [Outcome]
        assert.deepStrictEqual([outcome.status, outcome.result, outcome.error], [200, "timedOut", "WriteTimeout"])
        assert.isTrue(outcome.bodyBytes > 0 && outcome.bodyBytes < 32 * 1024 * 1024)
        wire.socket.resume()
        yield* until(wire.isReset)
      })
    )
  }

  on("of a pipeline is reset, with what waits behind it", short, ({ connect, outcomes }) =>
    Effect.gen(function* () {
      const wire = yield* stalled(connect, "/large")
      yield* wire.send(get("/").repeat(10))
      yield* until(() => outcomes.some(({ error }) => error === "WriteTimeout"))
      wire.socket.resume()
      yield* until(wire.isReset)
    })
  )

  on("ends the stream that is made for it", short, ({ connect, outcomes }) =>
    Effect.gen(function* () {
      yield* stalled(connect, "/endless")
      yield* until(() => outcomes.length === 1)
      assert.isTrue(events.includes("the producer ended"))
    })
  )

  on("is waited for where there is no limit", { writeTimeout: 0, minWriteRate: 0 }, ({ connect, outcomes }) =>
    Effect.gen(function* () {
      const wire = yield* stalled(connect, "/large")
      yield* Effect.sleep("7 seconds")
      assert.deepStrictEqual(outcomes, [])
      yield* Effect.all([taken(wire, 32 * 1024 * 1024), Effect.sync(() => wire.socket.resume())], { concurrency: 2 })
    })
  )

  on("is too slow for a high rate after five seconds", { minWriteRate: "10 MiB" }, ({ connect, outcomes }) =>
    Effect.gen(function* () {
      yield* stalled(connect, "/large")
      yield* Effect.sleep("4500 millis")
      assert.deepStrictEqual(outcomes, [])
      yield* until(() => outcomes.length === 1)
      assert.strictEqual(outcomes[0]?.error, "WriteTimeout")
    })
  )
})

describe.concurrent("a client that is not slow", () => {
  const patience = Effect.sleep("2500 millis")

  on("takes a large answer in pieces", short, ({ connect, outcomes }) =>
    Effect.gen(function* () {
      const wire = yield* connect
      const socket = wire.socket as Net.Socket
      yield* wire.send(get("/large"))
      const inPieces = Effect.sync(() => (socket.isPaused() ? socket.resume() : socket.pause()))
      yield* Effect.forkScoped(Effect.repeat(inPieces, Schedule.spaced("20 millis")))
      yield* taken(wire, 32 * 1024 * 1024)
      yield* until(() => outcomes.length === 1)
      assert.strictEqual(outcomes[0]?.result, "completed")
    })
  )

  it.live("takes a large answer in pieces through TLS, where Node knows all or nothing of a write", () =>
    Effect.gen(function* () {
      const outcomes: Array<Outcome> = []
      const accessLog = ({ outcome }: { readonly outcome: Outcome }) => {
        outcomes.push(outcome)
        return ""
      }
      const sites = [Site.tls({ host: "127.0.0.1", port: 0, ...Certificates.selfSigned("localhost") })] as const
      const { tls } = yield* Secure.connect(yield* Server.start(app, { sites, accessLog, ...short }))
      tls.removeAllListeners("data").pause()
      tls.write(get("/large"))
      let count = 0
      while (count < 32 * 1024 * 1024 && outcomes.length === 0) {
        count += (tls.read() as Buffer | null)?.length ?? 0
        yield* Effect.sleep("12 millis")
      }
      tls.resume()
      yield* until(() => outcomes.length === 1)
      assert.strictEqual(outcomes[0]?.result, "completed")
    })
  )

  for (const path of ["/quiet", "/ticks"]) {
    on(`waits for more of ${path}`, short, ({ connect, outcomes }) =>
      Effect.gen(function* () {
        const wire = yield* connect
        yield* wire.send(get(path))
        yield* patience
        assert.isFalse(wire.isOver())
        assert.deepStrictEqual(outcomes, [])
      })
    )
  }

  on("is one of a WebSocket, which has rules of its own", short, ({ connect, outcomes }) =>
    Effect.gen(function* () {
      const wire = yield* connect
      const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13"
      yield* wire.send(get("/socket", `Upgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n`))
      yield* wire.until("101 Switching Protocols")
      wire.socket.pause()
      yield* patience
      assert.deepStrictEqual(outcomes, [])
    })
  )

  on("is one that keeps its connection without a word", short, ({ connect }) =>
    Effect.gen(function* () {
      const wire = yield* connect
      yield* wire.send(get("/"))
      yield* wire.answer()
      yield* patience
      yield* wire.send(get("/"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "home")
    })
  )
})
