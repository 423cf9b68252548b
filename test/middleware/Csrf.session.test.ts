/**
 * Tokens and sessions: a token is good for the session that it was given in, and for no other.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schema from "effect/Schema"
import * as App from "../../src/App.ts"
import * as Csrf from "../../src/middleware/Csrf.ts"
import * as RecordStore from "../../src/RecordStore.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sealed from "../../src/Sealed.ts"
import * as Session from "../../src/Session.ts"
import { served } from "../../src/testing/Served.ts"
import type * as Testing from "../../src/testing/Testing.ts"

const keys = Sealed.keys("0123456789abcdef0123456789abcdef")

class Visit extends Session.Service<Visit>()("Visit", {
  fields: { count: Schema.Int },
  empty: { count: 0 },
  identity: Schema.String,
  flash: { notice: Schema.String }
}) {}

const token = Effect.map(Csrf.token, (token) => Response.text(token))
const counted = Effect.flatMap(Visit, (visit) => visit.update(({ count }) => ({ count: count + 1 })))

const routes = {
  token: Route.get("/token", token),
  before: Route.get("/before", Effect.andThen(counted, token)),
  after: Route.get(
    "/after",
    Effect.tap(token, () => counted)
  ),
  unkept: Route.get(
    "/unkept",
    Effect.andThen(
      Effect.flatMap(Visit, (visit) => visit.set({ count: 0 })),
      token
    )
  ),
  tokenAndLogin: Route.post(
    "/token-and-login",
    Effect.tap(token, () => Effect.flatMap(Visit, (visit) => visit.rotate("ada")))
  ),
  wrong: Route.post(
    "/wrong",
    Effect.gen(function* () {
      yield* (yield* Visit).flash({ notice: "Wrong password" })
      return Response.redirect("/notice", { status: 303 })
    })
  ),
  notice: Route.get(
    "/notice",
    Effect.flatMap(Visit, ({ flashed }) => Effect.andThen(flashed, token))
  ),
  write: Route.post("/write", Response.text("written")),
  login: Route.post(
    "/login",
    Effect.gen(function* () {
      yield* (yield* Visit).rotate("ada")
      return yield* token
    })
  ),
  logout: Route.post(
    "/logout",
    Effect.gen(function* () {
      yield* (yield* Visit).invalidate
      return Response.text("bye")
    })
  )
}

const stores = [
  ["in memory", RecordStore.memory()],
  ["in a cookie", Session.cookie({ keys })]
] as const

const get = (client: Testing.Client, path: string) => Effect.flatMap(client.get(path), (response) => response.text)
const post = (client: Testing.Client, path: string, token: string) =>
  Effect.gen(function* () {
    const response = yield* client.execute(HttpClientRequest.post(path, { headers: { "x-csrf-token": token } }))
    return [response.status, yield* response.text] as const
  })

const tokensOnly = App.make({ token: routes.token, write: routes.write }).pipe(App.use(Csrf.make({ tokens: { keys } })))
served("who forgets the token is told its names", tokensOnly, (client) =>
  Effect.gen(function* () {
    const detail = (answer: readonly [number, string]) => JSON.parse(answer[1]).detail
    const write = (fields: Readonly<Record<string, string>>) =>
      Effect.gen(function* () {
        const request = HttpClientRequest.post("/write").pipe(HttpClientRequest.bodyUrlParams(fields))
        const response = yield* client.execute(request)
        return [response.status, yield* response.text] as const
      })
    const old = "The form is no longer valid: load the page again"
    assert.strictEqual(detail(yield* write({ name: "Ada" })), old) // without the cookie of a page
    yield* get(client, "/token")
    const forgotten = yield* write({ name: "Ada" })
    assert.strictEqual(forgotten[0], 403)
    assert.strictEqual(
      detail(forgotten),
      'The request has no token: the field "csrf_token" of its form, or the header "x-csrf-token"'
    )
    assert.strictEqual(detail(yield* write({ csrf_token: "guessed" })), old)
  })
)

for (const [place, store] of stores) {
  const app = App.make(routes).pipe(App.use(Csrf.make({ tokens: { keys } })), App.use(Session.make(Visit, { store })))
  served(`a token is tied to a session ${place}`, app, (client) =>
    Effect.gen(function* () {
      const anonymous = yield* get(client, "/token")
      assert.deepStrictEqual(yield* post(client, "/write", anonymous), [200, "written"])
      const [status, own] = yield* post(client, "/login", anonymous)
      assert.strictEqual(status, 200)
      assert.strictEqual((yield* post(client, "/write", anonymous))[0], 403)
      assert.deepStrictEqual(yield* post(client, "/write", own), [200, "written"])
      assert.deepStrictEqual(yield* post(client, "/logout", own), [200, "bye"])
      assert.strictEqual((yield* post(client, "/write", own))[0], 403)
    })
  )
  served(`a session ${place} that begins with the page has its token`, app, (client) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* post(client, "/write", yield* get(client, "/before")), [200, "written"])
      assert.deepStrictEqual(yield* post(client, "/write", yield* get(client, "/after")), [200, "written"])
    })
  )
  served(`a session ${place} that begins behind the token takes it along`, app, (client) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* post(client, "/write", yield* get(client, "/after")), [200, "written"])
    })
  )
  served(
    `a session ${place} that begins behind a token whose cookie has come with the request takes it along`,
    app,
    (client) =>
      Effect.gen(function* () {
        const first = yield* get(client, "/token")
        const second = yield* get(client, "/after")
        assert.deepStrictEqual(yield* post(client, "/write", second), [200, "written"])
        assert.deepStrictEqual(yield* post(client, "/write", first), [200, "written"])
        // The login is told all the same.
        assert.strictEqual((yield* post(client, "/login", second))[0], 200)
        assert.strictEqual((yield* post(client, "/write", second))[0], 403)
      })
  )
  served(`a session ${place} that is changed and has nothing to keep has no token of its own`, app, (client) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* post(client, "/write", yield* get(client, "/unkept")), [200, "written"])
    })
  )
  served(`a token that came before a login ${place} is not the new session's`, app, (client) =>
    Effect.gen(function* () {
      const anonymous = yield* get(client, "/token")
      assert.strictEqual((yield* post(client, "/token-and-login", anonymous))[0], 200)
      assert.strictEqual((yield* post(client, "/write", anonymous))[0], 403)
    })
  )
  served(`the page that shows the last message of a session ${place} has a token that is good`, app, (client) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* post(client, "/wrong", yield* get(client, "/token")))[0], 303)
      assert.strictEqual((yield* post(client, "/login", yield* get(client, "/notice")))[0], 200)
    })
  )
  const inside = App.make(routes).pipe(
    App.use(Session.make(Visit, { store })),
    App.use(Csrf.make({ tokens: { keys } }))
  )
  served(`a token is not of a session ${place} that is inside of the middleware`, inside, (client) =>
    Effect.gen(function* () {
      yield* get(client, "/after")
      assert.deepStrictEqual(yield* post(client, "/write", yield* get(client, "/before")), [200, "written"])
    })
  )
}
