/**
 * Attacks with frames of HTTP/2.
 */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as App from "../../src/App.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import type * as Server from "../../src/server/Server.ts"
import { recorder, until } from "../server/both.ts"
import * as H2 from "../server/http2/frames.ts"
import { start } from "../server/started.ts"
import { attacks } from "./attacks.ts"

const { block, endHeaders, endStream, frame, get, head, settings, type, uint32 } = H2

const running = { now: 0, most: 0, all: 0 }
const wait = Effect.acquireUseRelease(
  Effect.sync(() => {
    running.now++
    running.all++
    running.most = Math.max(running.most, running.now)
  }),
  () => Effect.never,
  () => Effect.sync(() => running.now--)
)
const app = App.make({
  home: Route.get("/", Response.text("home")),
  wait: Route.get("/wait", wait),
  large: Route.get("/large", Response.text("a".repeat(1_000_000))),
  echo: Route.post(
    "/echo",
    Effect.flatMap(Request.current, (request) => Effect.map(request.text, (text) => Response.text(text)))
  )
})

/** Tries it; then no connection is left, the server answers others, has nothing running and has logged no error. */
const tried = <E>(
  options: Server.Options,
  attack: (server: Server.Server["Service"]) => Effect.Effect<unknown, E, Scope.Scope>
): Effect.Effect<void, unknown, Scope.Scope> => {
  const { layer, logs } = recorder()
  return Effect.gen(function* () {
    Object.assign(running, { now: 0, most: 0, all: 0 })
    const { server } = yield* start(app, { h2c: true, ...options })
    yield* Effect.scoped(attack(server))
    yield* until(() => server.connections() === 0)
    const other = yield* H2.open(server, head(1, get()))
    assert.strictEqual(yield* other.outcome(1), "200")
    yield* until(() => running.now === 0)
    assert.deepStrictEqual(
      logs.filter((line) => /^(Error|Fatal)/i.test(line)),
      []
    )
  }).pipe(Effect.provide(layer), Effect.provideService(Clock.Clock, Clock.Clock.defaultValue()))
}

const flood = (server: Server.Server["Service"], bytes: Uint8Array, times: number) =>
  Effect.gen(function* () {
    const client = yield* H2.open(server)
    client.socket.pause()
    const many = Buffer.concat(Array.from({ length: 1000 }, () => bytes))
    for (let sent = 0; sent < times && !client.socket.destroyed; sent += 1000) {
      yield* client.send(many)
      yield* Effect.yieldNow
    }
    client.socket.resume()
    yield* until(() => client.isClosed())
  })

attacks("HTTP/2", [
  {
    attack: "requests that are reset at once, thousands of them (CVE-2023-44487)",
    stoppedBy: "the session ends; never more than 128 handlers run",
    run: tried({}, (server) =>
      Effect.gen(function* () {
        const client = yield* H2.open(server)
        for (let at = 0; at < 5000 && !client.isClosed(); at++) {
          yield* client.send(head(2 * at + 1, get("/wait")), frame(type.reset, 0, 2 * at + 1, uint32(8)))
          if (at % 100 === 0) yield* Effect.sleep(1)
        }
        yield* until(() => client.isClosed())
        assert.isAtMost(running.most, 128)
        assert.isBelow(running.all, 2000)
      })
    )
  },
  {
    attack: "connections that break off with requests under way, again and again",
    stoppedBy: "nothing is kept of them, no timer either",
    run: tried({}, (server) =>
      Effect.gen(function* () {
        const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length
        const before = timers()
        for (let at = 0; at < 50; at++) {
          const client = yield* H2.open(server, head(1, get("/wait")), head(3, get("/large")))
          yield* client.outcome(3)
          client.socket.end()
        }
        yield* until(() => server.connections() === 0 && running.now === 0)
        yield* until(() => timers() < before + 10)
      })
    )
  },
  {
    attack: "a head that never ends (CVE-2024-27983)",
    stoppedBy: "the session ends after a few frames",
    run: tried({}, (server) =>
      Effect.gen(function* () {
        const client = yield* H2.open(server, frame(type.headers, endStream, 1, block(get())))
        const more = frame(type.continuation, 0, 1, block([["x", "a".repeat(1000)]]))
        for (let at = 0; at < 1000 && !client.isClosed(); at++) yield* client.send(more)
        yield* until(() => client.isClosed())
      })
    )
  },
  {
    attack: "a head that stays half",
    stoppedBy: "keepAliveTimeout: to the server nothing is going on",
    run: tried({ keepAliveTimeout: "100 millis" }, (server) =>
      Effect.gen(function* () {
        const client = yield* H2.open(server, frame(type.headers, endStream, 1, block(get())))
        yield* until(() => client.isClosed())
      })
    )
  },
  {
    attack: "a table entry that is named again and again",
    stoppedBy: "the limit counts what a head means: 431",
    run: tried({}, (server) =>
      Effect.gen(function* () {
        // A literal that goes into the table, as entry 62, and a hundred times that entry.
        const entry = block([["x", "a".repeat(3900)]])
        entry[0] = 0x40
        const bomb = Buffer.concat([block(get()), entry, Buffer.alloc(99, 0xbe)])
        const client = yield* H2.open(server, frame(type.headers, endHeaders | endStream, 1, bomb))
        assert.strictEqual(yield* client.outcome(1), "431")
      })
    )
  },
  {
    attack: "PING without reading the answers",
    stoppedBy: "no more than a thousand wait: the session ends",
    run: tried({}, (server) => flood(server, frame(type.ping, 0, 0, Buffer.alloc(8)), 2_000_000))
  },
  {
    attack: "SETTINGS without reading the answers",
    stoppedBy: "no more than a thousand wait: the session ends",
    run: tried({}, (server) => flood(server, settings(), 2_000_000))
  },
  {
    attack: "more than 128 requests at a time",
    stoppedBy: "the others are refused, the session goes on",
    run: tried({}, (server) =>
      Effect.gen(function* () {
        const first = Array.from({ length: 128 }, (_, at) => head(2 * at + 1, get("/wait")))
        const client = yield* H2.open(server, ...first)
        yield* client.send(head(257, get("/")))
        const refused = yield* client.wait(({ stream }) => stream === 257)
        assert.deepStrictEqual([refused.kind, refused.payload.readUInt32BE(0)], [type.reset, 7])
        assert.strictEqual(running.most, 128)
      })
    )
  },
  {
    attack: "a window of zero, so that no answer leaves",
    stoppedBy: "writeTimeout: the stream is reset",
    run: tried({ writeTimeout: "1 second" }, (server) =>
      Effect.gen(function* () {
        const client = yield* H2.open(server, settings([4, 0]), head(1, get("/large")))
        yield* client.wait(({ kind, stream }) => kind === type.reset && stream === 1)
      })
    )
  },
  {
    attack: "a body that does not come",
    stoppedBy: "bodyTimeout: 408",
    run: tried({ bodyTimeout: "1 second" }, (server) =>
      Effect.gen(function* () {
        const client = yield* H2.open(server, head(1, get("/echo", "POST"), 0))
        assert.strictEqual(yield* client.outcome(1), "408")
      })
    )
  },
  {
    attack: "a session that only sends PING",
    stoppedBy: "keepAliveTimeout: GOAWAY, and the connection closes",
    run: tried({ keepAliveTimeout: "200 millis" }, (server) =>
      Effect.gen(function* () {
        const client = yield* H2.open(server)
        yield* until(() => {
          if (!client.socket.destroyed) client.socket.write(frame(type.ping, 0, 0, Buffer.alloc(8)))
          return client.frames().some(({ kind }) => kind === type.goaway)
        })
        yield* until(() => client.isClosed())
      })
    )
  },
  {
    attack: "half a preface",
    stoppedBy: "headersTimeout: the connection closes",
    run: tried({ headersTimeout: "100 millis" }, (server) =>
      Effect.gen(function* () {
        const client = yield* H2.connect(server)
        yield* client.send(H2.preface.subarray(0, 10))
        yield* until(() => client.isClosed())
      })
    )
  },
  {
    attack: "a preface and nothing else",
    stoppedBy: "headersTimeout: the connection closes",
    run: tried({ headersTimeout: "100 millis" }, (server) =>
      Effect.gen(function* () {
        const client = yield* H2.connect(server)
        yield* client.send(H2.preface)
        yield* until(() => client.isClosed())
      })
    )
  },
  {
    attack: "more sessions than there may be connections",
    stoppedBy: "maxConnections: 503, and the session closes",
    run: tried({ maxConnections: 1 }, (server) =>
      Effect.gen(function* () {
        const first = yield* H2.open(server, head(1, get("/wait")))
        yield* until(() => running.now === 1)
        const second = yield* H2.open(server, head(1, get()))
        assert.strictEqual(yield* second.outcome(1), "goaway 0")
        assert.include(
          second.frames().map(({ kind }) => kind),
          type.headers
        )
        yield* until(() => second.isClosed())
        assert.isFalse(first.isClosed())
      })
    )
  },
  {
    attack: "requests whose client is gone before the answers",
    stoppedBy: "all handlers are interrupted",
    run: tried({}, (server) =>
      Effect.gen(function* () {
        const client = yield* H2.open(server, ...Array.from({ length: 100 }, (_, at) => head(2 * at + 1, get("/wait"))))
        yield* until(() => running.now === 100)
        client.socket.destroy()
        yield* until(() => running.now === 0)
      })
    )
  }
])
