/**
 * Which tokens count: the options of who verifies, checked, and why a token is refused.
 *
 * ```ts
 * const { algorithms, how } = checked({ keys, issuer: "https://id.example.com", audience: "api" })
 * ```
 *
 * @spec RFC 7519 §4.1; RFC 8725 §3
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { Unauthorized } from "../../HttpError.ts"
import * as JwtKeys from "./jwtKeys.ts"

/** Which tokens count. */
export interface Options<A, E, R> {
  readonly keys: JwtKeys.Keys<E>
  /** Who has to have issued it. Keys of a remote issuer need it. */
  readonly issuer?: string | ReadonlyArray<string>
  /** For whom it has to be; `false` takes tokens for anybody. Keys of a remote issuer need it: it signs tokens for others too. */
  readonly audience?: string | ReadonlyArray<string> | false
  /** HS256 for secrets, all that jose knows but HMAC for public keys, unless given. */
  readonly algorithms?: ReadonlyArray<string>
  /** The type in its header, as "at+jwt" for access tokens; any unless given. */
  readonly type?: string
  /** How far the issuer's clock may be off; 10 seconds. */
  readonly clockTolerance?: Duration.Input
  /** How long after it was issued it counts, whatever `exp` says. It needs `iat` then. */
  readonly maxAge?: Duration.Input
  /** Whether it has to expire; true. */
  readonly requireExpiry?: boolean
  /** What the claims have to be; decoded from JSON. */
  readonly claims?: Schema.ConstraintDecoder<A, R>
}

/** Refuses a token; the text is for the client. */
export const refuse = (text: string, cause?: unknown) =>
  Effect.fail(new Unauthorized({ text, ...(cause === undefined ? undefined : { cause }) }))

/** The failure for what is no token. */
export const malformed = (cause: unknown) => new Unauthorized({ text: "The token is malformed", cause: told(cause) })

// The library's errors carry the claims, and others a piece of the token: only what they say is for the log.
const told = (cause: unknown): Error | undefined =>
  cause instanceof Error ? Object.assign(new Error(cause.message), { name: cause.name }) : undefined

/** The failure for what the library says of a token. */
export const refusal = (jose: JwtKeys.Library, error: unknown): Unauthorized => {
  const { JWTClaimValidationFailed, JWTExpired } = jose.errors
  const cause = told(error)
  if (error instanceof JWTExpired) return new Unauthorized({ text: "The token has expired", cause })
  if (!(error instanceof JWTClaimValidationFailed)) return malformed(error)
  if (error.claim === "nbf") return new Unauthorized({ text: "The token is not valid yet", cause })
  const missing = error.reason === "missing"
  return new Unauthorized({
    text: `The claim ${error.claim} of the token is ${missing ? "missing" : "not accepted"}`,
    cause
  })
}

/** The options as the library takes them. Throws a TypeError for those that would let in what they should not. */
export const checked = <A, E, R>(options: Options<A, E, R>) => {
  const { audience, issuer, keys, maxAge, requireExpiry = true, type } = options
  const { bytes = Infinity, family, isRemote } = keys["~jwt"]
  const known = JwtKeys.algorithms[family]
  const algorithms = options.algorithms ?? (family === "secret" ? ["HS256"] : [...known.keys()])
  const wrong = algorithms.find((name) => !known.has(name))
  if (wrong !== undefined || algorithms.length === 0) {
    const kind = family === "secret" ? "secrets" : "public keys"
    throw new TypeError(
      `Jwt.verify: "${wrong ?? ""}" is no algorithm of ${kind}; they are ${[...known.keys()].join(", ")}`
    )
  }
  const short = algorithms.find((name) => bytes < known.get(name)!)
  if (short !== undefined) throw new TypeError(`Jwt.verify: ${short} needs secrets of ${known.get(short)} bytes`)
  if (isRemote && (issuer === undefined || audience === undefined)) {
    throw new TypeError(
      "Jwt.verify: an issuer signs tokens for others too; give issuer and audience, or { audience: false }"
    )
  }
  const list = (value: string | ReadonlyArray<string>) => (typeof value === "string" ? [value] : [...value])
  return {
    algorithms: [...algorithms],
    tolerance: Duration.toSeconds(options.clockTolerance ?? "10 seconds"),
    rules: {
      ...(issuer === undefined ? undefined : { issuer: list(issuer) }),
      ...(audience === undefined || audience === false ? undefined : { audience: list(audience) }),
      ...(type === undefined ? undefined : { typ: type }),
      ...(maxAge === undefined ? undefined : { maxTokenAge: Duration.toSeconds(maxAge) }),
      requiredClaims: requireExpiry ? ["exp"] : []
    }
  }
}
