/**
 * What is sealed opens for who has the keys, for its purpose, in its time: on every engine, and across them.
 */
import * as Crypto from "node:crypto"
import * as Util from "node:util"
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as App from "../src/App.ts"
import { portable, Sealing } from "../src/internal/secrets/sealing.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Sealed from "../src/Sealed.ts"
import { nodeSealing } from "../src/server/internal/crypto/NodeSealing.ts"
import { served } from "../src/testing/Served.ts"

const Cart = Schema.Struct({ items: Schema.Array(Schema.Int), since: Schema.Date })
const value = { items: [1, 2], since: new Date(0) }
const secret = "a secret of thirty-two bytes; 00"
const newer = Redacted.make("a newer secret which has more bytes than needed")
const keys = Sealed.keys(secret)

const engines = { portable, node: nodeSealing }
const on = (engine: keyof typeof engines) => Effect.provideService(Sealing, engines[engine])

/** The reason of a failure to open. */
const reason = <A>(effect: Effect.Effect<A, Sealed.SealedError>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

for (const engine of ["portable", "node"] as const) {
  const other = engine === "node" ? "portable" : "node"
  for (const mode of ["encrypt", "sign"] as const) {
    describe(`${mode}, ${engine}`, () => {
      const cart = Sealed.make({ schema: Cart, keys, purpose: "cart", maxAge: "1 hour", mode })

      it.effect("a value comes out as it went in, of the types of its schema", () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* cart.open(yield* cart.seal(value)), value)
        }).pipe(on(engine))
      )

      it.effect("the text is of characters that URLs and cookies leave alone", () =>
        Effect.gen(function* () {
          const text = yield* cart.seal(value)
          assert.match(text, mode === "encrypt" ? /^e1\.[\w-]{6}\.[\w-]+$/ : /^s1\.[\w-]{6}\.[\w-]+\.[\w-]{43}$/)
          assert.strictEqual(encodeURIComponent(text), text)
        }).pipe(on(engine))
      )

      it.effect("what it seals the other engine opens", () =>
        Effect.gen(function* () {
          const text = yield* cart.seal(value).pipe(on(engine))
          assert.deepStrictEqual(yield* cart.open(text).pipe(on(other)), value)
        })
      )

      it.effect("it opens until its time is over", () =>
        Effect.gen(function* () {
          const text = yield* cart.seal(value)
          yield* TestClock.adjust("3599999 millis")
          assert.deepStrictEqual(yield* cart.open(text), value)
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(yield* reason(cart.open(text)), "expired")
        }).pipe(on(engine))
      )

      it.effect("a value of many kilobytes and of any characters goes through", () =>
        Effect.gen(function* () {
          const note = Sealed.make({ schema: Schema.String, keys, purpose: "note", mode })
          for (const text of ["", ".", "é\u0000\ud800 🦆", "x".repeat(100_000)]) {
            assert.strictEqual(yield* note.open(yield* note.seal(text)), text)
          }
        }).pipe(on(engine))
      )

      it.effect("a new secret in front seals, the older ones open, one that was dropped does not", () =>
        Effect.gen(function* () {
          const sealed = (keys: Sealed.KeyRing) => Sealed.make({ schema: Cart, keys, purpose: "cart", mode })
          const [before, during, after] = [keys, Sealed.keys(newer, secret), Sealed.keys(newer)].map(sealed) as [
            Sealed.Sealed<typeof Cart.Type>,
            Sealed.Sealed<typeof Cart.Type>,
            Sealed.Sealed<typeof Cart.Type>
          ]
          const [old, fresh] = [yield* before.seal(value), yield* during.seal(value)]
          assert.deepStrictEqual(yield* during.open(old), value)
          assert.deepStrictEqual(yield* after.open(fresh), value)
          assert.strictEqual(yield* reason(before.open(fresh)), "forged")
          assert.strictEqual(yield* reason(after.open(old)), "forged")
        }).pipe(on(engine))
      )

      it.effect("what is genuine but of another schema is invalid", () =>
        Effect.gen(function* () {
          const earlier = Sealed.make({ schema: Schema.String, keys, purpose: "cart", mode })
          assert.strictEqual(yield* reason(cart.open(yield* earlier.seal("a list"))), "invalid")
        }).pipe(on(engine))
      )
    })
  }
}

describe("the format", () => {
  const derive = (mode: string) =>
    Buffer.from(Crypto.hkdfSync("sha256", secret, "", `effect-web/Sealed/1/${mode}/cart`, 37))

  it.effect(
    "an encrypted text is AES-256-GCM with a derived key, the purpose as additional data, and an expiry inside",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_000)
        const cart = Sealed.make({ schema: Cart, keys, purpose: "cart", maxAge: "1 second" })
        const [, id, text] = (yield* cart.seal(value)).split(".") as [string, string, string]
        const [derived, all] = [derive("encrypt"), Buffer.from(text, "base64url")]
        assert.strictEqual(id, derived.subarray(32).toString("base64url").slice(0, 6))
        const decipher = Crypto.createDecipheriv("aes-256-gcm", derived.subarray(0, 32), all.subarray(0, 12))
        decipher.setAAD(Buffer.from("effect-web/Sealed/1/encrypt/cart")).setAuthTag(all.subarray(-16))
        const plain = decipher.update(all.subarray(12, -16), undefined, "utf8") + decipher.final("utf8")
        assert.strictEqual(plain, `2000.{"items":[1,2],"since":"1970-01-01T00:00:00.000Z"}`)
      })
  )

  it.effect("a signed text is its JSON and the HMAC-SHA-256 of all before it", () =>
    Effect.gen(function* () {
      const cart = Sealed.make({ schema: Cart, keys, purpose: "cart", mode: "sign" })
      const text = yield* cart.seal(value)
      const plain = Buffer.from(`.{"items":[1,2],"since":"1970-01-01T00:00:00.000Z"}`).toString("base64url")
      const derived = derive("sign")
      const signed = `s1.${derived.subarray(32).toString("base64url").slice(0, 6)}.${plain}`
      const tag = Crypto.createHmac("sha256", derived.subarray(0, 32)).update(signed).digest("base64url")
      assert.strictEqual(text, `${signed}.${tag}`)
    })
  )

  it.effect("the same value is never encrypted to the same text", () =>
    Effect.gen(function* () {
      const cart = Sealed.make({ schema: Cart, keys, purpose: "cart" })
      const texts = yield* Effect.replicateEffect(cart.seal(value), 600).pipe(on("node"))
      assert.strictEqual(new Set(texts.map((text) => text.slice(10, 26))).size, 600)
    })
  )
})

describe("declared wrongly", () => {
  const rows: ReadonlyArray<readonly [name: string, make: () => unknown, message: RegExp]> = [
    [
      "a short secret",
      () => Sealed.keys("short"),
      /^The secret has 5 bytes, at least 32 are needed; make one with `openssl rand/
    ],
    ["a short older secret", () => Sealed.keys(secret, "x".repeat(31)), /^Secret 2 of 2 has 31 bytes/],
    ["no purpose", () => Sealed.make({ schema: Cart, keys, purpose: "" }), /needs a purpose; name what is sealed/],
    ["no time", () => Sealed.make({ schema: Cart, keys, purpose: "a", maxAge: 0 }), /A maxAge of 0 is over at once/]
  ]
  for (const [name, make, message] of rows) it(name, () => assert.throws(make, TypeError, message))

  it.effect("a value that is not of the schema is a defect", () =>
    Effect.gen(function* () {
      const cart = Sealed.make({ schema: Cart, keys, purpose: "cart" })
      const exit = yield* Effect.exit(cart.seal({ ...value, items: [0.5] }))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    })
  )
})

describe("keysConfig", () => {
  const read = (text: string) =>
    Sealed.keysConfig("APP_KEYS").parse(ConfigProvider.fromEnv({ env: { APP_KEYS: text } }))

  it.effect("the first of the variable seals, all open", () =>
    Effect.gen(function* () {
      const ring = yield* read(`${Redacted.value(newer)} , ${secret}`)
      const make = (keys: Sealed.KeyRing) => Sealed.make({ schema: Cart, keys, purpose: "cart" })
      assert.deepStrictEqual(yield* make(Sealed.keys(newer)).open(yield* make(ring).seal(value)), value)
      const old = yield* make(Sealed.keys(secret)).seal(value)
      assert.deepStrictEqual(yield* make(ring).open(old), value)
    })
  )

  it.effect("what is wrong is said, without the secrets", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read("0123456789012345678901234567890123456789,tooshort"))
      assert.match(error.message, /APP_KEYS: Secret 2 of 2 has 8 bytes/)
      assert.notMatch(`${error} ${Util.inspect(error, { depth: 9 })}`, /tooshort|012345/)
    })
  )

  it.effect("a variable that is not set is a ConfigError", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Sealed.keysConfig("APP_KEYS").parse(ConfigProvider.fromEnv({ env: {} })))
      assert.strictEqual(error._tag, "ConfigError")
      assert.match(error.message, /APP_KEYS/)
    })
  )
})

const cookie = Sealed.make({ schema: Schema.String, keys, purpose: "cookie" })
const app = App.make({
  seal: Route.get("/seal", Effect.map(cookie.seal("for you"), Response.text)),
  open: Route.get("/open/{text}", ({ params }) =>
    cookie.open(params.text).pipe(
      Effect.map(Response.text),
      Effect.catchTag("SealedError", ({ reason }) => Effect.succeed(Response.text(reason, { status: 400 })))
    )
  ),
  engine: Route.get(
    "/engine",
    Effect.map(Sealing, (sealing) => Response.text(sealing === nodeSealing ? "node" : "portable"))
  )
})

served(
  "in a server, a value that was sealed opens, another does not",
  app,
  Effect.fnUntraced(function* (client) {
    assert.strictEqual(yield* (yield* client.get("/engine")).text, "node")
    const text = yield* (yield* client.get("/seal")).text
    assert.strictEqual(yield* (yield* client.get(`/open/${text}`)).text, "for you")
    const refused = yield* client.get(`/open/${text}x`)
    assert.deepStrictEqual([refused.status, yield* refused.text], [400, "forged"])
  })
)

it.effect("under the web standard it is the same", () =>
  Effect.gen(function* () {
    const handle = App.toWebHandler(app)
    const get = (path: string) =>
      Effect.promise(() => handle(new Request(`http://localhost${path}`)).then((response) => response.text()))
    assert.strictEqual(yield* get("/engine"), "portable")
    const text = yield* get("/seal")
    assert.strictEqual(yield* get(`/open/${text}`), "for you")
    assert.strictEqual(yield* get(`/open/${text.slice(1)}`), "malformed")
    assert.strictEqual(yield* cookie.open(text).pipe(on("node")), "for you")
  })
)

it("the type is that of the schema, which decodes without services", () => {
  const cart = Sealed.make({ schema: Cart, keys, purpose: "cart" })
  expectTypeOf(cart).toEqualTypeOf<Sealed.Sealed<typeof Cart.Type>>()
  expectTypeOf(cart.open).returns.toEqualTypeOf<Effect.Effect<typeof Cart.Type, Sealed.SealedError>>()
  // @ts-expect-error a date is not a number
  void cart.seal({ items: [1], since: 0 })
  // @ts-expect-error keys are made by Sealed.keys
  void (() => Sealed.make({ schema: Cart, keys: Redacted.make([new Uint8Array(32)]), purpose: "cart" }))
})
