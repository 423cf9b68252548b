/**
 * The cookies of sessions: names, attributes, sizes; and what caches are told.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Logger from "effect/Logger"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Middleware from "../src/Middleware.ts"
import * as RecordStore from "../src/RecordStore.ts"
import * as Request from "../src/Request.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sealed from "../src/Sealed.ts"
import * as Session from "../src/Session.ts"
import * as Testing from "../src/testing/Testing.ts"
import { recorder } from "./server/both.ts"

class Note extends Session.Service<Note>()("Note", { fields: { text: Schema.String }, empty: { text: "" } }) {}

const keys = Sealed.keys("0123456789abcdef0123456789abcdef")
const write = Effect.gen(function* () {
  const { size } = yield* Request.decodeQuery(Schema.Struct({ size: Schema.Int }))
  // Random enough that nothing could be saved by packing it.
  yield* (yield* Note).set({ text: "x".repeat(size) })
  return Response.text("saved")
})
const read = Effect.gen(function* () {
  const { text } = yield* (yield* Note).get
  return Response.text(String(text.length))
})
const withControl = (value: string) => (handler: typeof write) =>
  Effect.map(handler, Response.setHeader("cache-control", value))

const routes = {
  plain: Route.get("/plain", Response.text("plain")),
  write: Route.get("/write", write),
  read: Route.get("/read", read),
  public: Route.get("/public", withControl("public, max-age=60")(write)),
  private: Route.get("/private", withControl("max-age=60, private")(write)),
  readPublic: Route.get("/read-public", Effect.map(read, Response.setHeader("cache-control", "public, max-age=60"))),
  missing: Route.get("/missing", Effect.andThen(read, Effect.fail(new HttpError.NotFound())))
}
const app = App.make(routes).pipe(App.use(Session.make(Note, { store: Session.cookie({ keys }) })))

/** An answer: its status, and the cookies that it sets. */
const ask = Effect.fnUntraced(function* (client: Testing.Client, path: string, headers: Record<string, string> = {}) {
  const response = yield* client.get(path, { headers })
  return {
    status: response.status,
    headers: response.headers,
    text: yield* response.text,
    cookies: Cookies.toSetCookieHeaders(response.cookies)
  }
})

describe("the name and the attributes of the cookie", () => {
  const rows: ReadonlyArray<readonly [host: string, options: Session.CookieOptions, wanted: RegExp]> = [
    ["localhost:8080", {}, /^session=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/],
    ["app.localhost", {}, /^session=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/],
    ["127.0.0.1:8080", {}, /^session=/],
    ["[::1]", {}, /^session=/],
    ["example.com", {}, /^__Host-session=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/],
    ["10.0.0.7:8080", {}, /^__Host-session=[^;]+; .*Secure/],
    ["localhost.example.com", {}, /^__Host-session=/],
    ["notlocalhost", {}, /^__Host-session=/],
    ["example.com", { secure: false }, /^session=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/],
    ["localhost", { secure: true }, /^__Host-session=[^;]+; .*Secure/],
    [
      "example.com",
      { name: "sid", sameSite: "strict" },
      /^__Host-sid=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Strict$/
    ],
    [
      "example.com",
      { domain: "example.com" },
      /^__Secure-session=[^;]+; Domain=example.com; Path=\/; HttpOnly; Secure/
    ],
    ["example.com", { path: "/shop" }, /^__Secure-session=[^;]+; Path=\/shop; HttpOnly; Secure/],
    ["example.com", { persistent: true }, /^__Host-session=[^;]+; Max-Age=86400; Path=\//]
  ]
  for (const [host, cookie, wanted] of rows) {
    it.effect(`on ${host} with ${JSON.stringify(cookie)} are ${wanted.source}`, () =>
      Effect.gen(function* () {
        const app = App.make(routes).pipe(App.use(Session.make(Note, { store: Session.cookie({ keys }), cookie })))
        const client = yield* Testing.client(app)
        const { cookies } = yield* ask(client, "/write?size=1", { host })
        assert.match(cookies[0] ?? "", wanted)
        const [pair = ""] = cookies[0]?.split(";") ?? []
        assert.strictEqual((yield* ask(client, "/read", { host, cookie: pair })).text, "1")
      })
    )
  }

  it.effect("a Secure cookie is not taken from one without the prefix", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(app)
      const { cookies } = yield* ask(client, "/write?size=1", { host: "localhost" })
      const [cookie = ""] = cookies[0]?.split(";") ?? []
      assert.strictEqual((yield* ask(client, "/read", { host: "example.com", cookie })).text, "0")
    })
  )

  const wrong: ReadonlyArray<readonly [Session.CookieOptions, RegExp]> = [
    [{ name: "a b" }, /"a b" has a name that no cookie can have/],
    [{ name: "" }, /name that no cookie can have/],
    [{ name: "__Host-session" }, /or a prefix: "__Host-" is added where it is Secure/],
    [{ path: "shop" }, /has the path "shop": it begins with "\/"/],
    [{ path: "/;x" }, /has the path/],
    [{ domain: "a;b" }, /has the domain "a;b": it is a host name/],
    [{ sameSite: "none", secure: false }, /SameSite=None: browsers take that only where it is Secure/]
  ]
  for (const [cookie, wanted] of wrong) {
    it(`${JSON.stringify(cookie)} throws`, () => {
      assert.throws(() => Session.make(Note, { store: RecordStore.memory(), cookie }), wanted)
    })
  }
})

describe("the cookie is found", () => {
  const rows: ReadonlyArray<readonly [what: string, header: (cookie: string) => string, wanted: string]> = [
    ["alone", (cookie) => cookie, "1"],
    ["among others", (cookie) => `a=1; ${cookie}; b="2;3"`, "1"],
    ["without spaces", (cookie) => `a=1;${cookie};b=2`, "1"],
    ["with more of them", (cookie) => `a=1 ;  ${cookie}  ; b=2`, "1"],
    ["behind another whose name ends in its name", (cookie) => `my-session=x; ${cookie}`, "1"],
    ["before another whose name ends in its name", (cookie) => `${cookie}; my-session=x`, "1"],
    ["before another that has its text", (cookie) => `${cookie}; a=session=x`, "1"],
    ["as the last of two", (cookie) => `session=x; ${cookie}`, "1"],
    ["and not as the first of two", (cookie) => `${cookie}; session=x`, "0"],
    ["and not where only the text is", (cookie) => `a="${cookie}"`, "0"]
  ]
  it.effect.each(rows)("%s", ([, header, wanted]) =>
    Effect.gen(function* () {
      const client = yield* Testing.client(app)
      const { cookies } = yield* ask(client, "/write?size=1")
      const [cookie = ""] = cookies[0]?.split(";") ?? []
      yield* Ref.set(client.cookies, [])
      assert.strictEqual((yield* ask(client, "/read", { cookie: header(cookie) })).text, wanted)
    })
  )
})

describe("a session in cookies", () => {
  it.effect("takes as many as it needs, each below 4096 bytes, and gives back what it needs no more", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(app)
      const large = yield* ask(client, "/write?size=4000")
      assert.deepStrictEqual(
        large.cookies.map((cookie) => cookie.split("=")[0]),
        ["session", "session.1"]
      )
      for (const cookie of large.cookies) assert.isBelow(cookie.length, 4096)
      assert.strictEqual((yield* ask(client, "/read")).text, "4000")
      const small = yield* ask(client, "/write?size=10")
      assert.match(small.cookies[0] ?? "", /^session=e/)
      assert.match(small.cookies[1] ?? "", /^session\.1=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970/)
      assert.strictEqual((yield* ask(client, "/read")).text, "10")
      const gone = yield* ask(client, "/write?size=0")
      assert.strictEqual(gone.cookies.length, 1)
      assert.match(gone.cookies[0] ?? "", /^session=; Max-Age=0/)
    })
  )

  it.effect("that does not fit is a typed failure, and the last one that did stays", () =>
    Effect.gen(function* () {
      const caught = app.pipe(
        App.use(
          Middleware.catch(Session.SessionError, ({ message, reason }) =>
            Effect.succeed(Response.text(`${reason}: ${message}`))
          )
        )
      )
      const client = yield* Testing.client(caught)
      yield* ask(client, "/write?size=5000")
      const { cookies, text } = yield* ask(client, "/write?size=6000")
      assert.deepStrictEqual(cookies, [])
      assert.strictEqual(
        text,
        "tooLarge: The session is too large for cookies: keep less in it, or keep it in a RecordStore"
      )
      assert.strictEqual((yield* ask(client, "/read")).text, "5000")
      const causes: Array<string> = []
      const logger = Logger.make(({ cause }) => causes.push(Cause.pretty(cause)))
      const bare = yield* Effect.provide(Testing.client(app), Logger.layer([logger]))
      assert.strictEqual((yield* ask(bare, "/write?size=6000")).status, 500)
      assert.match(
        causes.join(),
        /SessionError: The session is too large for cookies: keep less .*It has 8\d+ characters/s
      )
    })
  )
})

describe("what caches are told", () => {
  it.effect.each<readonly [path: string, vary: string | undefined, control: string | undefined]>([
    ["/plain", undefined, undefined],
    ["/read", "Cookie", "private, no-cache"],
    ["/missing", "Accept, Cookie", "private, no-cache"],
    ["/write?size=0", "Cookie", "private, no-cache"],
    ["/write?size=1", "Cookie", "no-store"],
    ["/public?size=1", "Cookie", "no-store"],
    ["/private?size=1", "Cookie", "max-age=60, private"],
    ["/read-public", "Cookie", "public, max-age=60"]
  ])("by %s is Vary %s, Cache-Control %s", ([path, vary, control]) =>
    Effect.gen(function* () {
      const { headers } = yield* ask(yield* Testing.client(app), path)
      assert.deepStrictEqual([headers.vary, headers["cache-control"]], [vary, control])
    })
  )
})

describe("a Secure cookie for a request by http", () => {
  it.effect("is warned of once, unless it is said that it is meant", () =>
    Effect.gen(function* () {
      const { layer, logs } = recorder()
      const start = (cookie: Session.CookieOptions) => {
        const store = Session.cookie({ keys })
        return Effect.provide(
          Testing.client(App.make(routes).pipe(App.use(Session.make(Note, { store, cookie })))),
          layer
        )
      }
      const meant = yield* start({ secure: true })
      yield* ask(meant, "/write?size=1", { host: "example.com" })
      const local = yield* start({})
      yield* ask(local, "/write?size=1", { host: "localhost" })
      assert.deepStrictEqual(logs, [])
      yield* ask(local, "/write?size=2", { host: "example.com" })
      yield* ask(local, "/write?size=3", { host: "example.com" })
      assert.strictEqual(logs.length, 1)
      assert.match(logs[0] ?? "", /^Warn A session's cookie is Secure and its request came by http/)
    })
  )
})
