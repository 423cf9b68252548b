/**
 * Attacks on tokens: what RFC 8725 and the CVEs of token libraries tell of.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Jose from "jose"
import * as App from "../../src/App.ts"
import type * as HttpError from "../../src/HttpError.ts"
import * as Auth from "../../src/middleware/Auth.ts"
import * as Jwt from "../../src/middleware/Jwt.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"
import * as Testing from "../../src/testing/Testing.ts"
import { by, claims, forged, otherSecret, pair, secret, signed } from "../middleware/tokens.ts"
import * as Seeded from "../seeded.ts"
import { attacks } from "./attacks.ts"

type Verify = Auth.Verify<Redacted.Redacted<string>, unknown, HttpError.Unauthorized, never>
const rules = { issuer: "https://id.test", audience: "api" }
const bySecret = Jwt.verify({ ...rules, keys: Jwt.secret(secret) })
const text = (token: Redacted.Redacted<string>) => Redacted.value(token)

const refused = (
  make: Effect.Effect<Redacted.Redacted<string>>,
  verify: Verify = bySecret,
  says = "The token is not signed as it has to be"
) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(verify(yield* make))
    assert.strictEqual(error.status, 401)
    assert.strictEqual(error.text, says)
  })

const badSignature = "The signature of the token is not by a key that is known"
const malformed = "The token is malformed"
const [rsa, ec, other] = await Effect.runPromise(
  Effect.all([pair("RS256", "rsa"), pair("ES256", "ec"), pair("ES256", "x")])
)
const bySet = Jwt.verify({ ...rules, keys: Jwt.keySet({ keys: [rsa.jwk, ec.jwk] }) })
const byPem = Jwt.verify({ ...rules, keys: Jwt.publicKey(rsa.pem) })

// By the right secret, its payload is signed as it is.
const unencoded = Effect.promise(async () => {
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url")
  const flat = await new Jose.FlattenedSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: "HS256", b64: false, crit: ["b64"] })
    .sign(new TextEncoder().encode(secret))
  return Redacted.make(`${flat.protected}.${payload}.${flat.signature}`)
})

attacks("the header of a token", [
  {
    attack: "alg none",
    stoppedBy: "the server names the algorithms",
    run: refused(Effect.succeed(forged({ alg: "none" })))
  },
  {
    attack: "alg nOnE",
    stoppedBy: "the server names the algorithms",
    run: refused(Effect.succeed(forged({ alg: "nOnE" })), bySet)
  },
  {
    attack: "no alg",
    stoppedBy: "the server names the algorithms",
    run: refused(Effect.succeed(forged({ typ: "JWT" })))
  },
  {
    attack: "HS256 with the public key's text for a secret",
    stoppedBy: "a key is of one family of algorithms",
    run: Effect.andThen(
      refused(signed(claims, {}, new TextEncoder().encode(rsa.pem)), byPem),
      refused(signed(claims, { kid: "rsa" }, new TextEncoder().encode(rsa.pem)), bySet)
    )
  },
  {
    attack: "HS512 where HS256 is meant",
    stoppedBy: "the server names the algorithms",
    run: refused(signed(claims, { alg: "HS512" }, new TextEncoder().encode(secret.repeat(2))))
  },
  {
    attack: "an algorithm that is not the key's",
    stoppedBy: "a key of the set is for its own algorithm",
    run: refused(
      signed(claims, { alg: "PS256", kid: "rsa" }, rsa.privateKey).pipe(
        Effect.catchDefect(() => Effect.succeed(forged({ alg: "PS256", kid: "rsa" }, claims, "AAAA")))
      ),
      bySet,
      badSignature
    )
  },
  {
    attack: "an EC token for an RSA key in PEM",
    stoppedBy: "the key does not load for it",
    run: refused(by(ec), byPem, badSignature)
  },
  {
    attack: "a key of its own in jwk",
    stoppedBy: "jwk is not read",
    run: refused(by(other, claims, { jwk: other.jwk }), bySet, badSignature)
  },
  {
    attack: "a URL of its own in jku and x5u",
    stoppedBy: "they are not read",
    run: refused(by(other, claims, { jku: "http://127.0.0.1:1/", x5u: "http://127.0.0.1:1/" }), bySet, badSignature)
  },
  {
    attack: "a kid of another key",
    stoppedBy: "its signature",
    run: refused(by(other, claims, { kid: "ec" }), bySet, badSignature)
  },
  {
    attack: "a kid that is a path or SQL",
    stoppedBy: "it is compared, and nothing else",
    run: Effect.andThen(
      refused(by(ec, claims, { kid: "../../dev/null" }), bySet, badSignature),
      refused(by(ec, claims, { kid: "' OR 1=1 --" }), bySet, badSignature)
    )
  },
  {
    attack: "a kid that is no text",
    stoppedBy: "it is no key's",
    run: refused(Effect.succeed(forged({ alg: "ES256", kid: { $ne: 1 } }, claims, "AAAA")), bySet, badSignature)
  },
  {
    attack: "a critical extension that is not known",
    stoppedBy: "crit is honoured",
    run: refused(Effect.succeed(forged({ alg: "HS256", crit: ["exp"], exp: 1 }, claims, "AAAA")), bySecret, malformed)
  },
  {
    attack: "a payload that is not encoded (b64)",
    stoppedBy: "a JWT has none",
    run: refused(unencoded, bySecret, malformed)
  }
])

attacks("the signature of a token", [
  {
    attack: "none",
    stoppedBy: "a token has three parts",
    run: refused(Effect.succeed(forged({ alg: "HS256" }, claims, "")), bySecret, malformed)
  },
  {
    attack: "by another secret",
    stoppedBy: "it is checked",
    run: refused(signed(claims, {}, new TextEncoder().encode(otherSecret)), bySecret, badSignature)
  },
  {
    attack: "of another payload",
    stoppedBy: "it is checked",
    run: refused(
      Effect.map(signed(), (token) => {
        const [header, , signature] = text(token).split(".")
        return Redacted.make([header, text(forged({}, { ...claims, sub: "root" })).split(".")[1], signature].join("."))
      }),
      bySecret,
      badSignature
    )
  },
  {
    attack: "all zeros, for ECDSA",
    stoppedBy: "it is checked (CVE-2022-21449)",
    run: refused(Effect.succeed(forged({ alg: "ES256", kid: "ec" }, claims, "A".repeat(86))), bySet, badSignature)
  },
  {
    attack: "before the claims are known to be right",
    stoppedBy: "claims are not read before it: no oracle",
    run: refused(Effect.succeed(forged({ alg: "HS256" }, { ...claims, exp: -1 }, "AAAA")), bySecret, badSignature)
  }
])

attacks("the form of a token", [
  {
    attack: "an encrypted token (JWE)",
    stoppedBy: "only signed ones count",
    run: refused(
      Effect.map(
        Effect.promise(() =>
          new Jose.EncryptJWT({ ...claims })
            .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
            .encrypt(new TextEncoder().encode(secret))
        ),
        (token) => Redacted.make(token)
      ),
      bySecret,
      malformed
    )
  },
  {
    attack: "white space in it, to pass by a list of tokens that were revoked",
    stoppedBy: "a token has the letters of base64url alone",
    run: refused(
      Effect.map(signed(), (token) => Redacted.make(`${text(token)}\n`)),
      bySecret,
      malformed
    )
  },
  {
    attack: "20 KB",
    stoppedBy: "a limit of 16 KiB",
    run: refused(
      Effect.succeed(forged({ alg: "HS256" }, { a: "x".repeat(20_000) })),
      bySecret,
      "The token is too large"
    )
  },
  {
    attack: "a payload that is no object",
    stoppedBy: "it is no JWT",
    run: refused(signedText("[1]"), bySecret, malformed)
  },
  {
    attack: "a payload that is no JSON",
    stoppedBy: "it is no JWT",
    run: refused(signedText("{"), bySecret, malformed)
  },
  {
    attack: "a prototype in its claims",
    stoppedBy: "JSON.parse makes it a claim like others",
    run: Effect.gen(function* () {
      const token = yield* signedText(JSON.stringify(claims).replace("{", '{"__proto__":{"isAdmin":true},'))
      const found = yield* bySecret(token)
      assert.notProperty({}, "isAdmin")
      assert.isUndefined((found as { readonly isAdmin?: boolean }).isAdmin)
    })
  },
  {
    attack: "2,000 tokens with a changed letter, a part cut off, or noise",
    stoppedBy: "401, and never anything else",
    run: Effect.gen(function* () {
      const { below, pick } = Seeded.make(5)
      const valid = [text(yield* signed()), text(yield* by(ec)), text(yield* by(rsa))]
      const alphabet = 'ABCabc019-_.{}"=+/ \u00e4'
      for (let round = 0; round < 2000; round++) {
        const token = pick(valid)
        const at = below(token.length)
        const letter = alphabet[below(alphabet.length)]!
        // The last letter of base64url may have bits that nobody reads.
        const changed = pick([
          `${token.slice(0, at)}${letter}${token.slice(at)}`,
          token.slice(0, at),
          `${token.slice(0, at)}${token.slice(at + 1)}`,
          `${token}${letter}${letter}`,
          Array.from({ length: below(60) }, () => pick([...alphabet])).join("")
        ])
        for (const verify of [bySecret, bySet, byPem]) {
          const exit = yield* Effect.exit(verify(Redacted.make(changed)))
          assert.strictEqual(exit._tag, "Failure", changed)
          const { status } = yield* Effect.flip(verify(Redacted.make(changed)))
          assert.strictEqual(status, 401, changed)
        }
      }
    })
  }
])

/** A text that is signed as it is. */
function signedText(payload: string) {
  const sign = () =>
    new Jose.CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret))
  return Effect.map(Effect.promise(sign), (token) => Redacted.make(token))
}

attacks("the issuer", [
  {
    attack: "a thousand tokens with keys that do not exist, to have it asked a thousand times",
    stoppedBy: "a cooldown: it is asked twice in 45 seconds",
    run: Effect.gen(function* () {
      let asked = 0
      const jwks = Effect.sync(() => {
        asked++
        return Response.json({ keys: [ec.jwk] })
      })
      const { url } = yield* Testing.socketClient(App.make({ jwks: Route.get("/jwks", jwks) }))
      const verify = Jwt.verify({ ...rules, keys: Jwt.remoteKeySet(`${url}/jwks`) })
      const guesses = yield* Effect.forEach(Array.from({ length: 500 }), (_, at) =>
        by(other, claims, { kid: String(at) })
      )
      const tryAll = Effect.forEach(guesses, (token) => Effect.flip(verify(token)), { concurrency: 50 })
      const statuses = (errors: ReadonlyArray<HttpError.Unauthorized | HttpError.ServiceUnavailable>) =>
        new Set(errors.map(({ status }) => status))
      assert.deepStrictEqual(statuses(yield* tryAll), new Set([401]))
      yield* TestClock.adjust("45 seconds")
      assert.deepStrictEqual(statuses(yield* tryAll), new Set([401]))
      assert.strictEqual(asked, 2)
      assert.strictEqual((yield* verify(yield* by(ec))).sub, "ada")
    })
  },
  {
    attack: "a token that it signed for another service",
    stoppedBy: "the audience",
    run: refused(by(ec, { ...claims, aud: "shop" }), bySet, "The claim aud of the token is not accepted")
  },
  {
    attack: "a token of an issuer whose name begins alike",
    stoppedBy: "the whole name is compared",
    run: refused(
      by(ec, { ...claims, iss: "https://id.test.evil.test" }),
      bySet,
      "The claim iss of the token is not accepted"
    )
  },
  {
    attack: "an id token where an access token is meant",
    stoppedBy: "the type",
    run: refused(
      by(ec, claims, { typ: "JWT" }),
      Jwt.verify({ ...rules, keys: Jwt.keySet({ keys: [ec.jwk] }), type: "at+jwt" }),
      "The claim typ of the token is not accepted"
    )
  }
])

attacks("a scheme with tokens", [
  {
    attack: "a header in the description of the error",
    stoppedBy: "the texts are the server's own",
    run: Effect.gen(function* () {
      const scheme = Auth.bearer(bySecret)
      assert.strictEqual(scheme.challenge, 'Bearer realm="Restricted"')
      const token = yield* signed({ ...claims, 'aud"\r\nx: y': 1, aud: "x" })
      const error = yield* Effect.flip(bySecret(token))
      assert.strictEqual(error.text, "The claim aud of the token is not accepted")
    })
  }
])
