/**
 * Connections that are taken over, and upgrades that are declined: on the wire.
 */
import type { Duplex } from "node:stream"
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as HttpError from "../../src/HttpError.ts"
import { type Connection, takeover } from "../../src/internal/exchange/takeover.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Compression from "../../src/middleware/Compression.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { both, get, post, turns, until } from "./both.ts"
import { start, took } from "./started.ts"

const upgrade = "Connection: Upgrade\r\nUpgrade: echo\r\n"

let running = 0

/** Sends back what comes, until the end. */
const echo = ({ head, headers, socket }: Connection): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    running++
    const duplex = socket as Duplex
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
    duplex.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n${lines.join("")}\r\n`)
    duplex.write(head)
    duplex.on("data", (chunk) => duplex.write(chunk))
    duplex.on("end", () => resume(Effect.void))
  }).pipe(Effect.ensuring(Effect.sync(() => running--)))

const echoes = takeover(echo, { protocol: "echo" })

const app = App.make({
  echo: Route.get("/echo", Effect.succeed(Response.setCookie(echoes, "seen", "1"))),
  any: Route.any("/any", Effect.succeed(echoes)),
  mounted: Route.mountHandler("/mounted", Effect.succeed(echoes)),
  declined: Route.get("/declined", Effect.fail(new HttpError.Forbidden())),
  closed: Route.get("/closed", Effect.succeed(Response.text("no", { headers: { connection: "close" } }))),
  late: Route.get("/late", Effect.andThen(Effect.yieldNow, Effect.succeed(Response.text("late")))),
  broken: Route.get("/broken", Effect.succeed(takeover(() => Effect.die(new Error("broken"))))),
  body: Route.post(
    "/body",
    Effect.map(Body.text(), (text) => Response.text(text))
  ),
  stream: Route.get(
    "/stream",
    Response.stream(Stream.take(Stream.repeat(Stream.succeed(new Uint8Array(65_536)), Schedule.forever), 40))
  ),
  plain: Route.get("/plain", Response.text("plain"))
}).pipe(App.use(Middleware.onResponse(Response.setHeaders({ "x-seen": "yes" }))), App.use(Compression.make()))

for (const path of ["/echo", "/any", "/mounted/below"]) {
  both(`the handler of ${path} takes over its connection, with the bytes behind the head`, app, ({ wire, logs }) =>
    Effect.gen(function* () {
      yield* wire.send(`${get(path, upgrade)}first`)
      const head = yield* wire.until("first")
      assert.match(head, /^HTTP\/1\.1 101 .*\r\nx-seen: yes\r\n/s)
      if (path === "/echo") assert.include(head, "set-cookie: seen=1")
      yield* wire.send("second")
      assert.strictEqual(yield* wire.until("second"), "second")
      yield* Effect.sync(() => wire.socket.end())
      assert.strictEqual(yield* wire.closed, "")
      yield* until(() => running === 0)
      assert.deepStrictEqual(logs, [])
    })
  )
}

both("a handler is interrupted when the connection that it took over breaks", app, ({ connect, logs }) =>
  Effect.gen(function* () {
    const wire = yield* connect
    yield* wire.send(`${get("/echo", upgrade)}here`)
    yield* wire.until("here")
    assert.strictEqual(running, 1)
    wire.socket.destroy()
    yield* until(() => running === 0)
    assert.deepStrictEqual(logs, [])
  })
)

both("a declined upgrade is an ordinary answer, and the connection stays usable", app, ({ wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/declined", upgrade) + get("/plain"))
    assert.strictEqual((yield* wire.answer()).status, 403)
    assert.strictEqual((yield* wire.answer()).body.toString(), "plain")
    yield* wire.send(get("/late", upgrade))
    assert.strictEqual((yield* wire.answer()).body.toString(), "late")
    yield* wire.send(get("/echo", upgrade))
    yield* wire.until("Upgrade: echo\r\n")
  })
)

both("an answer that closes ends the connection of a declined upgrade", app, ({ wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/closed", upgrade) + get("/plain"))
    assert.strictEqual((yield* wire.answer()).body.toString(), "no")
    assert.strictEqual(yield* wire.closed, "")
  })
)

const ignored = [
  ["a route that takes no connection over", get("/plain", upgrade), 200],
  ["HTTP/1.0", get("/echo", upgrade).replace("1.1", "1.0"), 426],
  ["a request without Upgrade", get("/echo"), 426],
  ["a request with a body", post("/any", "body", upgrade), 426],
  ["an unknown path", get("/nothing", upgrade), 404],
  ["another method", post("/echo", "", upgrade), 405]
] as const

for (const [name, bytes, status] of ignored) {
  both(`an upgrade means nothing to ${name}`, app, ({ connect, wire, logs }) =>
    Effect.gen(function* () {
      yield* wire.send(bytes)
      const answer = yield* wire.answer()
      assert.strictEqual(answer.status, status)
      assert.strictEqual(answer.headers.upgrade, status === 426 ? "echo" : undefined)
      const other = answer.headers.connection === undefined ? wire : yield* connect
      yield* other.send(get("/plain"))
      assert.strictEqual((yield* other.answer()).body.toString(), "plain")
      assert.deepStrictEqual(logs, [])
    })
  )
}

both("an upgrade behind an answer that is going out means nothing", app, ({ wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/late", upgrade) + get("/echo", upgrade))
    assert.strictEqual((yield* wire.answer()).body.toString(), "late")
    yield* wire.until("Upgrade: echo\r\n")
  })
)

const asking = [
  ["with a body", post("/body", "abc", upgrade)],
  [
    "with a chunked body",
    `${post("/body", "", upgrade).replace("Content-Length: 0", "Transfer-Encoding: chunked")}3\r\nabc\r\n0\r\n\r\n`
  ],
  ["for HTTP/2", get("/plain", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n")],
  ["in HTTP/1.0", get("/plain", "Connection: keep-alive, Upgrade\r\nUpgrade: echo\r\n").replace("1.1", "1.0")],
  ["that expects 100", post("/body", "abc", `${upgrade}Expect: 100-continue\r\n`)],
  ["that is declined", get("/declined", upgrade)]
] as const

for (const [name, bytes] of asking) {
  both(
    `nothing is lost behind a request ${name} that asks for an upgrade, in one piece and in two`,
    app,
    ({ connect }) =>
      Effect.gen(function* () {
        for (const cut of [bytes.length + 20, 30, bytes.length - 2, bytes.length + 60]) {
          const wire = yield* connect
          const all = `${bytes}${get("/plain")}${get("/late")}`
          yield* wire.send(all.slice(0, cut))
          yield* turns
          yield* wire.send(all.slice(cut))
          yield* wire.answer()
          assert.strictEqual((yield* wire.answer()).body.toString(), "plain")
          assert.strictEqual((yield* wire.answer()).body.toString(), "late")
        }
      })
  )
}

both("a client that reads slowly gets all of a stream that declines its upgrade", app, ({ wire }) =>
  Effect.gen(function* () {
    wire.socket.pause()
    yield* wire.send(get("/stream", upgrade) + get("/plain"))
    yield* Effect.sleep("50 millis")
    wire.socket.resume()
    assert.strictEqual((yield* wire.answer()).body.length, 40 * 65_536)
    assert.strictEqual((yield* wire.answer()).body.toString(), "plain")
  })
)

both("a client that closes is closed when its upgrade is declined", app, ({ wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/declined", "Connection: close, Upgrade\r\nUpgrade: echo\r\n") + get("/plain"))
    assert.strictEqual((yield* wire.answer()).headers.connection, "close")
    assert.strictEqual(yield* wire.closed, "")
  })
)

both("a head that is refused closes, and nothing runs behind it, whatever it asks for", app, ({ wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/plain", upgrade).replace("Host: a", "Host: a b") + get("/plain"))
    assert.strictEqual((yield* wire.answer()).status, 400)
    assert.strictEqual(yield* wire.closed, "")
  })
)

both(
  "a connection waits for its next request after a declined upgrade",
  app,
  ({ wire }) =>
    Effect.gen(function* () {
      yield* wire.send(get("/declined", upgrade))
      yield* wire.answer()
      yield* Effect.sleep("2500 millis")
      yield* wire.send(get("/plain"))
      assert.strictEqual((yield* wire.answer()).body.toString(), "plain")
    }),
  { headersTimeout: "1 second" }
)

for (const keepAliveTimeout of [0, Number.POSITIVE_INFINITY]) {
  both(
    `a connection waits as long as it likes after a declined upgrade with a keepAliveTimeout of ${keepAliveTimeout}`,
    app,
    ({ wire }) =>
      Effect.gen(function* () {
        yield* wire.send(get("/declined", upgrade))
        yield* wire.answer()
        yield* Effect.sleep("30 millis")
        yield* wire.send(get("/plain"))
        assert.strictEqual((yield* wire.answer()).body.toString(), "plain")
      }),
    { keepAliveTimeout }
  )
}

it.live("a connection that waits after a declined upgrade does not hold the stop", () =>
  Effect.gen(function* () {
    const { connect, stop } = yield* start(app)
    const wire = yield* connect
    yield* wire.send(get("/declined", upgrade))
    yield* wire.answer()
    assert.isBelow(yield* took(yield* stop), 2000)
  }).pipe(Effect.scoped)
)

both("what breaks off after a connection was taken over is logged once, and the connection closes", app, (given) =>
  Effect.gen(function* () {
    yield* given.wire.send(get("/broken", upgrade))
    assert.strictEqual(yield* given.wire.closed, "")
    assert.deepStrictEqual(given.logs, ["Error A connection that was taken over broke off (GET /broken)"])
  })
)

const waits = Deferred.makeUnsafe<void>()
const stuck = App.make({
  it: Route.get("/", Effect.succeed(takeover(() => Effect.andThen(Deferred.succeed(waits, undefined), Effect.never))))
})

both("a connection that was taken over ends with the server", stuck, ({ wire }) =>
  Effect.gen(function* () {
    yield* wire.send(get("/", upgrade))
    yield* Deferred.await(waits)
  })
)
