/**
 * What outlives the request of a session is told when the session ends.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import * as Middleware from "../src/Middleware.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sealed from "../src/Sealed.ts"
import * as Session from "../src/Session.ts"
import { served } from "../src/testing/Served.ts"
import * as Testing from "../src/testing/Testing.ts"
import type { Peer } from "../src/testing/WebSocketClient.ts"
import * as WebSocket from "../src/WebSocket.ts"
import { turns } from "./server/both.ts"

class Visit extends Session.Service<Visit>()("Visit", {
  fields: { count: Schema.Int },
  empty: { count: 0 },
  identity: Schema.String
}) {}

const feed = WebSocket.raw({ heartbeat: false }, (socket) =>
  Effect.gen(function* () {
    const { ended } = yield* Visit
    const loggedOut = Effect.andThen(ended, Effect.fail(new WebSocket.Close({ code: 4401, reason: "Logged out" })))
    yield* Effect.raceFirst(Stream.runForEach(socket.messages, socket.send), loggedOut)
  })
)

const does = (f: (visit: Visit["Service"]) => Effect.Effect<unknown, Session.SessionError>) =>
  Effect.as(Effect.flatMap(Visit, f), Response.text("done"))

const begin = Middleware.before(Effect.flatMap(Visit, ({ rotate }) => rotate("ada")))

const routes = {
  feed: Route.websocket("/feed", feed),
  begins: Route.websocket("/begins", feed).pipe(Route.use(begin)),
  login: Route.get("/login/{name}", ({ params }) => does(({ rotate }) => rotate(params.name))),
  count: Route.get(
    "/count",
    does(({ update }) => update(({ count }) => ({ count: count + 1 })))
  ),
  forget: Route.get(
    "/forget",
    does(({ set }) => set({ count: 0 }))
  ),
  logout: Route.get(
    "/logout",
    does(({ invalidate }) => invalidate)
  )
}

const stores = [
  ["in memory", () => RecordStore.memory()],
  ["in a cookie", () => Session.cookie({ keys: Sealed.keys("0123456789abcdef0123456789abcdef") })]
] as const

const appOf = (store: Session.Options<Session.SessionError, never>["store"]) =>
  App.make(routes).pipe(App.use(Session.make(Visit, { store })))

const opened = Effect.fnUntraced(function* (client: Testing.Client, path = "/feed") {
  const peer = yield* client.webSocket(path)
  yield* echoes(peer)
  return peer
})

/** The socket is open, and has begun to wait. */
const echoes = Effect.fnUntraced(function* (peer: Peer) {
  yield* peer.send("there?")
  assert.strictEqual(yield* peer.receive, "there?")
})

const loggedOut = Effect.fnUntraced(function* (peer: Peer) {
  const { code, reason } = yield* peer.closed
  assert.deepStrictEqual([code, reason], [4401, "Logged out"])
})

const ends = [
  ["a logout", ["/login/ada"], "/logout"],
  ["another login", ["/login/ada"], "/login/eve"],
  ["a login", ["/count"], "/login/ada"],
  ["a change that leaves nothing to keep", ["/count"], "/forget"]
] as const

for (const [place, make] of stores) {
  for (const [name, before, last] of ends) {
    served(`${name} ends what waits for the end of the session ${place}`, appOf(make()), (client) =>
      Effect.gen(function* () {
        for (const path of before) yield* client.get(path)
        const [one, two] = [yield* opened(client), yield* opened(client)]
        yield* client.get("/count")
        yield* echoes(one)
        yield* client.get(last)
        yield* loggedOut(one)
        yield* loggedOut(two)
      })
    )
  }

  served(`a session ${place} that begins with the handshake ends too`, appOf(make()), (client) =>
    Effect.gen(function* () {
      const peer = yield* opened(client, "/begins")
      yield* turns
      yield* TestClock.adjust("65 seconds")
      yield* echoes(peer)
      const cookie = String(peer.headers["set-cookie"]).split(";")[0] ?? ""
      yield* client.get("/logout", { headers: { cookie } })
      yield* loggedOut(peer)
    })
  )

  served(`who has no session ${place} waits for ever, whoever logs out`, appOf(make()), (client) =>
    Effect.gen(function* () {
      const peer = yield* opened(client)
      yield* client.get("/login/ada")
      yield* client.get("/logout")
      yield* TestClock.adjust("1 hour")
      yield* echoes(peer)
    })
  )
}

const shared = RecordStore.memory()
const elsewhere = appOf(shared)
served("what another process has ended is over within half a minute", appOf(shared), (client) =>
  Effect.gen(function* () {
    yield* client.get("/login/ada")
    const peer = yield* opened(client)
    const other = yield* Testing.client(elsewhere)
    const { name, value } = (yield* Ref.get(client.cookies))[0] ?? { name: "", value: "" }
    yield* other.get("/logout", { headers: { cookie: `${name}=${value}` } })
    yield* echoes(peer)
    yield* turns
    yield* TestClock.adjust("30 seconds")
    yield* loggedOut(peer)
  })
)

served("the time of a session that is over ends it too", appOf(RecordStore.memory()), (client) =>
  Effect.gen(function* () {
    yield* client.get("/login/ada")
    const peer = yield* opened(client)
    yield* turns
    yield* TestClock.adjust("119 minutes")
    yield* echoes(peer)
    yield* turns
    yield* TestClock.adjust("90 seconds")
    yield* loggedOut(peer)
  })
)
