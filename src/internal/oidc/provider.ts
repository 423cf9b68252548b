/**
 * The provider that somebody logs in at, by `openid-client`: what it publishes, and what its failures mean.
 *
 * ```ts
 * const provider = make({ issuer: "https://id.example.com", clientId: "app" })
 * const { client, config } = yield* provider.get
 * ```
 *
 * @spec OpenID Connect Discovery 1.0; OpenID Connect Core 1.0 §3.1; RFC 9207
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { BadGateway, BadRequest, ServiceUnavailable } from "../../HttpError.ts"
import { kept } from "../auth/kept.ts"
import { secureUrl } from "../auth/secureUrl.ts"

/** What the provider has published. */
export interface Configuration {
  serverMetadata(): {
    readonly issuer: string
    readonly end_session_endpoint?: string
    readonly authorization_response_iss_parameter_supported?: boolean
  }
}

/** What the provider gives for a code. */
export interface Tokens {
  readonly access_token: string
  readonly id_token?: string
  readonly refresh_token?: string
  claims(): { readonly iss: string; readonly sub: string; readonly [claim: string]: unknown } | undefined
}

/** How the provider answers with an error. */
interface ErrorClass {
  new (...args: never): { readonly error: string }
}

type Parameters = Record<string, string>

/** What is used of `openid-client`, an optional package: its own types are not in those of this one. */
export interface Library {
  None(): unknown
  ClientSecretPost(secret: string): unknown
  ClientSecretBasic(secret: string): unknown
  enableNonRepudiationChecks(config: Configuration): void
  allowInsecureRequests(config: Configuration): void
  discovery(url: URL, clientId: string, metadata: undefined, auth: unknown, options: object): Promise<Configuration>
  randomState(): string
  randomNonce(): string
  randomPKCECodeVerifier(): string
  calculatePKCECodeChallenge(verifier: string): Promise<string>
  buildAuthorizationUrl(config: Configuration, parameters: Parameters): URL
  buildEndSessionUrl(config: Configuration, parameters: Parameters): URL
  authorizationCodeGrant(config: Configuration, url: URL, checks: object): Promise<Tokens>
  fetchUserInfo(
    config: Configuration,
    accessToken: string,
    subject: string
  ): Promise<{ readonly [claim: string]: unknown }>
  readonly ResponseBodyError: ErrorClass
}

/** The provider, and this server as its client. */
export interface Options {
  /** The URL that the provider gives as its name; what it publishes is below it. */
  readonly issuer: string
  readonly clientId: string
  /** Without it the client is a public one: PKCE alone proves who began a login. */
  readonly clientSecret?: Redacted.Redacted<string>
  /** How the secret is sent: in the head, as the standard has it, or in the body. */
  readonly clientAuth?: "basic" | "post"
  /** For each answer of the provider; 10 seconds. */
  readonly timeout?: Duration.Input
  /** Whether http is good enough, where others can read and change everything; only to this machine unless given. */
  readonly insecure?: boolean
}

/** What is known of the provider. */
export interface Provider {
  readonly client: Library
  readonly config: Configuration
}

const missing = "effect-web's Oidc is made of the package openid-client: npm i openid-client"

const library: Effect.Effect<Library> = Effect.tryPromise(() => import("openid-client")).pipe(
  /* v8 ignore next -- it is tested in a process that has no such package */
  Effect.mapError((error) => new Error(missing, { cause: error.cause })),
  Effect.orDie
)

/** The provider as it describes itself: asked for with the first login, and again after a day. */
export const make = (
  options: Options,
  seconds: number
): { readonly get: Effect.Effect<Provider, ServiceUnavailable> } => {
  const { clientId, clientSecret, insecure } = options
  const url = secureUrl("Oidc.make", options.issuer, insecure)
  const discover = Effect.flatMap(library, (client) => {
    const auth =
      clientSecret === undefined
        ? client.None()
        : client[options.clientAuth === "post" ? "ClientSecretPost" : "ClientSecretBasic"](Redacted.value(clientSecret))
    // The signature of an ID token is checked, not only the connection that it comes by.
    const execute = [
      client.enableNonRepudiationChecks,
      ...(url.protocol === "http:" ? [client.allowInsecureRequests] : [])
    ]
    const found = Effect.tryPromise(() =>
      client.discovery(url, clientId, undefined, auth, { execute, timeout: seconds })
    )
    return Effect.map(found, (config): Provider => ({ client, config }))
  })
  const { get } = kept(discover, {
    cacheFor: "1 day",
    cooldown: "10 seconds",
    timeout: options.timeout ?? "10 seconds",
    text: "The login provider does not answer"
  })
  return { get }
}

/** What a failure of the library means: the client's, that of the provider, or of the way to it. */
export const failure = (client: Library, error: unknown): BadRequest | BadGateway | ServiceUnavailable => {
  const stale = "This login is not valid any more: please begin again"
  const cause = told(error)
  if (error instanceof client.ResponseBodyError) {
    if (error.error === "invalid_grant") return new BadRequest({ text: stale, cause })
    return new BadGateway({ text: "The login provider refuses this server", cause })
  }
  // An ID token for another login, as of who has put in a code of somebody else.
  const isNonce = findCause(
    error,
    (error) => error.code === "OAUTH_JWT_CLAIM_COMPARISON_FAILED" && claimOf(error) === "nonce"
  )
  if (isNonce) return new BadRequest({ text: stale, cause })
  const isWay = error instanceof TypeError || findCause(error, (error) => error.code === "OAUTH_TIMEOUT")
  if (isWay) return new ServiceUnavailable({ text: "The login provider does not answer", cause })
  return new BadGateway({ text: "The login provider gave no valid answer", cause })
}

// The library's errors carry whole answers of the provider, tokens too, and one of JSON.parse a piece of them: only what they say is kept.
const told = (error: unknown, depth = 4): Error | undefined => {
  if (!(error instanceof Error) || depth === 0) return undefined
  const { code, error: reason } = error as { readonly code?: unknown; readonly error?: unknown }
  const details = [code, reason].filter((each) => typeof each === "string").map((each) => each.slice(0, 100))
  const message = error instanceof SyntaxError ? "It is no JSON" : error.message
  const cause = told(error.cause, depth - 1)
  const options = cause === undefined ? undefined : { cause }
  return Object.assign(new Error([message, ...details].join(", "), options), { name: error.name })
}

interface Caused {
  readonly code?: unknown
  readonly cause?: unknown
}

const findCause = (error: unknown, test: (error: Caused) => boolean, depth = 4): boolean =>
  depth > 0 &&
  typeof error === "object" &&
  error !== null &&
  (test(error) || findCause((error as Caused).cause, test, depth - 1))

const claimOf = ({ cause }: Caused): unknown => (cause as { readonly claim?: unknown } | undefined)?.claim
