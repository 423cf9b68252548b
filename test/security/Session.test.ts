/**
 * What is tried against sessions.
 */
import { inspect } from "node:util"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../../src/App.ts"
import * as RecordStore from "../../src/RecordStore.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sealed from "../../src/Sealed.ts"
import * as Session from "../../src/Session.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as WebSocket from "../../src/WebSocket.ts"
import { recorder } from "../server/both.ts"
import { attacks } from "./attacks.ts"

class Login extends Session.Service<Login>()("Login", {
  fields: { count: Schema.Int, note: Schema.String },
  empty: { count: 0, note: "" },
  identity: Schema.String
}) {}
class Other extends Session.Service<Other>()("Other", {
  fields: { count: Schema.Int, note: Schema.String },
  empty: { count: 0, note: "" },
  identity: Schema.String
}) {}

const routesOf = <I>(
  kind: Session.Class<I, string, { readonly count: number; readonly note: string }, string, {}>
) => ({
  read: Route.get(
    "/read",
    Effect.gen(function* () {
      const login = yield* kind
      const { count } = yield* login.get
      return Response.text(`${count} ${Option.getOrElse(yield* login.identity, () => "nobody")}`)
    })
  ),
  count: Route.get(
    "/count",
    Effect.flatMap(kind, (login) =>
      Effect.as(
        login.update((data) => ({ ...data, count: data.count + 1 })),
        Response.text("")
      )
    )
  ),
  large: Route.get(
    "/large",
    Effect.flatMap(kind, (login) =>
      Effect.as(
        login.update((data) => ({ ...data, note: "x".repeat(4000) })),
        Response.text("")
      )
    )
  ),
  login: Route.get(
    "/login",
    Effect.flatMap(kind, (login) => Effect.as(login.rotate("ada"), Response.text("")))
  ),
  logout: Route.get(
    "/logout",
    Effect.flatMap(kind, (login) => Effect.as(login.invalidate, Response.text("")))
  )
})

const keys = Sealed.keys("0123456789abcdef0123456789abcdef")
const sealed = Session.cookie({ keys })

/** A server, and what a browser without a memory gets from it. */
const start = <E>(store: Session.Options<E, never>["store"], kind: "Login" | "Other" = "Login") =>
  Effect.gen(function* () {
    const { layer, logs } = recorder()
    const app =
      kind === "Login"
        ? App.make(routesOf(Login)).pipe(App.use(Session.make(Login, { store })))
        : App.make(routesOf(Other)).pipe(App.use(Session.make(Other, { store })))
    // What the stores of these tests fail with knows its response.
    const client = yield* Effect.provide(Testing.client(app as App.Any as App.App<never, never, {}, never>), layer)
    const send = Effect.fnUntraced(function* (path: string, cookie = "") {
      yield* Ref.set(client.cookies, [])
      const response = yield* client.get(path, { headers: { cookie } })
      return { response, text: yield* response.text, cookie: toCookie(response.cookies) }
    })
    return { send, logs }
  })

const toCookie = (cookies: Cookies.Cookies): string =>
  Object.values(cookies.cookies)
    .map(({ name, value }) => `${name}=${value}`)
    .join("; ")

/** Sends a cookie that must stand for nobody: without an error, without a cookie back, without more than a line at debug. */
const refused = Effect.fnUntraced(function* (
  { logs, send }: Effect.Success<ReturnType<typeof start>>,
  cookie: string,
  wanted = "0 nobody"
) {
  const { response, text } = yield* send("/read", cookie)
  assert.deepStrictEqual([response.status, text], [200, wanted])
  assert.isUndefined(response.headers["set-cookie"])
  assert.deepStrictEqual(
    logs.filter((line) => !line.startsWith("Debug")),
    []
  )
  const value = cookie.slice(cookie.indexOf("=") + 1)
  if (value.length > 8) assert.notInclude(logs.join("\n"), value)
})

const flip = (text: string, at: number): string => {
  const index = at < 0 ? text.length + at : at
  return text.slice(0, index) + (text[index] === "A" ? "B" : "A") + text.slice(index + 1)
}

attacks("the cookie of a session", [
  ...(["store", "cookie"] as const).flatMap((where) => {
    const make = () => start(where === "store" ? RecordStore.memory() : sealed)
    const tries: ReadonlyArray<readonly [attack: string, (cookie: string) => string]> = [
      ["a character changed at the end", (cookie) => flip(cookie, -2)],
      ["a character changed in the middle", (cookie) => flip(cookie, Math.floor(cookie.length / 2) + 5)],
      ["its end cut off", (cookie) => cookie.slice(0, -3)],
      ["something behind it", (cookie) => `${cookie}AAAA`],
      ["nothing in it", () => "session="],
      ["a path in it", () => "session=../../../etc/passwd"],
      ["a quote and a line end in it", () => `session="a%0d%0aSet-Cookie: x=1"`],
      ["__proto__ in it", () => "session=__proto__; __proto__=session"],
      ["no text of this world in it", () => "session=%FF%FE%00"],
      ["14 KB in it", () => `session=${"A".repeat(14_000)}`],
      ["the beginning of a cookie in parts", (cookie) => cookie.replace("=", "=2~")],
      ["nine parts announced", (cookie) => cookie.replace("=", "=9~")],
      ["a JSON session in it", () => `session={"v":1,"c":0,"t":0,"i":"ada","d":{"count":9,"note":""}}`]
    ]
    return tries.map(([attack, change]) => ({
      attack: `with ${attack} (${where})`,
      stoppedBy: where === "store" ? "there is no such session: a new one" : "its tag: a new session",
      run: Effect.gen(function* () {
        const server = yield* make()
        const { cookie } = yield* server.send("/login", (yield* server.send("/count")).cookie)
        assert.strictEqual((yield* server.send("/read", cookie)).text, "1 ada")
        yield* refused(server, change(cookie))
      })
    }))
  }),
  {
    attack: "one half of a cookie in two parts, from another session",
    stoppedBy: "its tag: a new session",
    run: Effect.gen(function* () {
      const server = yield* start(sealed)
      const one = (yield* server.send("/large")).cookie
      const two = (yield* server.send("/large", (yield* server.send("/login")).cookie)).cookie
      assert.strictEqual((yield* server.send("/read", two)).text, "0 ada")
      const [first] = one.split("; ")
      const [, second] = two.split("; ")
      yield* refused(server, `${first}; ${second}`)
      yield* refused(server, `${first}`)
    })
  },
  {
    attack: "an id that the attacker has made up, planted before the login (session fixation)",
    stoppedBy: "an id is never taken from outside: the login has another one",
    run: Effect.gen(function* () {
      const server = yield* start(RecordStore.memory())
      const planted = `session=${"A".repeat(24)}`
      const login = yield* server.send("/login", planted)
      assert.notInclude(login.cookie, "AAAA")
      yield* refused(server, planted)
      const counted = yield* server.send("/count", planted)
      assert.notInclude(counted.cookie, "AAAA")
    })
  },
  {
    attack: "a session of the attacker's own, planted before the login (session fixation)",
    stoppedBy: "the login moves the session to another id, at once and for good",
    run: Effect.gen(function* () {
      const server = yield* start(RecordStore.memory())
      const planted = (yield* server.send("/count")).cookie
      const login = yield* server.send("/login", planted)
      assert.strictEqual((yield* server.send("/read", login.cookie)).text, "1 ada")
      yield* refused(server, planted)
      yield* server.send("/count", planted)
      assert.strictEqual((yield* server.send("/read", login.cookie)).text, "1 ada")
      yield* TestClock.adjust("61 seconds")
      yield* refused(server, planted)
    })
  },
  {
    attack: "a cookie from before the logout, sent again (store)",
    stoppedBy: "the store has forgotten it",
    run: Effect.gen(function* () {
      const server = yield* start(RecordStore.memory())
      const { cookie } = yield* server.send("/login")
      yield* server.send("/logout", cookie)
      yield* refused(server, cookie)
      yield* server.send("/count", cookie)
      yield* refused(server, cookie)
    })
  },
  {
    attack: "a cookie from before the logout, sent again (cookie)",
    stoppedBy: "its idle time only: who needs more keeps sessions in a store",
    run: Effect.gen(function* () {
      const server = yield* start(sealed)
      const { cookie } = yield* server.send("/login")
      yield* server.send("/logout", cookie)
      assert.strictEqual((yield* server.send("/read", cookie)).text, "0 ada")
      yield* TestClock.adjust("2 hours")
      yield* refused(server, cookie)
    })
  },
  {
    attack: "a cookie that has expired, kept by who holds it",
    stoppedBy: "the times are in what the server keeps, not in the cookie",
    run: Effect.gen(function* () {
      for (const store of [RecordStore.memory(), sealed]) {
        const server = yield* start(store)
        const { cookie } = yield* server.send("/login")
        yield* TestClock.adjust("2 hours")
        yield* refused(server, cookie)
      }
    })
  },
  {
    attack: "the cookie of another kind of session of the same app",
    stoppedBy: "the purpose of its seal, and the name in the store's key",
    run: Effect.gen(function* () {
      for (const store of [RecordStore.memory(), sealed]) {
        const other = yield* start(store, "Other")
        const { cookie } = yield* other.send("/login")
        yield* refused(yield* start(store), cookie)
      }
    })
  },
  {
    attack: "a cookie sealed with another key",
    stoppedBy: "its tag: a new session",
    run: Effect.gen(function* () {
      const foreign = yield* start(Session.cookie({ keys: Sealed.keys("another secret of thirty-two bytes") }))
      const { cookie } = yield* foreign.send("/login")
      yield* refused(yield* start(sealed), cookie)
    })
  },
  {
    attack: "the key of a record, read from a copy of the store, as a cookie",
    stoppedBy: "keys are hashes of ids: a copy of the store opens no session",
    run: Effect.gen(function* () {
      const seen: Array<string> = []
      const inner = RecordStore.memory()
      const server = yield* start({
        ...inner,
        put: (key, value, options) => {
          seen.push(`${key} ${value}`)
          return inner.put(key, value, options)
        }
      })
      const { cookie } = yield* server.send("/login")
      const [, id = ""] = cookie.split("=")
      assert.match(id, /^[\w-]{24}$/)
      assert.strictEqual(seen.length, 1)
      assert.notInclude(seen.join(), id)
      const hash = /:([\w-]{43}) /.exec(seen[0] ?? "")?.[1] ?? ""
      assert.isNotEmpty(hash)
      for (const forged of [hash, hash.slice(0, 24), `session:Login:${hash}`])
        yield* refused(server, `session=${forged}`)
    })
  },
  {
    attack: "a record of the store that someone has written nonsense into",
    stoppedBy: "it is decoded as if it came from outside: a new session",
    run: Effect.gen(function* () {
      for (const value of [
        "",
        "null",
        "[]",
        "{",
        `{"v":1}`,
        `{"v":"1","c":0,"t":0}`,
        `{"v":1,"c":0,"t":0,"d":{"count":"x"}}`
      ]) {
        const inner = RecordStore.memory()
        const server = yield* start({
          ...inner,
          get: (key) =>
            Effect.map(inner.get(key), (stored) => (stored === undefined ? undefined : { ...stored, value }))
        })
        const { cookie } = yield* server.send("/login")
        yield* refused(server, cookie)
      }
    })
  },
  {
    attack: "two cookies of the name, the planted one first",
    stoppedBy:
      "one of them counts, and a planted one stands for nobody; the prefix __Host- keeps others from setting it",
    run: Effect.gen(function* () {
      const server = yield* start(RecordStore.memory())
      const { cookie } = yield* server.send("/login")
      assert.strictEqual((yield* server.send("/read", `session=${"B".repeat(24)}; ${cookie}`)).text, "0 ada")
      yield* refused(server, `${cookie}; session=${"B".repeat(24)}`)
    })
  }
])

attacks("a session that has ended", [
  {
    attack: "a WebSocket goes on behind the logout",
    stoppedBy: "`ended`, which its handler races",
    run: Effect.gen(function* () {
      const feed = WebSocket.raw({}, (socket) =>
        Effect.gen(function* () {
          yield* socket.send("open")
          yield* (yield* Login).ended
          yield* new WebSocket.Close({ code: 4401 })
        })
      )
      const app = App.make({ feed: Route.websocket("/feed", feed), ...routesOf(Login) }).pipe(
        App.use(Session.make(Login, { store: RecordStore.memory() }))
      )
      const client = yield* Testing.client(app)
      yield* client.get("/login")
      const peer = yield* client.webSocket("/feed")
      assert.strictEqual(yield* peer.receive, "open")
      yield* client.get("/logout")
      assert.strictEqual((yield* peer.closed).code, 4401)
    })
  }
])

attacks("the memory that sessions are kept in", [
  {
    attack: "a crawler without cookies begins a session with each request, to end those of others",
    stoppedBy: "sessions that are in use go after those that nobody has come back to",
    run: Effect.gen(function* () {
      const { send } = yield* start(RecordStore.memory({ capacity: 100 }))
      const { cookie } = yield* send("/login")
      assert.strictEqual((yield* send("/read", cookie)).text, "0 ada")
      for (let n = 0; n < 500; n++) yield* send("/count")
      assert.strictEqual((yield* send("/read", cookie)).text, "0 ada")
    })
  }
])

attacks("what others see of a session", [
  {
    attack: "JavaScript of the page reads the cookie, another site sends it along with a form",
    stoppedBy: "HttpOnly and SameSite=Lax",
    run: Effect.gen(function* () {
      const { send } = yield* start(RecordStore.memory())
      const { response } = yield* send("/login")
      const [cookie = ""] = Cookies.toSetCookieHeaders(response.cookies)
      assert.match(cookie, /; HttpOnly; SameSite=Lax$/)
    })
  },
  {
    attack: "a shared cache keeps an answer with its cookie",
    stoppedBy: "Cache-Control: no-store, and Vary: Cookie for what only reads",
    run: Effect.gen(function* () {
      const { send } = yield* start(RecordStore.memory())
      const { cookie, response } = yield* send("/login")
      assert.strictEqual(response.headers["cache-control"], "no-store")
      assert.strictEqual((yield* send("/read", cookie)).response.headers.vary, "Cookie")
    })
  },
  {
    attack: "someone with access to the log reads the session that a handler has logged",
    stoppedBy: "a session shows nothing of itself",
    run: Effect.gen(function* () {
      const logs: Array<string> = []
      const logger = Logger.layer([
        Logger.map(Logger.formatJson, (line) => logs.push(line)),
        Logger.make((all) => logs.push(inspect(all, { depth: 9 })))
      ])
      const log = Effect.tap(Login, (login) => Effect.log("a session", login))
      const app = App.make({ log: Route.get("/log", Effect.as(log, Response.text(""))), ...routesOf(Login) }).pipe(
        App.use(Session.make(Login, { store: RecordStore.memory() }))
      )
      const client = yield* Effect.provide(Testing.client(app), logger)
      const id = Object.values((yield* client.get("/login")).cookies.cookies)[0]?.value ?? "none"
      assert.strictEqual((yield* client.get("/log")).status, 200)
      assert.strictEqual(logs.length, 2)
      assert.include(logs.join(), "a session")
      for (const secret of [id, "ada"]) assert.notInclude(logs.join(), secret)
    })
  },
  {
    attack: "the ids of many sessions are collected to guess the next",
    stoppedBy: "144 bits of the system's secure source each",
    run: Effect.gen(function* () {
      const { send } = yield* start(RecordStore.memory())
      const ids = new Set<string>()
      for (let n = 0; n < 200; n++) ids.add((yield* send("/count")).cookie)
      assert.strictEqual(ids.size, 200)
    })
  },
  {
    attack: "a million visitors who only look fill the store",
    stoppedBy: "nothing is kept of who has left nothing",
    run: Effect.gen(function* () {
      let writes = 0
      const inner = RecordStore.memory()
      const { send } = yield* start({
        ...inner,
        put: (key, value, options) => {
          writes++
          return inner.put(key, value, options)
        }
      })
      for (let n = 0; n < 20; n++) yield* send("/read")
      assert.strictEqual(writes, 0)
    })
  }
])
