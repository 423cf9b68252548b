/**
 * A login at a real provider: the way there and back, who it is then, and the logout.
 */
import { afterAll, assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Cookies from "effect/http/Cookies"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type * as HttpError from "../../src/HttpError.ts"
import * as Oidc from "../../src/handlers/Oidc.ts"
import type * as Session from "../../src/Session.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { run } from "../run.ts"
import * as Sources from "../sources.ts"
import * as FaultyProvider from "./faultyProvider.ts"
import { appOf, begin, loginAt, options, type Visit, whoIs } from "./oidcApp.ts"
import * as Provider from "./oidcProvider.ts"

const scope = Scope.makeUnsafe()
const issuer = await Effect.runPromise(Scope.provide(Provider.start, scope))
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const app = appOf(options(issuer))
const sessionOf = (client: Testing.Client) =>
  Effect.map(Ref.get(client.cookies), (all) => all.find(({ name }) => name === "session")?.value)

describe("a login", () => {
  it.effect("may be under way in several tabs", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(app)
      const one = yield* loginAt(client, "/auth/login?return_to=/one")
      const two = yield* loginAt(client, "/auth/login?return_to=/two")
      assert.strictEqual((yield* client.get(one)).headers.location, "/one")
      assert.strictEqual((yield* client.get(two)).headers.location, "/two")
    })
  )

  for (const [place, host, prefix] of [
    ["over http", "app.test", "oidc-"],
    ["where it is secure", "app.example.com", "__Host-oidc-"]
  ] as const) {
    it.effect(`keeps no more than six in a browser ${place}`, () =>
      Effect.gen(function* () {
        const client = yield* Testing.client(app)
        const cookie = Array.from({ length: 5 }, (_, at) => `${prefix}${at}=x`).join("; ")
        const { cookies } = yield* client.get("/auth/login", { headers: { host, cookie } })
        const all = Object.values(cookies.cookies)
        const gone = all.filter(({ options }) => options?.maxAge !== undefined)
        assert.deepStrictEqual(
          gone.map(({ name, options }) => [name, options?.secure === true]),
          Array.from({ length: 5 }, (_, at) => [`${prefix}${at}`, prefix !== "oidc-"])
        )
        assert.lengthOf(all, 6)
      })
    )
  }

  for (const [place, make] of [
    ["in memory", Testing.client(app)],
    ["on a socket", Testing.socketClient(app)]
  ] as const) {
    it.effect(`gives the session its identity and another id, and keeps its data ${place}`, () =>
      Effect.gen(function* () {
        const client = yield* make
        assert.strictEqual(yield* whoIs(client), "nobody 1")
        const before = yield* sessionOf(client)
        const { headers, status } = yield* client.get(yield* loginAt(client))
        assert.strictEqual(status, 303)
        assert.strictEqual(headers.location, "/")
        assert.strictEqual(headers["cache-control"], "no-store")
        assert.strictEqual(yield* whoIs(client), "ada 2")
        assert.notStrictEqual(yield* sessionOf(client), before)
        assert.notMatch(JSON.stringify(yield* Ref.get(client.cookies)), /"oidc-/)
      })
    )
  }

  it.effect("asks for a code with PKCE, a state and a nonce that are new each time", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(
        appOf(options(issuer, { scope: "openid email", parameters: { prompt: "login", ui_locales: "de" } }))
      )
      const [one, two] = [yield* begin(client), yield* begin(client)]
      assert.strictEqual(one.origin, issuer)
      const { code_challenge, nonce, state, ...rest } = Object.fromEntries(one.searchParams)
      assert.deepStrictEqual(rest, {
        client_id: "app",
        response_type: "code",
        scope: "openid email",
        prompt: "login",
        ui_locales: "de",
        redirect_uri: "http://app.test/auth/callback",
        code_challenge_method: "S256"
      })
      for (const [name, value] of Object.entries({ code_challenge, nonce, state })) {
        assert.match(value ?? "", /^[\w-]{43}$/)
        assert.notStrictEqual(two.searchParams.get(name), value)
      }
    })
  )

  it.effect("comes back to the origin of the request, where none is given", () =>
    Effect.gen(function* () {
      const { origin: _, ...rest } = options(issuer)
      const client = yield* Testing.client(appOf(rest))
      const { searchParams } = yield* begin(client)
      assert.strictEqual(searchParams.get("redirect_uri"), `${client.url}/auth/callback`)
    })
  )

  it.effect("goes on to where it was begun for", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(app)
      const { headers } = yield* client.get(yield* loginAt(client, "/auth/login?return_to=%2Forders%3Fpage%3D2%23top"))
      assert.strictEqual(headers.location, "/orders?page=2#top")
    })
  )

  it.effect("sets a cookie for ten minutes, with the prefix of its host where it is secure", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(app)
      const { cookies } = yield* client.get("/auth/login", { headers: { host: "app.example.com" } })
      const [[name, cookie] = []] = Object.entries(cookies.cookies)
      assert.match(name ?? "", /^__Host-oidc-[\w-]{8}$/)
      assert.deepInclude(cookie?.options, { httpOnly: true, secure: true, sameSite: "lax", path: "/" })
      const back = yield* loginAt(client)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* client.get(back)).status, 400)
    })
  )

  it.effect("tells who it is, by the ID token and by the provider", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const onLogin = Effect.fnUntraced(function* (login: Oidc.Login) {
        assert.isUndefined(login.refreshToken)
        seen.push(login.claims, yield* Effect.orDie(login.userInfo), String(login.accessToken), String(login.idToken))
        return login.claims.sub
      })
      const client = yield* Testing.client(
        appOf(options(issuer, { onLogin, scope: "openid email", clientAuth: "basic" }))
      )
      yield* client.get(yield* loginAt(client, "/auth/login", "grace"))
      const [claims, info, ...tokens] = seen
      assert.deepInclude(claims, { iss: issuer, sub: "grace", aud: "app" })
      assert.deepStrictEqual(info, { sub: "grace", email: "grace@id.test" })
      assert.deepStrictEqual(tokens, ["<redacted:accessToken>", "<redacted:idToken>"])
    })
  )

  it.effect("of who is not known here is a 403, and the session stays as it was", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(appOf(options(issuer, { onLogin: () => Effect.undefined })))
      const { json, status } = yield* client.get(yield* loginAt(client))
      assert.strictEqual(status, 403)
      assert.deepInclude(yield* json, { detail: "You are not known here" })
      assert.strictEqual(yield* whoIs(client), "nobody 1")
    })
  )
})

it.effect("examples/43-oidc-login.ts sends to the login, and back to where one wanted to go", () =>
  Effect.gen(function* () {
    process.env.OIDC_ISSUER = issuer
    const { app } = yield* Effect.promise(() => import("../../examples/43-oidc-login.ts"))
    const client = yield* Testing.client(app)
    const { headers } = yield* client.get("/?page=2")
    const back = yield* client.get(yield* loginAt(client, headers.location))
    assert.strictEqual(back.headers.location, "/?page=2")
    assert.include(yield* (yield* client.get("/?page=2")).text, "Hello, ada")
    yield* client.post("/auth/logout")
    assert.strictEqual((yield* client.get("/")).status, 303)
  })
)

/** A login at a provider of a test's own: what it is told, and what it answers. */
const loginAtOther = Effect.fnUntraced(function* (
  more: (url: string) => Parameters<typeof appOf>[0],
  answer: Readonly<Record<string, unknown>> = {}
) {
  const { faults, url } = yield* FaultyProvider.start
  const client = yield* Testing.client(appOf(more(url)))
  const { searchParams } = yield* begin(client)
  faults.claims = { nonce: searchParams.get("nonce") }
  faults.more = answer
  const { cookies, status } = yield* client.get(`/auth/callback?code=a&state=${searchParams.get("state")}`)
  assert.strictEqual(status, 303)
  return { client, cookies, came: faults.came }
})

describe("a provider", () => {
  it.effect("gets the secret in the head, encoded, or in the body, or none", () =>
    Effect.gen(function* () {
      const secret = Redacted.value(Provider.client.clientSecret)
      const head = (yield* loginAtOther((url) => options(url))).came
      const [, sent = ""] = Buffer.from(head?.authorization?.slice("Basic ".length) ?? "", "base64")
        .toString()
        .split(":")
      assert.strictEqual(new URLSearchParams(`secret=${sent}`).get("secret"), secret)
      assert.notStrictEqual(sent, secret)
      assert.notProperty(head?.form, "client_secret")
      const body = (yield* loginAtOther((url) => options(url, { clientAuth: "post" }))).came
      assert.deepInclude(body?.form, { client_id: "app", client_secret: secret })
      assert.isUndefined(body?.authorization)
      const publicly = (url: string) => {
        const { clientSecret: _, ...rest } = options(url)
        return rest
      }
      const none = (yield* loginAtOther(publicly)).came
      assert.isUndefined(none?.authorization)
      assert.notProperty(none?.form, "client_secret")
      assert.match(String(none?.form.code_verifier), /^[\w-]{43}$/)
    })
  )

  it.effect("may give a refresh token, and have nothing to tell of somebody", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const onLogin = Effect.fnUntraced(function* (login: Oidc.Login) {
        const { status, text } = yield* Effect.flip(login.userInfo)
        seen.push(`${status} ${text}`, Redacted.value(login.refreshToken!), String(login.refreshToken))
        return login.claims.sub
      }, Effect.orDie)
      yield* loginAtOther((url) => options(url, { onLogin }), { refresh_token: "rt" })
      assert.deepStrictEqual(seen, ["502 The login provider gave no valid answer", "rt", "<redacted:refreshToken>"])
    })
  )

  it.effect("may know no logout: then one goes home", () =>
    Effect.gen(function* () {
      const { client } = yield* loginAtOther((url) => options(url, { logoutAtProvider: true }))
      assert.strictEqual((yield* client.post("/auth/logout")).headers.location, "/")
    })
  )

  it.effect("leaves it to this server whether the session is kept when the browser is closed", () =>
    Effect.gen(function* () {
      const maxAge = (cookies: Cookies.Cookies) => cookies.cookies.session?.options?.maxAge
      assert.isUndefined(maxAge((yield* loginAtOther((url) => options(url))).cookies))
      assert.isDefined(maxAge((yield* loginAtOther((url) => options(url, { remember: true }))).cookies))
    })
  )
})

describe("a logout", () => {
  it.effect("forgets the session", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(appOf(options(issuer, { home: "/bye" })))
      yield* client.get(yield* loginAt(client))
      assert.strictEqual(yield* whoIs(client), "ada 1")
      const { headers, status } = yield* client.post("/auth/logout")
      assert.strictEqual(status, 303)
      assert.strictEqual(headers.location, "/bye")
      assert.strictEqual(yield* whoIs(client), "nobody 1")
    })
  )

  it.effect("goes on to the provider where that is wanted", () =>
    Effect.gen(function* () {
      const client = yield* Testing.client(appOf(options(issuer, { logoutAtProvider: true })))
      const { headers } = yield* client.post("/auth/logout")
      const url = new URL(headers.location ?? "")
      assert.strictEqual(url.origin + url.pathname, `${issuer}/session/end`)
      assert.deepStrictEqual(Object.fromEntries(url.searchParams), {
        client_id: "app",
        post_logout_redirect_uri: "http://app.test/"
      })
    })
  )
})

it.effect("a provider that does not answer is a 503 with Retry-After", () =>
  Effect.gen(function* () {
    const secure = yield* Testing.client(appOf(options("https://127.0.0.1:1")))
    assert.strictEqual((yield* secure.get("/auth/login")).status, 503)
    const client = yield* Testing.client(appOf(options("http://127.0.0.1:1")))
    for (let round = 0; round < 2; round++) {
      const { headers, json, status } = yield* client.get("/auth/login")
      assert.strictEqual(status, 503)
      assert.strictEqual(headers["retry-after"], "10")
      assert.deepInclude(yield* json, { detail: "The login provider does not answer" })
    }
  })
)

describe("a wrong declaration is refused when it is made", () => {
  const at = (issuer: string, more = {}) => Oidc.make(options(issuer, more))
  it.each<[name: string, make: () => unknown, says: RegExp]>([
    ["an issuer that is no URL", () => at("id.test"), /"id.test" is no URL; give one/],
    ["an issuer over http", () => at("http://id.test"), /can be changed on its way; give an https URL, or/],
    ["an origin with a path", () => at(issuer, { origin: "https://a.test/app" }), /is no origin; give one, as/],
    ["an origin that is none", () => at(issuer, { origin: "a.test" }), /is no origin; give one, as "https:/],
    ["a home elsewhere", () => at(issuer, { home: "https://a.test/" }), /is no path of this server/],
    ["a scope without openid", () => at(issuer, { scope: "email" }), /needs "openid" in it/],
    ["a cookie with a prefix", () => at(issuer, { cookie: "__Host-a" }), /has a name that no cookie can have/]
  ])("%s", (_, make, says) => assert.throws(make, says))

  it("an issuer over http may be meant", () => {
    at("http://keycloak:8080/realms/app", { insecure: true })
  })
})

it.live("without openid-client a login dies, and says how to install it", () =>
  Effect.gen(function* () {
    const program = `
      import { registerHooks } from "node:module"
      registerHooks({ resolve: (name, context, next) => {
        if (name === "openid-client") throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" })
        return next(name, context)
      } })
      const { make } = await import("${Sources.root}src/internal/oidc/provider.ts")
      const { Effect, Cause } = await import("effect")
      const exit = await Effect.runPromiseExit(make({ issuer: "https://id.test", clientId: "a" }, 1).get)
      console.log(Cause.pretty(exit.cause).split("\\n")[0])
    `
    const { output } = yield* run(process.execPath, ["--input-type=module", "-e", program], Sources.root)
    assert.include(output, "effect-web's Oidc is made of the package openid-client: npm i openid-client")
  })
)

it("the type says what may fail and what is needed", () => {
  const login = Oidc.make(options<HttpError.Conflict>(issuer))
  type Failures = HttpError.BadGateway | HttpError.BadRequest | HttpError.Forbidden | HttpError.ServiceUnavailable
  expectTypeOf(login["~E"]).toEqualTypeOf<Failures | HttpError.Conflict | Session.SessionError>()
  expectTypeOf(login["~R"]).toEqualTypeOf<Visit>()
})
