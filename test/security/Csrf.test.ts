/**
 * Attacks of pages of other sites that make a browser send in its visitor's name.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as App from "../../src/App.ts"
import { SessionBinding } from "../../src/internal/session/binding.ts"
import type * as Middleware from "../../src/Middleware.ts"
import * as Csrf from "../../src/middleware/Csrf.ts"
import * as RecordStore from "../../src/RecordStore.ts"
import * as Request from "../../src/Request.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Sealed from "../../src/Sealed.ts"
import * as Session from "../../src/Session.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { attacks } from "./attacks.ts"

const Kept = Schema.Struct({ secret: Schema.String, session: Schema.String })
const keys = Sealed.keys("0123456789abcdef0123456789abcdef")
const bound: Middleware.Middleware = (handler) =>
  Effect.flatMap(Request.header("x-session"), (id = "") =>
    Effect.provideService(handler, SessionBinding, Effect.succeed(id))
  )
const app = App.make({
  token: Route.get(
    "/token",
    Effect.map(Csrf.token, (token) => Response.text(token))
  ),
  pay: Route.post("/pay", Response.text("paid")),
  hook: Route.post("/hooks/{id}", Response.text("hooked"))
}).pipe(App.use(Csrf.make({ exempt: ["/hooks/{id}"], tokens: { keys } })), App.use(bound))

const pay = (headers: Readonly<Record<string, string>>, path = "/pay", body?: string) =>
  Effect.gen(function* () {
    const client = yield* Testing.client(app)
    const request = HttpClientRequest.post(path, { headers: { host: "shop.test", ...headers } })
    const sent =
      body === undefined ? request : HttpClientRequest.bodyText(request, body, "application/x-www-form-urlencoded")
    return (yield* client.execute(sent)).status
  })

const refused = (headers: Readonly<Record<string, string>>, path?: string, body?: string) =>
  Effect.map(pay(headers, path, body), (status) => assert.strictEqual(status, 403))

/** A browser's token and cookie, in a session. */
const issued = (session: string) =>
  Effect.gen(function* () {
    const client = yield* Testing.client(app)
    const response = yield* client.get("/token", { headers: { host: "shop.test", "x-session": session } })
    return { token: yield* response.text, cookie: response.headers["set-cookie"]!.split(";")[0]! }
  })

const flipped = (text: string, at: number) => `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`

const metadata = "Sec-Fetch-Site, which no page can set: 403"
const signature = "the cookie's signature: 403"

attacks("CSRF", [
  {
    attack: "a form of another site",
    stoppedBy: metadata,
    run: refused({ "sec-fetch-site": "cross-site", origin: "https://evil.test" })
  },
  {
    attack: "a form of a subdomain that was taken over",
    stoppedBy: metadata,
    run: refused({ "sec-fetch-site": "same-site", origin: "https://old.shop.test" })
  },
  {
    attack: "a form of a sandboxed frame, without an origin",
    stoppedBy: metadata,
    run: refused({ "sec-fetch-site": "cross-site", origin: "null" })
  },
  {
    attack: "a form of another site in a browser without Sec-Fetch-Site",
    stoppedBy: "Origin, which is not the host: 403",
    run: refused({ origin: "https://evil.test" })
  },
  {
    attack: "the same, with the host in the name of another",
    stoppedBy: "the whole host is compared: 403",
    run: refused({ origin: "https://shop.test.evil.test" })
  },
  {
    attack: "the same, with another port",
    stoppedBy: "the port is compared: 403",
    run: refused({ origin: "https://shop.test:8443" })
  },
  {
    attack: "a form in a browser that says nothing",
    stoppedBy: "the token, which it cannot read: 403",
    run: refused({})
  },
  {
    attack: "an exempt route named in the path of another",
    stoppedBy: "routes are exempt, not texts: 403",
    run: refused({ "sec-fetch-site": "cross-site" }, "/hooks/../pay")
  },
  {
    attack: "the same, encoded",
    stoppedBy: "routes are exempt, not texts: 403",
    run: refused({ "sec-fetch-site": "cross-site" }, "/hooks%2f..%2fpay")
  },
  {
    attack: "a token that was made up, without a cookie",
    stoppedBy: "there is nothing to compare it with: 403",
    run: refused({ "x-csrf-token": Base64Url.encode(new Uint8Array(32)) })
  },
  {
    attack: "a cookie of the attacker's own making, and the token for it",
    stoppedBy: signature,
    run: Effect.gen(function* () {
      const other = Sealed.make({
        schema: Kept,
        keys: Sealed.keys("another secret of thirty-two bytes.."),
        purpose: "effect-web/Csrf",
        mode: "sign"
      })
      const cookie = yield* other.seal({ secret: Base64Url.encode(new Uint8Array(16)), session: "" })
      yield* refused({ cookie: `csrf=${cookie}`, "x-csrf-token": Base64Url.encode(new Uint8Array(32)) })
    })
  },
  {
    attack: "the attacker's own cookie and token, planted in the browser of someone who is logged in",
    stoppedBy: "what ties it to the session: 403",
    run: Effect.gen(function* () {
      const { cookie, token } = yield* issued("mallory")
      assert.strictEqual(yield* pay({ cookie, "x-csrf-token": token, "x-session": "mallory" }), 200)
      yield* refused({ cookie, "x-csrf-token": token, "x-session": "ada" })
    })
  },
  {
    attack: "a token of before the login",
    stoppedBy: "what ties it to the session, which has got another id: 403",
    run: Effect.gen(function* () {
      const { cookie, token } = yield* issued("")
      yield* refused({ cookie, "x-csrf-token": token, "x-session": "ada" })
    })
  },
  {
    attack: "a cookie with one character changed",
    stoppedBy: signature,
    run: Effect.gen(function* () {
      const { cookie, token } = yield* issued("ada")
      for (const at of [5, 12, cookie.length - 2]) {
        yield* refused({ cookie: flipped(cookie, at), "x-csrf-token": token, "x-session": "ada" })
      }
    })
  },
  {
    attack: "a token with one character changed, cut off, doubled or empty",
    stoppedBy: "it is no longer the cookie's secret: 403",
    run: Effect.gen(function* () {
      const { cookie, token } = yield* issued("ada")
      for (const bad of [flipped(token, 3), flipped(token, 30), token.slice(0, -1), token + token, "", "\u00e9"]) {
        yield* refused({ cookie, "x-csrf-token": bad, "x-session": "ada" })
      }
    })
  },
  {
    attack: "the secret itself in place of a token",
    stoppedBy: "its length: 403",
    run: Effect.gen(function* () {
      const { cookie, token } = yield* issued("ada")
      const bytes = Result.getOrThrow(Base64Url.decode(token))
      const secret = bytes.slice(0, 16).map((byte, at) => byte ^ bytes[at + 16]!)
      yield* refused({ cookie, "x-csrf-token": Base64Url.encode(secret), "x-session": "ada" })
    })
  },
  {
    attack: "a token in the address of a form, where it would stand in logs",
    stoppedBy: "it is not looked for there: 403",
    run: Effect.gen(function* () {
      const { cookie, token } = yield* issued("ada")
      yield* refused({ cookie, "x-session": "ada" }, `/pay?csrf_token=${token}`, "a=b")
    })
  },
  {
    attack: "guessing a token from the sizes of compressed pages (BREACH)",
    stoppedBy: "the token is masked anew in every page",
    run: Effect.gen(function* () {
      const client = yield* Testing.client(app)
      const seen = new Set<string>()
      for (let at = 0; at < 20; at++) seen.add((yield* (yield* client.get("/token")).text).slice(0, 20))
      assert.strictEqual(seen.size, 20)
    })
  }
])

class Login extends Session.Service<Login>()("Login", { fields: {}, empty: {}, identity: Schema.String }) {}
class Cart extends Session.Service<Cart>()("Cart", { fields: { user: Schema.String }, empty: { user: "" } }) {}

const handlers = {
  token: Route.get(
    "/token",
    Effect.map(Csrf.token, (token) => Response.text(token))
  ),
  pay: Route.post("/pay", Response.text("paid"))
}
const tokens = Csrf.make({ tokens: { keys } })
const enter = Effect.flatMap(Request.header("x-user"), (user = "") =>
  Effect.flatMap(Login, ({ rotate }) => rotate(user))
)
const logins = App.make({
  ...handlers,
  login: Route.get("/login", Effect.as(enter, Response.text("in"))),
  logout: Route.get(
    "/logout",
    Effect.flatMap(Login, ({ invalidate }) => Effect.as(invalidate, Response.text("out")))
  )
}).pipe(App.use(tokens), App.use(Session.make(Login, { store: RecordStore.memory() })))
const carts = App.make({
  ...handlers,
  login: Route.get(
    "/login",
    Effect.flatMap(Cart, ({ set }) => Effect.as(set({ user: "ada" }), Response.text("in")))
  )
}).pipe(App.use(tokens), App.use(Session.make(Cart, { store: RecordStore.memory() })))

/** The cookies of a browser, which anybody may have added to, and what it is answered. */
const browser = Effect.fnUntraced(function* (site: typeof logins | typeof carts) {
  const client = yield* Testing.client(site as typeof logins)
  const jar = new Map<string, string>()
  const send = Effect.fnUntraced(function* (method: "GET" | "POST", path: string, headers = {}) {
    const cookie = [...jar].map((pair) => pair.join("=")).join("; ")
    const fields = { host: "shop.test", cookie, ...headers }
    const response = yield* client.execute(HttpClientRequest.make(method)(path, { headers: fields }))
    for (const { name, value } of Object.values(response.cookies.cookies)) jar.set(name, value)
    return { status: response.status, text: yield* response.text }
  })
  return { jar, get: (path: string, user = "ada") => send("GET", path, { "x-user": user }), send }
})

const planted = (site: typeof logins | typeof carts, before: ReadonlyArray<string>, after: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const [attacker, victim] = [yield* browser(site), yield* browser(site)]
    for (const path of before) yield* attacker.get(path, "eve")
    const token = (yield* attacker.get("/token", "eve")).text
    for (const path of after) yield* victim.get(path)
    for (const [name, value] of attacker.jar) if (name.endsWith("csrf")) victim.jar.set(name, value)
    // It is good where it was given, so that it is not refused for something else.
    assert.strictEqual((yield* attacker.send("POST", "/pay", { "x-csrf-token": token })).status, 200)
    assert.strictEqual((yield* victim.send("POST", "/pay", { "x-csrf-token": token })).status, 403)
  })

const tied = "the login that the cookie is signed with: 403"

attacks("CSRF with a cookie that was planted", [
  { attack: "the cookie and token of a visitor, in a login", stoppedBy: tied, run: planted(logins, [], ["/login"]) },
  { attack: "those of another login, in a login", stoppedBy: tied, run: planted(logins, ["/login"], ["/login"]) },
  {
    attack: "those of a login, after the logout",
    stoppedBy: tied,
    run: planted(logins, ["/login"], ["/login", "/logout"])
  },
  {
    attack: "those of a visitor, in a session that knows no identity",
    stoppedBy: "the session that the cookie is signed with: 403",
    run: planted(carts, [], ["/login"])
  },
  {
    attack: "a cookie that was planted before the login, which a page takes over with the login",
    stoppedBy: "a secret of before the login is not taken along",
    run: Effect.gen(function* () {
      const [attacker, victim] = [yield* browser(logins), yield* browser(logins)]
      const token = (yield* attacker.get("/token", "eve")).text
      for (const [name, value] of attacker.jar) victim.jar.set(name, value)
      for (const path of ["/token", "/login", "/token"]) yield* victim.get(path)
      assert.strictEqual((yield* victim.send("POST", "/pay", { "x-csrf-token": token })).status, 403)
    })
  }
])
