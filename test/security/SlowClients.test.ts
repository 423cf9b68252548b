/**
 * Attacks of clients that are slow, silent, or many.
 */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import type { Outcome } from "../../src/Outcome.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import type * as Server from "../../src/server/Server.ts"
import type * as Wire from "../conformance/wire.ts"
import { get, recorder, until } from "../server/both.ts"
import { start } from "../server/started.ts"
import { attacks } from "./attacks.ts"

const app = App.make({
  home: Route.get("/", Response.text("home")),
  large: Route.get("/large", Response.bytes(new Uint8Array(16 * 1024 * 1024))),
  sum: Route.post(
    "/sum",
    Effect.map(Body.bytes(), (bytes) => Response.text(String(bytes.length)))
  )
})

interface Given {
  readonly connect: Effect.Effect<Wire.Wire, never, Scope.Scope>
  readonly connections: () => number
  readonly outcomes: ReadonlyArray<Outcome>
}

/** What is short is a second or less, for the test's sake. */
const impatient = { headersTimeout: "500 millis", bodyTimeout: "500 millis", writeTimeout: "500 millis" } as const

// On the real clock: an attack is bytes and time on a socket. Whatever it does, nothing is logged as an error, and others are served.
const attacked = (
  attack: (given: Given) => Effect.Effect<unknown, unknown, Scope.Scope>,
  options: Server.Options = impatient
) =>
  Effect.suspend(() => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const outcomes: Array<Outcome> = []
      const accessLog = ({ outcome }: { readonly outcome: Outcome }) => {
        outcomes.push(outcome)
        return ""
      }
      const { connect, server } = yield* start(app, { accessLog, ...options })
      yield* attack({ connect, outcomes, connections: server.connections })
      const healthy = yield* connect
      yield* healthy.send(get("/"))
      assert.strictEqual((yield* healthy.answer()).body.toString(), "home")
      assert.deepStrictEqual(
        logs.filter((line) => /^(?:Error|Fatal)/.test(line)),
        []
      )
    }).pipe(Effect.provide(layer), Effect.provideService(Clock.Clock, Clock.Clock.defaultValue()))
  })

const every = (time: "20 millis" | "100 millis", send: Effect.Effect<void>) =>
  Effect.forkScoped(Effect.repeat(send, Schedule.spaced(time)))

/** Sends a beginning, goes on with a piece again and again, and is answered with a line and the end of its connection. */
const trickled = (begin: string, piece: string, line: string, options?: Server.Options) =>
  attacked(
    ({ connect }) =>
      Effect.gen(function* () {
        const wire = yield* connect
        yield* wire.send(begin)
        if (piece !== "") yield* every("20 millis", wire.send(piece))
        const answer = yield* wire.answer()
        assert.deepStrictEqual([answer.line, answer.headers.connection], [line, "close"])
        yield* wire.closed
      }),
    options
  )

/** Asks and takes nothing. */
const unread = (requests: string) =>
  attacked(({ connect, outcomes }) =>
    Effect.gen(function* () {
      const wire = yield* connect
      wire.socket.pause()
      yield* wire.send(requests)
      yield* until(() => outcomes.some(({ error }) => error === "WriteTimeout"))
      wire.socket.resume()
      yield* until(wire.isReset)
    })
  )

const post = "POST /sum HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
const late = "408 Request Timeout"
const fields = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}: y\r\n`).join("")

attacks("slow and flooding clients", [
  {
    attack: "a head that comes header by header (slowloris)",
    stoppedBy: "headersTimeout: 408",
    run: trickled("GET / HTTP/1.1\r\nHost: a\r\n", "x: y\r\n", late)
  },
  {
    attack: "a connection on which nothing comes",
    stoppedBy: "headersTimeout: 408",
    run: trickled("", "", late)
  },
  {
    attack: "a second head that never ends, on a connection that was served",
    stoppedBy: "headersTimeout: 408",
    run: attacked(({ connect }) =>
      Effect.gen(function* () {
        const wire = yield* connect
        yield* wire.send(get("/"))
        yield* wire.answer()
        yield* wire.send("GET / HT")
        assert.strictEqual((yield* wire.answer()).line, late)
        yield* wire.closed
      })
    )
  },
  {
    attack: "a body that does not come (R-U-Dead-Yet)",
    stoppedBy: "bodyTimeout: 408",
    run: trickled(`${post}x`, "", late)
  },
  {
    attack: "a body that comes byte by byte",
    stoppedBy: "minBodyRate after five seconds: 408",
    run: attacked(({ connect }) =>
      Effect.gen(function* () {
        const wire = yield* connect
        yield* wire.send(post)
        yield* every("100 millis", wire.send("x"))
        yield* Effect.sleep("4 seconds")
        assert.strictEqual((yield* wire.answer()).line, late)
        yield* wire.closed
      })
    )
  },
  {
    attack: "a body that nobody asked for, and that never ends",
    stoppedBy: "the same limits behind the answer: the connection is reset",
    run: attacked(({ connect }) =>
      Effect.gen(function* () {
        const wire = yield* connect
        yield* wire.send(post.replace("/sum", "/nowhere"))
        assert.strictEqual((yield* wire.answer()).status, 404)
        yield* wire.closed
      })
    )
  },
  {
    attack: "an answer that is never read (slow read, a window of zero)",
    stoppedBy: "writeTimeout: the connection is reset, and the outcome is timedOut",
    run: unread(get("/large"))
  },
  {
    attack: "a flood of requests in a pipeline whose answers are never read",
    stoppedBy: "reading pauses, then writeTimeout",
    run: unread(get("/large") + get("/").repeat(5000))
  },
  {
    attack: "a client that closes its side in the middle of a head",
    stoppedBy: "it is answered 400, and the connection closed",
    run: attacked(({ connect }) =>
      Effect.gen(function* () {
        const wire = yield* connect
        yield* wire.send("GET / HTTP/1.1\r\nHost")
        wire.socket.end()
        assert.strictEqual((yield* wire.answer()).status, 400)
        yield* wire.closed
      })
    )
  },
  {
    attack: "a client that closes its side in the middle of a body",
    stoppedBy: "it is answered 400 at once",
    run: attacked(({ connect }) =>
      Effect.gen(function* () {
        const wire = yield* connect
        yield* wire.send(`${post}abc`)
        wire.socket.end()
        assert.strictEqual((yield* wire.answer()).status, 400)
        yield* wire.closed
      })
    )
  },
  {
    attack: "a head of 101 fields",
    stoppedBy: "maxHeaders: 431",
    run: trickled(get("/", fields(100)), "", "431 Request Header Fields Too Large")
  },
  {
    attack: "a head of 17 KiB",
    stoppedBy: "maxHeaderSize: 431",
    run: trickled(get("/", `x: ${"y".repeat(17 * 1024)}\r\n`), "", "431 Request Header Fields Too Large")
  },
  {
    attack: "a request line of 9 KiB",
    stoppedBy: "maxTargetSize: 414",
    run: trickled(get(`/${"x".repeat(9 * 1024)}`), "", "414 URI Too Long")
  },
  {
    attack: "a flood of connections from one address",
    stoppedBy: "maxConnectionsPerAddress: 503, then closed unread",
    run: attacked(
      ({ connect, connections }) =>
        Effect.gen(function* () {
          const flood = yield* Effect.forEach(Array.from({ length: 200 }), () => connect, { concurrency: "unbounded" })
          yield* until(() => flood.filter((wire) => wire.isOver()).length >= 200 - 36)
          // Nobody counts who has gone.
          for (const { socket } of flood) socket.destroy()
          yield* until(() => flood.every(({ socket }) => socket.destroyed))
          yield* until(() => connections() === 0)
        }),
      { maxConnectionsPerAddress: 20 }
    )
  },
  {
    attack: "a flood of connections that say nothing",
    stoppedBy: "maxConnections: the oldest of them give way",
    run: attacked(
      ({ connect }) =>
        Effect.gen(function* () {
          yield* Effect.forEach(Array.from({ length: 200 }), () => connect, { concurrency: "unbounded" })
          yield* Effect.sleep("100 millis")
        }),
      { maxConnections: 20 }
    )
  }
])
