/**
 * Who asks: what each scheme takes, what it refuses and how it says so, and what the middleware makes of it.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as App from "../../src/App.ts"
import type { Engine } from "../../src/Handler.ts"
import * as HttpError from "../../src/HttpError.ts"
import * as Middleware from "../../src/Middleware.ts"
import * as Auth from "../../src/middleware/Auth.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import { answer, type Sent } from "../apps.ts"
import { recorder } from "../server/both.ts"

interface User {
  readonly name: string
}
class CurrentUser extends Context.Service<CurrentUser, User>()("app/CurrentUser") {}
class Visitor extends Context.Service<Visitor, User | undefined>()("app/Visitor") {}
class Users extends Context.Service<
  Users,
  { readonly byToken: (token: string) => Effect.Effect<User | undefined, Down> }
>()("app/Users") {}
class Down extends HttpError.define<Down>()("Down", { status: 503 }) {}

const hello = Effect.map(CurrentUser, ({ name }) => Response.text(`Hello, ${name}`))
const whoever = Effect.map(Visitor, (user) => Response.text(`Hello, ${user?.name ?? "whoever you are"}`))

const byToken = (token: Redacted.Redacted<string>) =>
  Effect.sync(() => (Auth.equals(token, "t-ada") ? { name: "Ada" } : undefined))
const byPassword = ({ password, username }: Auth.UserPass) =>
  Effect.sync(() => (Auth.equals(password, "geheim: ä") ? { name: username } : undefined))

const bearer = Auth.bearer(byToken)
const basic = Auth.basic(byPassword)
const apiKey = Auth.apiKey(byToken, { header: "X-Api-Key" })

const protectedBy = (scheme: Auth.Scheme<User>) =>
  App.make({ me: Route.get("/", hello) }).pipe(App.use(Auth.require(CurrentUser, scheme)))

const basicOf = (text: string | Uint8Array) => ({ authorization: `Basic ${Base64.encode(text)}` })

type Row = readonly [name: string, headers: Record<string, string>, says: number | string]

/** A name is "Hello, name"; a text else is the challenge of a 401. */
const rows = (scheme: Auth.Scheme<User>, table: ReadonlyArray<Row>): void => {
  for (const [name, headers, says] of table) {
    it.effect(`${name}: ${says}`, () =>
      Effect.gen(function* () {
        const { headers: head, status, text } = yield* answer(protectedBy(scheme), "GET /", { headers })
        if (text.startsWith("Hello")) return assert.strictEqual(text, says)
        assert.strictEqual(status, 401)
        assert.strictEqual(head["www-authenticate"], says)
      })
    )
  }
}

// "This scheme MUST be followed by one or more auth-param values" (RFC 6750 §3)
const asksBearer = 'Bearer realm="Restricted"'
const invalid = `${asksBearer}, error="invalid_token"`
const asks = 'Basic realm="Restricted", charset="UTF-8"'

describe("bearer", () => {
  rows(bearer, [
    ["a token", { authorization: "Bearer t-ada" }, "Hello, Ada"],
    ["the scheme in another case", { authorization: "bEARER t-ada" }, "Hello, Ada"],
    ["several spaces", { authorization: "Bearer   t-ada" }, "Hello, Ada"],
    ["no credentials", {}, asksBearer],
    ["another scheme", basicOf("ada:t-ada"), asksBearer],
    ["a scheme that begins alike", { authorization: "Bearers t-ada" }, asksBearer],
    ["an unknown token", { authorization: "Bearer t-bob" }, invalid],
    ["a token that goes on", { authorization: "Bearer t-ada2" }, invalid],
    ["a token that ends early", { authorization: "Bearer t-ad" }, invalid],
    ["no token", { authorization: "Bearer" }, invalid],
    ["two tokens", { authorization: "Bearer t-ada t-ada" }, invalid],
    ["two fields in one", { authorization: "Bearer t-ada, Bearer t-ada" }, invalid],
    ["a token in quotes", { authorization: 'Bearer "t-ada"' }, invalid],
    ["a tab after the scheme", { authorization: "Bearer\tt-ada" }, asksBearer],
    ["letters beyond ASCII", { authorization: "Bearer t-adä" }, invalid],
    ["a token of 10,000 letters", { authorization: `Bearer ${"a".repeat(10_000)}` }, invalid]
  ])

  it.effect("names its realm, and the text of a refusal", () => {
    const scheme = Auth.bearer(() => Effect.fail(new HttpError.Unauthorized({ text: 'The "token" is für \\ Bob' })), {
      realm: 'the "api"'
    })
    return Effect.gen(function* () {
      const none = yield* answer(protectedBy(scheme), "GET /")
      assert.strictEqual(none.headers["www-authenticate"], 'Bearer realm="the \\"api\\""')
      const sent = { headers: { authorization: "Bearer x" } }
      const refused = yield* answer(protectedBy(scheme), "GET /", sent)
      const description = `error_description="The 'token' is f?r ' Bob"`
      assert.strictEqual(
        refused.headers["www-authenticate"],
        `Bearer realm="the \\"api\\"", error="invalid_token", ${description}`
      )
      assert.strictEqual(JSON.parse(refused.text).detail, 'The "token" is für \\ Bob')
    })
  })

  it.effect("leaves a refusal as it is that has challenges of its own", () => {
    const challenges = ['Bearer error="insufficient_user_authentication", max_age="5"']
    const scheme = Auth.bearer(() => Effect.fail(new HttpError.Unauthorized({ challenges })))
    return Effect.gen(function* () {
      const { headers } = yield* answer(protectedBy(scheme), "GET /", { headers: { authorization: "Bearer x" } })
      assert.strictEqual(headers["www-authenticate"], challenges[0])
    })
  })
})

describe("basic", () => {
  rows(basic, [
    ["a password with a colon and an umlaut", basicOf("Ada:geheim: ä"), "Hello, Ada"],
    ["a name beyond ASCII", basicOf("Åsa:geheim: ä"), "Hello, Åsa"],
    ["an empty name", basicOf(":geheim: ä"), "Hello, "],
    ["no credentials", {}, asks],
    ["another scheme", { authorization: "Bearer t-ada" }, asks],
    ["a wrong password", basicOf("Ada:x"), asks],
    ["an empty password", basicOf("Ada:"), asks],
    ["no colon", basicOf("Ada"), asks],
    ["a password in Latin-1", basicOf(Uint8Array.from("Ada:geheim: ä", (c) => c.charCodeAt(0))), asks],
    ["a control character in the name", basicOf("A\nda:geheim: ä"), asks],
    ["a control character in the password", basicOf("Ada:geheim: ä\0"), asks],
    ["a byte order mark is part of the name", basicOf("\uFEFFAda:geheim: ä"), "Hello, \uFEFFAda"],
    ["no base64", { authorization: "Basic Ada:x" }, asks],
    ["base64 without its padding", { authorization: "Basic QWRhOng" }, asks],
    ["base64url", { authorization: "Basic QWRhOi_-" }, asks],
    ["nothing after the scheme", { authorization: "Basic" }, asks],
    ["two fields in one", { authorization: `${basicOf("Ada:x").authorization}, Basic QWRhOng=` }, asks]
  ])

  it.effect("names its realm", () =>
    Effect.map(answer(protectedBy(Auth.basic(byPassword, { realm: "Cellar" })), "GET /"), ({ headers }) =>
      assert.strictEqual(headers["www-authenticate"], 'Basic realm="Cellar", charset="UTF-8"')
    )
  )
})

describe("API key", () => {
  const inHeader = 'ApiKey in="header", name="x-api-key"'
  const inCookie = 'ApiKey in="cookie", name="key"'
  rows(apiKey, [
    ["a key in a header", { "x-api-key": "t-ada" }, "Hello, Ada"],
    ["no key", {}, inHeader],
    ["an empty key", { "x-api-key": "" }, inHeader],
    ["an unknown key", { "x-api-key": "t-bob" }, inHeader],
    ["two fields", { "x-api-key": "t-ada, t-ada" }, inHeader]
  ])
  rows(Auth.apiKey(byToken, { cookie: "key" }), [
    ["a key in a cookie", { cookie: "a=b; key=t-ada" }, "Hello, Ada"],
    ["no cookie", { cookie: "a=b" }, inCookie]
  ])

  it.effect.each<[query: string, status: number]>([
    ["?key=t-ada", 200],
    ["?key=t%2Dada", 200],
    ["?key=", 401],
    ["?key=t-bob", 401],
    ["?key=t-ada&key=t-ada", 401],
    ["?key=t-ada&key=", 200],
    ["?Key=t-ada", 401],
    ["", 401]
  ])("in the query, %s: %s", ([query, status]) =>
    Effect.map(answer(protectedBy(Auth.apiKey(byToken, { query: "key", realm: "q" })), `GET /${query}`), (answered) => {
      assert.strictEqual(answered.status, status)
      const wanted = status === 200 ? undefined : 'ApiKey realm="q", in="query", name="key"'
      assert.strictEqual(answered.headers["www-authenticate"], wanted)
    })
  )
})

describe("session", () => {
  class Visit extends Context.Service<Visit, { readonly identity: Effect.Effect<Option.Option<string>> }>()("Visit") {}
  const scheme = Auth.session(Visit, (id) => Effect.succeed(id === "ada" ? { name: "Ada" } : undefined))
  const asked = (identity: Option.Option<string>) =>
    answer(
      App.make({
        me: Route.get("/", hello).pipe(Route.use(Auth.require(CurrentUser, scheme))),
        home: Route.get("/home", whoever).pipe(Route.use(Auth.optional(Visitor, scheme)))
      }).pipe(App.use(Middleware.provide(Visit, Effect.succeed({ identity: Effect.succeed(identity) })))),
      "GET /home"
    )

  it.effect("finds the principal of the identity", () =>
    Effect.map(asked(Option.some("ada")), ({ text }) => assert.strictEqual(text, "Hello, Ada"))
  )
  for (const [name, identity] of [
    ["without an identity", Option.none()],
    ["of who was deleted", Option.some("bob")]
  ] as const) {
    it.effect(`takes a session ${name} for none`, () =>
      Effect.map(asked(identity), ({ text }) => assert.strictEqual(text, "Hello, whoever you are"))
    )
  }
})

describe("any", () => {
  const all = Auth.any([bearer, basic, apiKey])
  const key = 'ApiKey in="header", name="x-api-key"'
  rows(all, [
    ["no credentials", {}, `${asksBearer}, ${asks}, ${key}`],
    ["the first", { authorization: "Bearer t-ada" }, "Hello, Ada"],
    ["the last", { "x-api-key": "t-ada" }, "Hello, Ada"],
    ["a refused one and an accepted one", { authorization: "Bearer x", "x-api-key": "t-ada" }, "Hello, Ada"],
    ["a refused one", { authorization: "Bearer x" }, `${invalid}, ${asks}, ${key}`],
    ["two refused ones", { authorization: "Bearer x", "x-api-key": "y" }, `${invalid}, ${asks}, ${key}`]
  ])

  it.effect("tries two schemes of the same field in turn", () => {
    const other = Auth.bearer((token) => Effect.succeed(Auth.equals(token, "t-bob") ? { name: "Bob" } : undefined))
    return Effect.gen(function* () {
      const app = protectedBy(Auth.any([bearer, other]))
      const { text } = yield* answer(app, "GET /", { headers: { authorization: "Bearer t-bob" } })
      assert.strictEqual(text, "Hello, Bob")
      assert.strictEqual((yield* answer(app, "GET /")).headers["www-authenticate"], asksBearer)
    })
  })

  it.effect("gives the challenge of a scheme of one's own, whose refusal has none", () => {
    const own = Auth.make({ challenge: 'Own realm="x"', authenticate: Effect.fail(new HttpError.Unauthorized()) })
    return Effect.map(answer(protectedBy(Auth.any([bearer, own])), "GET /"), ({ headers, status }) => {
      assert.strictEqual(status, 401)
      assert.strictEqual(headers["www-authenticate"], `${asksBearer}, Own realm="x"`)
    })
  })

  it.effect("keeps the text of the first refusal", () => {
    const tells = Auth.apiKey(() => Effect.fail(new HttpError.Unauthorized({ text: "Revoked" })), {
      header: "x-api-key"
    })
    return Effect.map(
      answer(protectedBy(Auth.any([bearer, tells])), "GET /", { headers: { "x-api-key": "y" } }),
      ({ headers, text }) => {
        assert.strictEqual(JSON.parse(text).detail, "Revoked")
        assert.strictEqual(headers["www-authenticate"], `${asksBearer}, ${key}`)
      }
    )
  })
})

describe("what was the cause of a refusal is logged at debug", () => {
  const refused = Auth.bearer(() => Effect.fail(new HttpError.Unauthorized({ cause: new Error("revoked by hand") })))
  for (const [name, scheme] of [
    ["of a scheme", refused],
    ["of the first of several", Auth.any([refused, apiKey])]
  ] as const) {
    it.effect(name, () => {
      const log = recorder()
      return Effect.gen(function* () {
        const { status } = yield* answer(protectedBy(scheme), "GET /", { headers: { authorization: "Bearer x" } })
        assert.strictEqual(status, 401)
        assert.deepStrictEqual(log.logs, ["Debug The handler failed with 401 Unauthorized (GET /)"])
      }).pipe(Effect.provide(log.layer))
    })
  }
})

describe("optional", () => {
  const app = App.make({ home: Route.get("/", whoever) }).pipe(
    App.use(Auth.optional(Visitor, Auth.any([bearer, basic])))
  )
  it.effect.each<[headers: Record<string, string>, status: number, says: string]>([
    [{}, 200, "Hello, whoever you are"],
    [{ authorization: "Bearer t-ada" }, 200, "Hello, Ada"],
    [{ authorization: "Digest x" }, 200, "Hello, whoever you are"],
    [{ authorization: "Bearer x" }, 401, ""],
    [{ authorization: "Basic x" }, 401, ""]
  ])("%j is %s", ([headers, status, says]) =>
    Effect.map(answer(app, "GET /", { headers }), (answered) => {
      assert.strictEqual(answered.status, status)
      assert.include(answered.text, says)
    })
  )
})

describe("permit", () => {
  const of = (check: (user: User) => boolean | Effect.Effect<boolean, HttpError.NotFound>) =>
    App.make({ me: Route.get("/", hello) }).pipe(
      App.use(Auth.permit(CurrentUser, check, { text: "Only for Ada" })),
      App.use(Auth.require(CurrentUser, basic))
    )
  const asAda: Sent = { headers: basicOf("Ada:geheim: ä") }
  const asBob: Sent = { headers: basicOf("Bob:geheim: ä") }
  for (const [name, check] of [
    ["a predicate", (user: User) => user.name === "Ada"],
    ["an effect", (user: User) => Effect.succeed(user.name === "Ada")]
  ] as const) {
    it.effect(`lets pass by ${name}`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* answer(of(check), "GET /", asAda)).text, "Hello, Ada")
        const refused = yield* answer(of(check), "GET /", asBob)
        assert.strictEqual(refused.status, 403)
        assert.strictEqual(JSON.parse(refused.text).detail, "Only for Ada")
        assert.strictEqual((yield* answer(of(check), "GET /")).status, 401)
      })
    )
  }
  it.effect("fails as its check does", () =>
    Effect.map(
      answer(
        of(() => Effect.fail(new HttpError.NotFound())),
        "GET /",
        asAda
      ),
      ({ status }) => assert.strictEqual(status, 404)
    )
  )
})

describe("equals", () => {
  const texts = ["", "a", "b", "ab", "aa", "abab", "ä", "aä", "\0", "a\0"]
  it("is true for the same text alone", () => {
    for (const a of texts) {
      for (const b of texts) {
        assert.strictEqual(Auth.equals(Redacted.make(a), b), a === b, JSON.stringify([a, b]))
        assert.strictEqual(Auth.equals(a, Redacted.make(b)), a === b, JSON.stringify([a, b]))
      }
    }
  })
})

describe("a wrong declaration is refused when it is made", () => {
  it.each<[name: string, make: () => unknown, says: RegExp]>([
    ["a realm with a line break", () => Auth.bearer(byToken, { realm: "a\nb" }), /cannot be quoted/],
    ["an empty header name", () => Auth.apiKey(byToken, { header: "" }), /"" is no name of a header; give one/],
    ["a header name with a space", () => Auth.apiKey(byToken, { header: "x y" }), /"x y" is no name of a header/],
    ["a cookie name with a semicolon", () => Auth.apiKey(byToken, { cookie: "a;b" }), /"a;b" is no name of a cookie/],
    ["an empty name in the query", () => Auth.apiKey(byToken, { query: "" }), /"" is no name of a query/],
    ["no schemes", () => Auth.any([]), /give one or more/],
    ["no challenge", () => Auth.make({ challenge: "", authenticate: Effect.undefined }), /"" is no challenge/],
    [
      "a challenge with a line break",
      () => Auth.make({ challenge: "A b\r\nc", authenticate: Effect.undefined }),
      /is no challenge/
    ]
  ])("%s", (_, make, says) => assert.throws(make, says))
})

describe("types", () => {
  const scheme = Auth.bearer((token) => Users.use((users) => users.byToken(Redacted.value(token))), { errors: [Down] })

  it("a scheme says what it finds, fails with and needs", () => {
    expectTypeOf(scheme).toEqualTypeOf<Auth.Scheme<User, Down, Users>>()
    expectTypeOf(Auth.any([scheme, basic])).toEqualTypeOf<Auth.Scheme<User | { name: string }, Down, Users>>()
  })

  it("the middleware provides the principal, adds the failures, and needs what the scheme needs", () => {
    expectTypeOf(Auth.require(CurrentUser, scheme)).toEqualTypeOf<
      Middleware.Middleware<CurrentUser, HttpError.Unauthorized | Down, Users>
    >()
    expectTypeOf(Auth.optional(Visitor, basic)).toEqualTypeOf<
      Middleware.Middleware<Visitor, HttpError.Unauthorized, never>
    >()
    expectTypeOf(Auth.permit(CurrentUser, () => true)).toEqualTypeOf<
      Middleware.Middleware<never, HttpError.Forbidden, CurrentUser>
    >()
  })

  it("tells the classes of the failures as values", () => {
    assert.deepStrictEqual(Auth.require(CurrentUser, scheme).errors, [HttpError.Unauthorized, Down])
    assert.deepStrictEqual(Auth.optional(Visitor, Auth.any([basic, scheme])).errors, [HttpError.Unauthorized, Down])
    assert.deepStrictEqual(Auth.permit(CurrentUser, () => true, { errors: [Down] }).errors, [HttpError.Forbidden, Down])
  })

  it("a principal of another type is refused", () => {
    const numbers = Auth.bearer(() => Effect.succeed(1))
    // @ts-expect-error: number is no User
    Auth.require(CurrentUser, numbers)
    // @ts-expect-error: the service cannot be undefined
    Auth.optional(CurrentUser, bearer)
  })

  it("a handler keeps its need without the middleware", () => {
    const app = App.make({ me: Route.get("/", hello) })
    expectTypeOf(app["~R"]).toEqualTypeOf<CurrentUser>()
    expectTypeOf(app.pipe(App.use(Auth.require(CurrentUser, basic)))["~R"]).toEqualTypeOf<never>()
    expectTypeOf<Exclude<Engine, never>>().toEqualTypeOf<Engine>()
  })
})

served(
  "an app with required and optional users",
  App.make({
    home: Route.get("/", whoever).pipe(Route.use(Auth.optional(Visitor, bearer))),
    me: Route.get("/me", hello).pipe(Route.use(Auth.require(CurrentUser, Auth.any([bearer, basic]))))
  }),
  (client) =>
    Effect.gen(function* () {
      const as = (authorization: string) => ({ headers: { authorization } })
      assert.strictEqual(yield* (yield* client.get("/")).text, "Hello, whoever you are")
      assert.strictEqual(yield* (yield* client.get("/me", as("Bearer t-ada"))).text, "Hello, Ada")
      const refused = yield* client.get("/me", as("Bearer t-bob"))
      assert.strictEqual(refused.status, 401)
      assert.strictEqual(refused.headers["www-authenticate"], `${invalid}, ${asks}`)
    })
)

served(
  "an app whose answers depend on credentials",
  App.make({
    home: Route.get("/", whoever).pipe(Route.use(Auth.optional(Visitor, Auth.any([bearer, basic, apiKey])))),
    gone: Route.get("/gone", Effect.fail(new HttpError.Gone())).pipe(Route.use(Auth.optional(Visitor, apiKey))),
    cookie: Route.get("/cookie", hello).pipe(
      Route.use(Auth.require(CurrentUser, Auth.apiKey(byToken, { cookie: "k" })))
    ),
    query: Route.get("/query", hello).pipe(Route.use(Auth.require(CurrentUser, Auth.apiKey(byToken, { query: "k" }))))
  }),
  (client) =>
    Effect.gen(function* () {
      const vary = (path: string) => Effect.map(client.get(path), ({ headers }) => headers.vary)
      assert.strictEqual(yield* vary("/"), "authorization, x-api-key")
      assert.include(yield* vary("/gone"), "x-api-key")
      assert.include(yield* vary("/cookie"), "cookie")
      assert.isUndefined(yield* vary("/query?k=t-ada"))
    })
)
