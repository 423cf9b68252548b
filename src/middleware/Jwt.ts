/**
 * JSON Web Tokens: verifies those that come with requests, and signs one's own.
 *
 * ```ts
 * const verify = Jwt.verify({
 *   keys: Jwt.remoteKeySet("https://id.example.com/jwks"), issuer: "https://id.example.com", audience: "api",
 *   claims: Schema.Struct({ sub: Schema.String, roles: Schema.Array(Schema.String) })
 * })
 * App.use(Auth.require(Claims, Auth.bearer(verify))) // 401, error="invalid_token"
 * ```
 *
 * The server says which algorithms and keys count, never the token: its `jku`, `x5u` and `jwk` are not read. The time is that of
 * Effect's Clock. `jose` does the cryptography, and is loaded with the first token.
 *
 * @source aiohttp_security.JWTIdentityPolicy
 * @spec RFC 7519; RFC 7515; RFC 8725 (best current practices); RFC 9068 (`typ: "at+jwt"`)
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import { SourceError } from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Unauthorized } from "../HttpError.ts"
import * as JwtKeys from "../internal/auth/jwtKeys.ts"
import * as JwtRules from "../internal/auth/jwtRules.ts"
import type { ErrorClass } from "../Middleware.ts"

export { type Keys, privateKey, publicKey, type SigningKey } from "../internal/auth/jwtKeys.ts"
export type { Options } from "../internal/auth/jwtRules.ts"
export { type KeySet, keySet, type RemoteOptions, remoteKeySet } from "../internal/auth/keySet.ts"

/** What is known of the claims of a token without a schema. */
export interface Claims {
  readonly iss?: string
  readonly sub?: string
  readonly aud?: string | ReadonlyArray<string>
  readonly exp?: number
  readonly nbf?: number
  readonly iat?: number
  readonly jti?: string
  readonly [claim: string]: unknown
}

// The head of a request is limited to 16 KiB; a token from elsewhere is not.
const largest = 16 * 1024

// Three parts, and no letters but those of base64url: the library reads over white space, and a text would be two tokens.
const form = /^[-\w]+\.[-\w]+\.[-\w]+$/

/** Verifies a token and gives its claims. */
export interface Verifier<out A, out E, out R> {
  (token: Redacted.Redacted<string>): Effect.Effect<A, E, R>
  /** The classes behind E beside Unauthorized, for the documents. */
  readonly errors: ReadonlyArray<ErrorClass>
}

/** Secrets of at least 32 bytes, for HMAC: the first signs, all verify. */
export const secret = (
  secret: Redacted.Redacted<string> | string,
  ...older: ReadonlyArray<Redacted.Redacted<string> | string>
): JwtKeys.Keys & JwtKeys.SigningKey => JwtKeys.secret([secret, ...older])

/** The secrets in a variable of the configuration, separated by commas. What is wrong with them is a ConfigError. */
export const secretConfig = (name: string): Config.Config<JwtKeys.Keys & JwtKeys.SigningKey> =>
  Config.mapEffect(Config.Redacted(name), (text) =>
    Effect.try({
      try: () =>
        JwtKeys.secret(
          Redacted.value(text)
            .split(",")
            .map((each) => each.trim())
        ),
      catch: (error) => new Config.ConfigError(new SourceError({ message: `${name}: ${(error as TypeError).message}` }))
    })
  )

/**
 * Makes a function that verifies a token and gives its claims: for `Auth.bearer`, which says in the challenge what `text` says, or for
 * tokens from elsewhere. Throws a TypeError for options that would let in what they should not.
 *
 * @errors Unauthorized (401) whatever is wrong with the token; ServiceUnavailable (503) when a remote issuer does not give its keys
 */
export const verify: {
  <A, E = never, R = never>(
    options: JwtRules.Options<A, E, R> & { readonly claims: Schema.ConstraintDecoder<A, R> }
  ): Verifier<A, Unauthorized | E, R>
  // Not one with a default: in `Auth.bearer(Jwt.verify({ keys }))` A would be what the parameter of `bearer` leaves of it
  <E = never>(options: JwtRules.Options<Claims, E, never>): Verifier<Claims, Unauthorized | E, never>
} = <A, E, R>(options: JwtRules.Options<A, E, R>): never => {
  const { algorithms, tolerance, rules } = JwtRules.checked(options)
  const { keys } = options
  const decode = decoder(options.claims ?? anything)
  const run = Effect.fnUntraced(function* (token: Redacted.Redacted<string>) {
    const text = Redacted.value(token)
    if (text.length > largest) return yield* JwtRules.refuse("The token is too large")
    if (!form.test(text)) return yield* JwtRules.refuse("The token is malformed")
    const jose = yield* JwtKeys.library
    const header = yield* Effect.try({ try: () => jose.decodeProtectedHeader(text), catch: JwtRules.malformed })
    const { alg = "", kid } = header
    if (!algorithms.includes(alg)) return yield* JwtRules.refuse("The token is not signed as it has to be")
    const candidates = yield* keys["~jwt"].candidates(jose, { alg, kid })
    const now = yield* Clock.currentTimeMillis
    const how = { ...rules, algorithms, clockTolerance: tolerance, currentDate: new Date(now) }
    for (const key of candidates) {
      const verified = yield* Effect.result(
        Effect.tryPromise({ try: () => jose.jwtVerify(text, key, how), catch: (error) => error })
      )
      if (Result.isSuccess(verified)) return yield* decode(verified.success.payload)
      // Only a signature may be that of another key.
      const isOther = verified.failure instanceof jose.errors.JWSSignatureVerificationFailed
      if (!isOther) return yield* Effect.fail(JwtRules.refusal(jose, verified.failure))
    }
    return yield* JwtRules.refuse("The signature of the token is not by a key that is known")
  })
  // What it gives, fails with and needs is said by the type above.
  return Object.assign(run, { errors: keys.errors }) as never
}

/** What is signed beside the claims. */
export interface SignOptions {
  readonly key: JwtKeys.SigningKey
  /** How long it counts; `Duration.infinity` for ever. */
  readonly expiresIn: Duration.Input
  readonly issuer?: string
  readonly audience?: string | ReadonlyArray<string>
  readonly subject?: string
  /** The type in its header, as "at+jwt". */
  readonly type?: string
}

/** Signs claims: a token with `iat` and `exp`. Claims that are no JSON are a defect. */
export const sign = (claims: object, options: SignOptions): Effect.Effect<Redacted.Redacted<string>> =>
  Effect.gen(function* () {
    const { audience, issuer, subject, type } = options
    const jose = yield* JwtKeys.library
    const { key, ...header } = yield* options.key["~sign"](jose)
    const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const seconds = Duration.toSeconds(options.expiresIn)
    const payload = {
      ...claims,
      ...(issuer === undefined ? undefined : { iss: issuer }),
      ...(audience === undefined ? undefined : { aud: typeof audience === "string" ? audience : [...audience] }),
      ...(subject === undefined ? undefined : { sub: subject }),
      iat: now,
      ...(Number.isFinite(seconds) ? { exp: now + Math.floor(seconds) } : undefined)
    }
    const typ = type === undefined ? undefined : { typ: type }
    const token = yield* Effect.promise(() =>
      new jose.SignJWT(payload).setProtectedHeader({ ...header, ...typ }).sign(key)
    )
    return Redacted.make(token, { label: "jwt" })
  })

const anything: Schema.ConstraintDecoder<unknown> = Schema.Unknown

const decoder = <A, R>(schema: Schema.ConstraintDecoder<A, R>) => {
  const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(schema) as typeof schema)
  return (payload: unknown): Effect.Effect<A, Unauthorized, R> =>
    Effect.catch(decode(payload), (cause) => JwtRules.refuse("The claims of the token are not accepted", cause))
}
