/**
 * Sessions after the head of the answer: in streams, events and WebSockets; and beside others in one app.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import { SessionBinding } from "../src/internal/session/binding.ts"
import * as Middleware from "../src/Middleware.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Redirect from "../src/Redirect.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Session from "../src/Session.ts"
import * as Sse from "../src/Sse.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as WebSocket from "../src/WebSocket.ts"

class Visit extends Session.Service<Visit>()("Visit", { fields: { count: Schema.Int }, empty: { count: 0 } }) {}
class Login extends Session.Service<Login>()("Login", { fields: {}, empty: {}, identity: Schema.String }) {}

const increment = Effect.gen(function* () {
  const { count } = yield* (yield* Visit).update((v) => ({ count: v.count + 1 }))
  return String(count)
})
const read = Effect.gen(function* () {
  return String((yield* (yield* Visit).get).count)
})
const told = (effect: Effect.Effect<string, Session.SessionError, Visit>) =>
  Effect.catchTag(effect, "SessionError", ({ message, reason }) => Effect.succeed(`${reason}: ${message}`))
const text = { receive: Schema.String, send: Schema.String, codec: WebSocket.plain }
const sent = "sent: The session can no longer change: the answer is on its way"

const app = App.make({
  count: Route.get(
    "/count",
    Effect.map(increment, (n) => Response.text(n))
  ),
  read: Route.get(
    "/read",
    Effect.map(read, (n) => Response.text(n))
  ),
  stream: Route.get(
    "/stream",
    Effect.gen(function* () {
      const context = yield* Effect.context<Visit>()
      yield* increment
      const late = Stream.provideContext(Stream.fromEffect(told(increment)), context)
      return Response.stream(Stream.concat(Stream.succeed("begun "), late))
    })
  ),
  lazy: Route.get(
    "/lazy",
    Effect.map(Effect.context<Visit>(), (context) =>
      Response.stream(Stream.provideContext(Stream.fromEffect(read), context))
    )
  ),
  events: Route.get(
    "/events",
    Effect.map(Effect.context<Visit>(), (context) =>
      Sse.response(Stream.provideContext(Stream.fromEffect(told(increment)), context))
    )
  ),
  socket: Route.websocket(
    "/socket",
    WebSocket.make(text, (socket) =>
      Effect.gen(function* () {
        yield* socket.send(yield* read)
        yield* socket.send(yield* told(increment))
      })
    )
  ),
  redirect: Route.get(
    "/redirect",
    Effect.andThen(increment, Effect.fail(new Redirect.SeeOther({ location: "/read" })))
  ),
  missing: Route.get("/missing", Effect.andThen(increment, Effect.fail(new HttpError.NotFound()))),
  forked: Route.get(
    "/forked",
    Effect.gen(function* () {
      const late = yield* Effect.forkScoped(Effect.andThen(Effect.sleep("1 hour"), increment))
      return Response.text(String(late.pollUnsafe() === undefined))
    })
  ),
  mounted: Route.mount(
    "/mounted",
    App.make({
      count: Route.get(
        "/count",
        Effect.map(increment, (n) => Response.text(n))
      )
    })
  )
}).pipe(App.use(Session.make(Visit, { store: RecordStore.memory() })))

served("a session whose answer is on its way", app, (client) =>
  Effect.gen(function* () {
    const text = (path: string) => Effect.flatMap(client.get(path), (response) => response.text)
    assert.strictEqual(yield* text("/stream"), `begun ${sent}`)
    assert.strictEqual(yield* text("/lazy"), "1")
    assert.include(yield* text("/events"), `data: ${sent}`)
    const peer = yield* client.webSocket("/socket")
    assert.strictEqual(yield* peer.receive, "1")
    assert.strictEqual(yield* peer.receive, sent)
    assert.strictEqual(yield* text("/read"), "1")
  })
)

served("a session is saved with a typed failure, as a redirect is", app, (client) =>
  Effect.gen(function* () {
    const redirected = yield* client.get("/redirect")
    assert.deepStrictEqual([redirected.status, redirected.headers.location], [303, "/read"])
    assert.strictEqual((yield* client.get("/missing")).status, 404)
    assert.strictEqual(yield* (yield* client.get("/mounted/count")).text, "3")
  })
)

describe("a session that is changed before the handshake of a WebSocket", () => {
  it.effect("is saved, and its cookie is on the 101", () =>
    Effect.gen(function* () {
      const counted = App.make({
        read: app.routes.read,
        socket: app.routes.socket.pipe(Route.use(Middleware.before(increment)))
      }).pipe(App.use(Session.make(Visit, { store: RecordStore.memory() })))
      const client = yield* Testing.client(counted)
      const socket = yield* client.connect
      const key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
      socket.write(`GET /socket HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`)
      const head = yield* Effect.promise(
        () => new Promise<string>((resolve) => socket.once("data", (bytes) => resolve(String(bytes))))
      )
      assert.match(head, /^HTTP\/1\.1 101 /)
      const [, cookie = ""] = /\r\nset-cookie: (session=[^;]+);/i.exec(head) ?? []
      assert.notMatch(head, /cache-control/i)
      assert.strictEqual(yield* (yield* client.get("/read", { headers: { cookie } })).text, "1")
    })
  )
})

describe("several sessions", () => {
  const both = App.make({
    both: Route.get(
      "/",
      Effect.gen(function* () {
        yield* (yield* Login).rotate("ada")
        return Response.text(yield* increment)
      })
    )
  })

  it.effect("have cookies of their own", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory()
      const named = both.pipe(
        App.use(Session.make(Visit, { store })),
        App.use(Session.make(Login, { store, cookie: { name: "login", sameSite: "strict" } }))
      )
      const client = yield* Testing.client(named)
      yield* client.get("/")
      assert.strictEqual(yield* (yield* client.get("/")).text, "2")
      const names = (yield* Ref.get(client.cookies)).map(({ name }) => name)
      assert.deepStrictEqual(names.toSorted(), ["login", "session"])
    })
  )

  it.effect("of one cookie name are a defect that names the cure", () =>
    Effect.gen(function* () {
      const store = RecordStore.memory()
      const unnamed = both.pipe(App.use(Session.make(Visit, { store })), App.use(Session.make(Login, { store })))
      const logs: Array<string> = []
      const logger = Logger.layer([Logger.make(({ cause }) => logs.push(Cause.pretty(cause)))])
      const client = yield* Effect.provide(Testing.client(unnamed), logger)
      assert.strictEqual((yield* client.get("/")).status, 500)
      assert.match(logs.join(), /cookie name "session"; give one of them another: Session.make\(Visit, \{ cookie:/)
    })
  )
})

describe("the binding of a token", () => {
  const bound = Effect.map(Effect.flatten(Effect.service(SessionBinding)), (binding) => Response.text(binding))
  const routes = {
    bound: Route.get("/bound", bound),
    begin: Route.get("/begin", Effect.andThen(increment, bound)),
    login: Route.get(
      "/login",
      Effect.andThen(
        Effect.flatMap(Login, (login) => login.rotate("ada")),
        bound
      )
    ),
    logout: Route.get(
      "/logout",
      Effect.andThen(
        Effect.flatMap(Login, (login) => login.invalidate),
        bound
      )
    )
  }
  const store = RecordStore.memory()
  const app = App.make(routes).pipe(
    App.use(Session.make(Visit, { store, cookie: { name: "visit" } })),
    App.use(Session.make(Login, { store }))
  )
  served("is that of all sessions, changes with their ids, and is not the id", app, (client) =>
    Effect.gen(function* () {
      const text = (path: string) => Effect.flatMap(client.get(path), (response) => response.text)
      assert.strictEqual(yield* text("/bound"), "")
      const visit = yield* text("/begin")
      assert.match(visit, /^[\w-]{43}$/)
      assert.strictEqual(yield* text("/bound"), visit)
      assert.strictEqual(yield* text("/begin"), visit)
      const ada = yield* text("/login")
      assert.match(ada, /^[\w-]{86}$/)
      assert.strictEqual(yield* text("/bound"), ada)
      const again = yield* text("/login")
      assert.notStrictEqual(again, ada)
      assert.strictEqual(yield* text("/logout"), visit)
      assert.strictEqual(yield* text("/bound"), visit)
      for (const { value } of yield* Ref.get(client.cookies)) assert.notInclude(again, value)
    })
  )
  it.effect("is empty without a session", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(App.make({ bound: routes.bound }))
      assert.strictEqual(yield* (yield* client.get("/bound")).text, "")
    })
  )
})
