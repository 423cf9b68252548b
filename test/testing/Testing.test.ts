/**
 * The clients for tests: what they keep, what they do not follow, and that time in memory is the test's.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as Body from "../../src/Body.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"
import { until } from "../server/both.ts"

const events: Array<string> = []
const note = (text: string) => Effect.sync(() => void events.push(text))

const app = App.make({
  home: Route.get("/", Effect.succeed(Response.text("home"))),
  login: Route.post(
    "/login",
    Effect.succeed(Response.redirect("/").pipe(Response.setCookie("visit", "1"), Response.setCookie("theme", "dark")))
  ),
  logout: Route.post("/logout", Effect.succeed(Response.empty().pipe(Response.expireCookie("visit")))),
  cookies: Route.get(
    "/cookies",
    Effect.map(Request.cookies, (cookies) => Response.json({ ...cookies }))
  ),
  echo: Route.post(
    "/echo",
    Effect.map(Body.bytes(), (bytes) => Response.bytes(bytes))
  ),
  stream: Route.get("/stream", Effect.succeed(Response.stream(Stream.make("one,", "two")))),
  seen: Route.get(
    "/seen",
    Effect.map(Effect.all({ host: Request.host, remote: Request.remote, url: Request.url }), (seen) =>
      Response.json(seen)
    )
  ),
  sleepy: Route.get(
    "/sleepy",
    Effect.as(Effect.andThen(note("asked"), Effect.sleep("5 seconds")), Response.text("slept"))
  ),
  never: Route.get(
    "/never",
    Effect.andThen(note("started"), Effect.never).pipe(Effect.onInterrupt(() => note("interrupted")))
  )
})

served("a client asks by the path alone", app, (client) =>
  Effect.gen(function* () {
    const response = yield* client.get("/")
    assert.deepStrictEqual([response.status, yield* response.text], [200, "home"])
  })
)

served("a client asks by its whole URL", app, (client) =>
  Effect.gen(function* () {
    assert.strictEqual((yield* client.get(`${client.url}/`)).status, 200)
    const { host, remote, url } = (yield* (yield* client.get("/seen?a=1")).json) as Record<string, string>
    assert.deepStrictEqual([`http://${host}`, remote, url], [client.url, "127.0.0.1", `${client.url}/seen?a=1`])
  })
)

served("a client keeps cookies, and forgets those that expire", app, (client) =>
  Effect.gen(function* () {
    const kept = Effect.flatMap(client.get("/cookies"), (response) => response.json)
    assert.deepStrictEqual(yield* kept, {})
    yield* client.post("/login")
    assert.deepStrictEqual(yield* kept, { visit: "1", theme: "dark" })
    assert.sameMembers(
      (yield* Ref.get(client.cookies)).map(({ name }) => name),
      ["visit", "theme"]
    )
    yield* client.post("/logout")
    assert.deepStrictEqual(yield* kept, { theme: "dark" })
  })
)

served("a client does not follow redirects", app, (client) =>
  Effect.gen(function* () {
    const { headers, status } = yield* client.post("/login")
    assert.deepStrictEqual([status, headers.location], [302, "/"])
  })
)

served("a client sends bodies and reads streams", app, (client) =>
  Effect.gen(function* () {
    const sent = HttpClientRequest.post("/echo").pipe(HttpClientRequest.bodyText("body"))
    assert.strictEqual(yield* (yield* client.execute(sent)).text, "body")
    const chunks = (yield* client.get("/stream")).stream
    assert.strictEqual(yield* Stream.mkString(Stream.decodeText(chunks)), "one,two")
  })
)

served("a client asks many times at once", app, (client) =>
  Effect.gen(function* () {
    const all = yield* Effect.all(
      Array.from({ length: 50 }, () => Effect.flatMap(client.get("/"), ({ text }) => text)),
      {
        concurrency: 20
      }
    )
    assert.deepStrictEqual(new Set(all), new Set(["home"]))
  })
)

served("to interrupt a request is the client that leaves", app, (client) =>
  Effect.gen(function* () {
    events.length = 0
    const fiber = yield* Effect.forkChild(client.get("/never"))
    yield* until(() => events.length === 1)
    yield* Fiber.interrupt(fiber)
    yield* until(() => events.length === 2)
    assert.deepStrictEqual(events, ["started", "interrupted"])
    assert.strictEqual((yield* client.get("/")).status, 200)
  })
)

served("a raw connection sees the bytes", app, (client) =>
  Effect.gen(function* () {
    const wire = yield* Wire.open(client)
    yield* wire.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
    assert.match(yield* wire.until("\r\n\r\n"), /^HTTP\/1\.1 200 OK\r\n/)
    assert.strictEqual(yield* wire.until("0\r\n\r\n"), "7\r\none,two\r\n0\r\n\r\n")
  })
)

served("the end of the scope interrupts what still runs", app, (client) =>
  Effect.gen(function* () {
    events.length = 0
    yield* Effect.forkScoped(Effect.exit(client.get("/never")))
    yield* until(() => events.length === 1)
  })
)

served("the end of the scope does not wait for half a request", app, (client) =>
  Effect.gen(function* () {
    const wire = yield* Wire.open(client)
    yield* wire.send("GET / HTTP/1.1\r\nHo")
    yield* until(() => wire.socket.writableLength === 0)
  })
)

const stubborn = App.make({
  it: Route.get("/it", Effect.uninterruptible(Effect.andThen(note("started"), Effect.never)))
})

served(
  "the end of the scope does not wait for a handler that cannot be interrupted",
  stubborn,
  (client) =>
    Effect.gen(function* () {
      events.length = 0
      yield* Effect.forkScoped(Effect.exit(client.get("/it")))
      yield* until(() => events.length === 1)
    }),
  { interruptGrace: "100 millis" }
)

describe("in memory", () => {
  it.effect("a handler sleeps by the clock of the test", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(app)
      events.length = 0
      const begin = performance.now()
      const fiber = yield* Effect.forkChild(Effect.flatMap(client.get("/sleepy"), (response) => response.text))
      yield* until(() => events.length === 1)
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "slept")
      assert.isBelow(performance.now() - begin, 2000)
    })
  )

  class Greeting extends Context.Service<Greeting, string>()("test/Greeting") {}
  const needy = App.make({
    it: Route.get(
      "/it",
      Effect.map(Greeting, (greeting) => Response.text(greeting))
    )
  })

  it.effect("a handler has the services of the test", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(needy)
      assert.strictEqual(yield* (yield* client.get("/it")).text, "hello")
    }).pipe(Effect.provideService(Greeting, "hello"))
  )

  it.effect("two clients are two users", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* Testing.client(app), yield* Testing.client(app)]
      yield* first.post("/login")
      assert.deepStrictEqual(yield* (yield* second.get("/cookies")).json, {})
    })
  )

  it.effect("a client that does not read stops the server", () =>
    Effect.gen(function* () {
      let produced = 0
      const many = Stream.map(Stream.rechunk(Stream.range(1, 1000), 1), () => {
        produced++
        return new Uint8Array(64 * 1024)
      })
      const client = yield* Testing.client(App.make({ it: Route.get("/it", Effect.succeed(Response.stream(many))) }))
      const socket = yield* client.connect
      socket.write("GET /it HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      yield* until(() => produced > 0)
      yield* Effect.repeat(
        Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void))),
        { times: 100 }
      )
      assert.isBelow(produced, 20)
      assert.isAbove((yield* Wire.readAll(socket)).length, 1000 * 64 * 1024)
    })
  )
})
