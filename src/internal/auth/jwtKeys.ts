/**
 * Keys that tokens are signed and verified with.
 *
 * ```ts
 * const keys = secret(["a secret of at least 32 bytes, from the environment"])
 * const key = yield* keys["~jwt"].candidates(jose, { alg: "HS256" })
 * ```
 *
 * A key is for a family of algorithms: a text that is a public key is never taken for a secret.
 *
 * @spec RFC 7517; RFC 7518 §3; RFC 8725 §3.1, §3.2
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { ErrorClass } from "../../Middleware.ts"

/** What a token is verified with: a secret, or a key of the platform. */
export type Key = object

/** What is used of `jose`, which is loaded with the first token. Its own types are not in those of this package. */
export interface Library {
  decodeProtectedHeader(token: string): { readonly alg?: string; readonly kid?: string }
  jwtVerify(token: string, key: Key, options: object): Promise<{ readonly payload: object }>
  importSPKI(pem: string, alg: string): Promise<Key>
  importX509(pem: string, alg: string): Promise<Key>
  importPKCS8(pem: string, alg: string): Promise<Key>
  createLocalJWKSet(set: object): (header: { readonly alg: string; readonly kid?: string }) => Promise<Key>
  readonly SignJWT: new (payload: { [claim: string]: unknown }) => Signing
  readonly errors: {
    readonly JWKSMultipleMatchingKeys: new () => AsyncIterable<Key>
    readonly JWSSignatureVerificationFailed: new () => object
    readonly JWTExpired: new (message: string, claims: never) => object
    readonly JWTClaimValidationFailed: new (
      message: string,
      claims: never
    ) => {
      readonly claim: string
      readonly reason: string
    }
  }
}

interface Signing {
  setProtectedHeader(header: { readonly alg: string; readonly kid?: string; readonly typ?: string }): Signing
  sign(key: Key): Promise<string>
}

/** The header of a token, as far as it chooses a key. What it says of URLs and certificates (`jku`, `x5u`, `jwk`) is not read. */
export interface Header {
  readonly alg: string
  readonly kid?: string | undefined
}

/** Keys to verify with; E is how finding them may fail. */
export interface Keys<out E = never> {
  readonly "~jwt": {
    readonly family: "secret" | "public"
    /** The length of the shortest secret. */
    readonly bytes?: number
    /** Whether they are somebody else's, who signs tokens for others too. */
    readonly isRemote: boolean
    /** The keys that may have signed a token with this header. */
    readonly candidates: (jose: Library, header: Header) => Effect.Effect<ReadonlyArray<Key>, E>
  }
  /** The classes behind E, for the documents. */
  readonly errors: ReadonlyArray<ErrorClass>
}

/** A key to sign with. */
export interface SigningKey {
  readonly "~sign": (jose: Library) => Effect.Effect<{ readonly key: Key; readonly alg: string; readonly kid?: string }>
}

/** The algorithms of a family, with the bytes that a secret needs; the first of secrets is what is taken unless others are named. */
export const algorithms: Readonly<Record<Keys["~jwt"]["family"], ReadonlyMap<string, number>>> = {
  secret: new Map([
    ["HS256", 32],
    ["HS384", 48],
    ["HS512", 64]
  ]),
  public: new Map(
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"].map(
      (name) => [name, 0]
    )
  )
}

/** Loads the library. */
export const library: Effect.Effect<Library> = Effect.promise(() => import("jose"))

const encoder = new TextEncoder()

/** Secrets: the first signs, all verify. Throws a TypeError when one is shorter than 32 bytes. */
export const secret = (texts: ReadonlyArray<Redacted.Redacted<string> | string>): Keys & SigningKey => {
  const secrets = texts.map((text) => encoder.encode(typeof text === "string" ? text : Redacted.value(text)))
  const short = secrets.find((each) => each.length < 32)
  if (short !== undefined) {
    const cure = "make one with `openssl rand -base64 32`"
    throw new TypeError(`Jwt: The secret has ${short.length} bytes, at least 32 are needed; ${cure}`)
  }
  return {
    "~jwt": {
      family: "secret",
      bytes: Math.min(...secrets.map((each) => each.length)),
      isRemote: false,
      candidates: () => Effect.succeed(secrets)
    },
    "~sign": () => Effect.succeed({ key: secrets[0]!, alg: "HS256" }),
    errors: []
  }
}

/** A public key or a certificate in PEM. Throws a TypeError when it is neither. */
export const publicKey = (pem: string): Keys => {
  const kind = /^\s*-----BEGIN (PUBLIC KEY|CERTIFICATE)-----/.exec(pem)?.[1]
  if (kind === undefined) {
    const what = pem.includes("PRIVATE KEY") ? "a private key" : "no public key"
    throw new TypeError(`Jwt.publicKey: this is ${what}; give PEM that begins with "-----BEGIN PUBLIC KEY-----"`)
  }
  const load = (jose: Library, alg: string) =>
    kind === "CERTIFICATE" ? jose.importX509(pem, alg) : jose.importSPKI(pem, alg)
  const known = new Map<string, ReadonlyArray<Key>>()
  const candidates = (jose: Library, { alg }: Header) => {
    const found = known.get(alg)
    if (found !== undefined) return Effect.succeed(found)
    // A key of another algorithm does not load: then there is none for the token.
    return Effect.tryPromise(() => load(jose, alg)).pipe(
      Effect.match({ onFailure: () => [], onSuccess: (key) => [key] }),
      Effect.tap((keys) => Effect.sync(() => known.set(alg, keys)))
    )
  }
  return { "~jwt": { family: "public", isRemote: false, candidates }, errors: [] }
}

/** A private key in PEM (PKCS #8), for one algorithm. One that does not load is a defect of who signs. */
export const privateKey = (
  pem: Redacted.Redacted<string> | string,
  options: { readonly algorithm: string; readonly keyId?: string }
): SigningKey => {
  const { algorithm, keyId } = options
  if (!algorithms.public.has(algorithm)) {
    throw new TypeError(`Jwt.privateKey: "${algorithm}" is no algorithm of private keys; one is "ES256"`)
  }
  const text = typeof pem === "string" ? pem : Redacted.value(pem)
  return {
    "~sign": (jose) =>
      Effect.map(
        Effect.promise(() => jose.importPKCS8(text, algorithm)),
        (key) => ({
          key,
          alg: algorithm,
          ...(keyId === undefined ? undefined : { kid: keyId })
        })
      )
  }
}
