/**
 * Sets of public keys (JWKS): one that is given, and one that an issuer publishes.
 *
 * ```ts
 * const keys = remoteKeySet("https://id.example.com/jwks", {})
 * ```
 *
 * @spec RFC 7517 §5
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ServiceUnavailable } from "../../HttpError.ts"
import { type Header, type Key, type Keys, type Library, library } from "./jwtKeys.ts"
import { kept } from "./kept.ts"
import { secureUrl } from "./secureUrl.ts"

/** A set of keys, as JSON says it: `{ keys: [{ kty: "EC", ... }] }`. */
export interface KeySet {
  readonly keys: ReadonlyArray<{ readonly kty: string; readonly [member: string]: unknown }>
}

/** How a set is fetched and kept. */
export interface RemoteOptions {
  /** How long keys count without asking again; 10 minutes. When the issuer is silent then, they count for an hour more. */
  readonly cacheFor?: Duration.Input
  /** How long the issuer is not asked after it was: for keys that nobody knows, and when it failed; 30 seconds. */
  readonly cooldown?: Duration.Input
  /** For one answer of the issuer; 5 seconds. */
  readonly timeout?: Duration.Input
  /** Whether http is good enough, where others can change the keys on their way; only to this machine unless given. */
  readonly insecure?: boolean
}

type Find = ReturnType<Library["createLocalJWKSet"]>

/** The keys of a set that may have signed a token with this header. */
const candidates = (jose: Library, find: Find, { alg, kid }: Header): Effect.Effect<ReadonlyArray<Key>> =>
  Effect.tryPromise({ try: () => find(kid === undefined ? { alg } : { alg, kid }), catch: (error) => error }).pipe(
    Effect.map((key): ReadonlyArray<Key> => [key]),
    Effect.catch((error) =>
      error instanceof jose.errors.JWKSMultipleMatchingKeys
        ? Effect.orDie(Stream.runCollect(Stream.fromAsyncIterable(error, String)))
        : Effect.succeed([])
    )
  )

/** A set that is given. Throws a TypeError when it is none. */
export const keySet = (set: KeySet): Keys => {
  const keys: unknown = set?.keys
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every((key) => typeof key?.kty === "string")) {
    throw new TypeError("Jwt.keySet: there are no keys in it; give { keys: [...] }, as an issuer publishes it")
  }
  let find: Find | undefined
  return {
    "~jwt": {
      family: "public",
      isRemote: false,
      candidates: (jose, header) => {
        find ??= jose.createLocalJWKSet(set)
        return candidates(jose, find, header)
      }
    },
    errors: []
  }
}

/**
 * The set that an issuer publishes: fetched with the first token and kept. However many tokens come, it is asked once at a time, and not
 * before the cooldown is over.
 */
export const remoteKeySet = (url: string | URL, options: RemoteOptions = {}): Keys<ServiceUnavailable> => {
  const { href } = secureUrl("Jwt.remoteKeySet", url, options.insecure)
  const set = kept(
    Effect.flatMap(library, (jose) =>
      Effect.flatMap(fetched(href), (set) => Effect.try(() => jose.createLocalJWKSet(set as object)))
    ),
    {
      cacheFor: options.cacheFor ?? "10 minutes",
      cooldown: options.cooldown ?? "30 seconds",
      timeout: options.timeout ?? "5 seconds",
      text: "The issuer of tokens does not answer"
    }
  )
  const find = Effect.fnUntraced(function* (jose: Library, header: Header) {
    const first = yield* set.get
    const keys = yield* candidates(jose, first, header)
    if (keys.length > 0) return keys
    // Nobody knows this key: it may be a new one.
    const second = yield* Effect.orElseSucceed(set.renew, () => first)
    return second === first ? keys : yield* candidates(jose, second, header)
  })
  return { "~jwt": { family: "public", isRemote: true, candidates: find }, errors: [ServiceUnavailable] }
}

// In bytes: some hundred keys are far below it.
const largest = 1024 * 1024

// A client among the services is taken; without one it is fetch. Redirects are not followed: keys come from where they are said to be.
const fetched = Effect.fnUntraced(
  function* (url: string) {
    const found = yield* Effect.serviceOption(HttpClient.HttpClient)
    const client = Option.isSome(found)
      ? found.value
      : yield* Effect.provide(HttpClient.HttpClient, FetchHttpClient.layer)
    const response = yield* client.get(url, { headers: { accept: "application/jwk-set+json, application/json" } })
    if (response.status !== 200) return yield* Effect.fail(new Error(`${url} answered with ${response.status}`))
    const chunks: Array<Uint8Array> = []
    let size = 0
    yield* Stream.runForEach(response.stream, (chunk) => {
      chunks.push(chunk)
      size += chunk.byteLength
      return size > largest ? Effect.fail(new Error(`${url} answered with more than ${largest} bytes`)) : Effect.void
    })
    const text = yield* Effect.promise(() => new Blob(chunks as Array<BlobPart>).text())
    return yield* Effect.try((): unknown => JSON.parse(text))
  },
  Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
)
