/**
 * Which tokens count, by their keys, their claims and the time; what an issuer is asked; and what is signed.
 */
import { inspect } from "node:util"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Jose from "jose"
import * as App from "../../src/App.ts"
import type * as HttpError from "../../src/HttpError.ts"
import * as Auth from "../../src/middleware/Auth.ts"
import * as Jwt from "../../src/middleware/Jwt.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import { served } from "../../src/testing/Served.ts"
import { answer } from "../apps.ts"
import { by, certified, claims, otherSecret, pair, secret, signed } from "./tokens.ts"

const keys = Jwt.secret(secret)
const verify = Jwt.verify({ keys, issuer: "https://id.test", audience: "api" })

/** The text of a refusal, or the subject of a token that counts. */
const says = <A extends { readonly sub?: string }>(
  verify: Jwt.Verifier<A, HttpError.Unauthorized, never>,
  token: Redacted.Redacted<string>
) =>
  verify(token).pipe(
    Effect.map((claims) => claims.sub),
    Effect.catch((error) => Effect.succeed(error.text))
  )

describe("claims", () => {
  const without = (name: keyof typeof claims) => ({ ...claims, [name]: undefined })
  it.effect.each<[name: string, payload: object, says: string, at?: Duration.Input]>([
    ["a token", claims, "ada"],
    ["for several", { ...claims, aud: ["web", "api"] }, "ada"],
    ["for somebody else", { ...claims, aud: "web" }, "The claim aud of the token is not accepted"],
    ["for nobody", without("aud"), "The claim aud of the token is missing"],
    ["for an object", { ...claims, aud: { api: true } }, "The claim aud of the token is not accepted"],
    ["of another issuer", { ...claims, iss: "https://id.test.evil" }, "The claim iss of the token is not accepted"],
    ["of no issuer", without("iss"), "The claim iss of the token is missing"],
    ["without an end", without("exp"), "The claim exp of the token is missing"],
    ["with a text for an end", { ...claims, exp: "never" }, "The claim exp of the token is not accepted"],
    ["in its last second", claims, "ada", "1 hour"],
    ["within the tolerance", claims, "ada", "3609 seconds"],
    ["after its end", claims, "The token has expired", "3610 seconds"],
    ["within the tolerance before its beginning", { ...claims, nbf: 10 }, "ada"],
    ["before its beginning", { ...claims, nbf: 11 }, "The token is not valid yet"],
    ["at its beginning", { ...claims, nbf: 11 }, "ada", "1 second"]
  ])("%s %j: %s", ([, payload, wanted, at = 0]) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(at)
      assert.strictEqual(yield* says(verify, yield* signed(payload)), wanted)
    })
  )

  it.effect("a token without an end counts where it may, and no longer than it may be old", () => {
    const old = Jwt.verify({ keys, requireExpiry: false, maxAge: "1 day", clockTolerance: 0 })
    return Effect.gen(function* () {
      const token = yield* signed({ sub: "ada", iat: 0 })
      yield* TestClock.adjust("1 day")
      assert.strictEqual(yield* says(old, token), "ada")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* says(old, token), "The token has expired")
      assert.strictEqual(yield* says(old, yield* signed({ sub: "ada" })), "The claim iat of the token is missing")
    })
  })

  it.effect("are decoded by a schema", () => {
    const Claims = Schema.Struct({ sub: Schema.String, roles: Schema.Array(Schema.Literals(["admin", "user"])) })
    const typed = Jwt.verify({ keys, claims: Claims })
    return Effect.gen(function* () {
      const found = yield* typed(yield* signed({ ...claims, roles: ["admin"] }))
      assert.deepStrictEqual(found, { sub: "ada", roles: ["admin"] })
      const refused = yield* Effect.flip(typed(yield* signed({ ...claims, roles: ["root"] })))
      assert.strictEqual(refused.text, "The claims of the token are not accepted")
      expectTypeOf(found).toEqualTypeOf<typeof Claims.Type>()
    })
  })

  it.effect("of a type of token count where it is that type", () => {
    const access = Jwt.verify({ keys, type: "at+jwt" })
    return Effect.gen(function* () {
      assert.strictEqual(yield* says(access, yield* signed(claims, { typ: "at+jwt" })), "ada")
      assert.strictEqual(yield* says(access, yield* signed(claims, { typ: "application/at+jwt" })), "ada")
      const wanted = "The claim typ of the token is not accepted"
      assert.strictEqual(yield* says(access, yield* signed(claims, { typ: "JWT" })), wanted)
      assert.strictEqual(yield* says(access, yield* signed()), wanted)
    })
  })
})

describe("keys", () => {
  it.effect("an old secret still verifies", () => {
    const ring = Jwt.verify({ keys: Jwt.secret(Redacted.make(otherSecret), secret) })
    return Effect.gen(function* () {
      assert.strictEqual(yield* says(ring, yield* signed()), "ada")
      assert.strictEqual(yield* says(ring, yield* signed(claims, {}, new TextEncoder().encode(otherSecret))), "ada")
      const unknown = yield* signed(claims, {}, new TextEncoder().encode("x".repeat(32)))
      assert.strictEqual(yield* says(ring, unknown), "The signature of the token is not by a key that is known")
    })
  })

  it.effect("secrets come from the configuration", () =>
    Effect.gen(function* () {
      const ring = yield* Jwt.secretConfig("JWT_SECRET").pipe(
        Effect.provideService(
          ConfigProvider.ConfigProvider,
          ConfigProvider.fromUnknown({ JWT_SECRET: `${otherSecret}, ${secret}` })
        )
      )
      assert.strictEqual(yield* says(Jwt.verify({ keys: ring }), yield* signed()), "ada")
      const short = ConfigProvider.fromUnknown({ JWT_SECRET: "short" })
      const failed = yield* Effect.flip(
        Effect.provideService(Jwt.secretConfig("JWT_SECRET"), ConfigProvider.ConfigProvider, short)
      )
      assert.include(failed.message, "JWT_SECRET: Jwt: The secret has 5 bytes, at least 32 are needed")
    })
  )

  for (const alg of ["RS256", "PS256", "ES256", "ES384", "EdDSA"]) {
    it.effect(`a public key and a set verify ${alg}`, () =>
      Effect.gen(function* () {
        const made = yield* pair(alg, "1")
        const token = yield* by(made)
        assert.strictEqual(yield* says(Jwt.verify({ keys: Jwt.publicKey(made.pem) }), token), "ada")
        const set = Jwt.keySet({ keys: [made.jwk, (yield* pair("ES256", "2")).jwk] })
        assert.strictEqual(yield* says(Jwt.verify({ keys: set }), token), "ada")
      })
    )
  }

  it.effect("each key of a set is tried for a token that names none", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* pair("ES256", "1"), yield* pair("ES256", "2")]
      const set = Jwt.verify({ keys: Jwt.keySet({ keys: [one.jwk, two.jwk] }) })
      const nameless = yield* signed(claims, { alg: "ES256" }, two.privateKey)
      assert.strictEqual(yield* says(set, nameless), "ada")
      const other = yield* signed(claims, { alg: "ES256" }, (yield* pair("ES256", "3")).privateKey)
      assert.strictEqual(yield* says(set, other), "The signature of the token is not by a key that is known")
    })
  )

  it.effect("a certificate verifies as its key does", () =>
    Effect.gen(function* () {
      const key = yield* Effect.promise(() => Jose.importPKCS8(certified.privateKey, "ES256"))
      const verify = Jwt.verify({ keys: Jwt.publicKey(certified.certificate) })
      const token = yield* signed(claims, { alg: "ES256" }, key)
      for (let round = 0; round < 2; round++) assert.strictEqual(yield* says(verify, token), "ada")
    })
  )

  it.effect("a key that does not load is none", () =>
    Effect.gen(function* () {
      const made = yield* pair("ES256", "1")
      const set = Jwt.verify({ keys: Jwt.keySet({ keys: [{ ...made.jwk, x: "AAAA" }] }) })
      const wanted = "The signature of the token is not by a key that is known"
      assert.strictEqual(yield* says(set, yield* by(made)), wanted)
    })
  )

  it.effect("a key that is not for signatures is none", () =>
    Effect.gen(function* () {
      const made = yield* pair("RS256", "1")
      const set = Jwt.verify({ keys: Jwt.keySet({ keys: [{ ...made.jwk, use: "enc" }] }) })
      const wanted = "The signature of the token is not by a key that is known"
      assert.strictEqual(yield* says(set, yield* by(made)), wanted)
    })
  )
})

describe("sign", () => {
  it.effect("makes a token that verify takes until it expires", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 day")
      const options = { key: keys, expiresIn: "15 minutes", issuer: "https://id.test", audience: "api", subject: "ada" }
      const token = yield* Jwt.sign({ roles: ["admin"] }, { ...options, expiresIn: "15 minutes", type: "at+jwt" })
      assert.strictEqual(String(token), "<redacted:jwt>")
      assert.deepStrictEqual<unknown>(yield* verify(token), {
        roles: ["admin"],
        iss: "https://id.test",
        aud: "api",
        sub: "ada",
        iat: 86_400,
        exp: 86_400 + 900
      })
      assert.deepStrictEqual(Jose.decodeProtectedHeader(Redacted.value(token)), { alg: "HS256", typ: "at+jwt" })
      yield* TestClock.adjust("910 seconds")
      assert.strictEqual(yield* says(verify, token), "The token has expired")
    })
  )

  it.effect("signs with a private key, and for ever where that is wanted", () =>
    Effect.gen(function* () {
      const made = yield* pair("ES256", "1")
      const pem = yield* Effect.promise(() => Jose.exportPKCS8(made.privateKey))
      const nameless = yield* Jwt.sign({}, { key: Jwt.privateKey(pem, { algorithm: "ES256" }), expiresIn: "1 minute" })
      assert.deepStrictEqual(Jose.decodeProtectedHeader(Redacted.value(nameless)), { alg: "ES256" })
      const key = Jwt.privateKey(Redacted.make(pem), { algorithm: "ES256", keyId: "1" })
      const audience = ["api", "web"]
      const token = yield* Jwt.sign({ sub: "ada" }, { key, expiresIn: Duration.infinity, audience })
      assert.deepStrictEqual(Jose.decodeProtectedHeader(Redacted.value(token)), { alg: "ES256", kid: "1" })
      const keys = Jwt.keySet({ keys: [made.jwk] })
      const set = Jwt.verify({ keys, requireExpiry: false, audience: ["web", "app"] })
      assert.deepStrictEqual<unknown>(yield* set(token), { sub: "ada", aud: ["api", "web"], iat: 0 })
    })
  )
})

describe("a wrong declaration is refused when it is made", () => {
  const remote = Jwt.remoteKeySet("https://id.test/jwks")
  const pem = "-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----"
  it.each<[name: string, make: () => unknown, says: RegExp]>([
    ["a short secret", () => Jwt.secret("x".repeat(31)), /has 31 bytes, at least 32 are needed; make one with/],
    ["HS512 with a secret of 32 bytes", () => Jwt.verify({ keys, algorithms: ["HS512"] }), /HS512 needs secrets of 64/],
    ["the algorithm none", () => Jwt.verify({ keys, algorithms: ["none"] }), /"none" is no algorithm of secrets/],
    ["no algorithm", () => Jwt.verify({ keys, algorithms: [] }), /"" is no algorithm of secrets/],
    [
      "HMAC with a public key",
      () => Jwt.verify({ keys: Jwt.publicKey(pem), algorithms: ["RS256", "HS256"] }),
      /"HS256" is no algorithm of public keys/
    ],
    ["an issuer without an audience", () => Jwt.verify({ keys: remote, issuer: "a" }), /give issuer and audience/],
    ["an issuer without its name", () => Jwt.verify({ keys: remote, audience: "a" }), /give issuer and audience/],
    ["a private key for a public one", () => Jwt.publicKey("-----BEGIN PRIVATE KEY-----"), /this is a private key/],
    ["no key", () => Jwt.publicKey("ssh-rsa AAAA"), /this is no public key; give PEM that begins with/],
    ["a set of no keys", () => Jwt.keySet({ keys: [{}] as never }), /there are no keys in it/],
    ["an empty set", () => Jwt.keySet({ keys: [] }), /there are no keys in it/],
    ["a private key for HMAC", () => Jwt.privateKey("", { algorithm: "HS256" }), /"HS256" is no algorithm of private/],
    ["keys over http", () => Jwt.remoteKeySet("http://id.test/jwks"), /can be changed on its way; give an https URL/],
    ["keys from no URL", () => Jwt.remoteKeySet("id.test"), /"id.test" is no URL/]
  ])("%s", (_, make, says) => assert.throws(make, says))

  it("http is good enough to this machine, and where it is said to be", () => {
    for (const url of ["http://localhost:1/", "http://127.0.0.1/", "http://[::1]:1/", "http://id.localhost/"]) {
      Jwt.remoteKeySet(url)
    }
    Jwt.remoteKeySet("http://keycloak:8080/jwks", { insecure: true })
  })
})

class Claims extends Context.Service<Claims, Jwt.Claims>()("app/Claims") {}
const me = Effect.map(Claims, ({ sub }) => Response.text(String(sub)))
const scheme = Auth.bearer(verify, { realm: "api" })
const app = App.make({ me: Route.get("/", me) }).pipe(App.use(Auth.require(Claims, scheme)))

served("an app with tokens", app, (client) =>
  Effect.gen(function* () {
    const get = (token: Redacted.Redacted<string>) =>
      client.get("/", { headers: { authorization: `Bearer ${Redacted.value(token)}` } })
    // The clock of a real server is that of its machine: here both are the test's.
    assert.strictEqual(yield* (yield* get(yield* signed())).text, "ada")
    const { headers, status } = yield* get(yield* signed({ ...claims, aud: "web" }))
    assert.strictEqual(status, 401)
    const description = `error_description="The claim aud of the token is not accepted"`
    assert.strictEqual(headers["www-authenticate"], `Bearer realm="api", error="invalid_token", ${description}`)
  })
)

it.effect("why a token is refused is logged at debug, without its claims", () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ cause, logLevel, message }) => {
    lines.push(`${logLevel} ${[message].flat().join(" ")}`, Cause.pretty(cause), inspect(cause, { depth: null }))
  })
  const logs = Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "All"))
  return Effect.gen(function* () {
    const token = yield* signed({ ...claims, sub: "ada@home.test", aud: "elsewhere" })
    const authorization = `Bearer ${Redacted.value(token)}`
    assert.strictEqual((yield* answer(app, "GET /", { headers: { authorization } })).status, 401)
    const [first = "", pretty = "", ...more] = lines
    assert.strictEqual(first, "Debug The handler failed with 401 Unauthorized")
    assert.include(pretty, 'unexpected "aud" claim value')
    const all = [pretty, ...more].join("\n")
    for (const secret of ["ada@home.test", "elsewhere", Redacted.value(token)]) assert.notInclude(all, secret)
  }).pipe(Effect.provide(logs))
})

it("the type says what may fail", () => {
  const remote = Jwt.verify({ keys: Jwt.remoteKeySet("https://id.test/jwks"), issuer: "a", audience: false })
  expectTypeOf(Auth.bearer(remote)).toEqualTypeOf<Auth.Scheme<Jwt.Claims, HttpError.ServiceUnavailable>>()
  expectTypeOf(scheme).toEqualTypeOf<Auth.Scheme<Jwt.Claims>>()
  // In one expression the parameter that takes the verifier says nothing of its claims
  const atOnce = Auth.bearer(Jwt.verify({ keys, issuer: "a" }))
  expectTypeOf(atOnce).toEqualTypeOf<Auth.Scheme<Jwt.Claims>>()
  expectTypeOf(Auth.any([Auth.bearer(Jwt.verify({ keys }))])).toEqualTypeOf<Auth.Scheme<Jwt.Claims>>()
  const ofClaims = Auth.bearer(Jwt.verify({ keys, claims: Schema.Struct({ sub: Schema.String }) }))
  expectTypeOf(ofClaims).toEqualTypeOf<Auth.Scheme<{ readonly sub: string }>>()
  const byName = Auth.any([Auth.basic(() => Effect.succeed({ name: "ada" })), Auth.bearer(() => Effect.succeed(1))])
  expectTypeOf(byName).toEqualTypeOf<Auth.Scheme<{ name: string } | number>>()
})
