/**
 * Sets of public keys (JWKS): one that is given, and one that an issuer publishes.
 *
 * ```ts
 * const keys = remoteKeySet("https://id.example.com/jwks", {})
 * ```
 *
 * @spec RFC 7517 §5
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Jose from "jose"
import { ServiceUnavailable } from "../../HttpError.ts"
import type { Header, Key, Keys, Library } from "./jwtKeys.ts"
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
        ? Stream.runCollect(Stream.fromAsyncIterable(error, (cause) => cause))
        : Effect.succeed([])
    ),
    Effect.orElseSucceed(() => [])
  )

/** A set that is given. Throws a TypeError when it is none. */
export const keySet = (set: KeySet): Keys => {
  if (!Array.isArray(set?.keys) || set.keys.length === 0) {
    throw new TypeError("Jwt.keySet: there are no keys in it; give { keys: [...] }, as an issuer publishes it")
  }
  let find: Find | undefined
  return {
    "~jwt": {
      family: "public",
      isRemote: false,
      candidates: (jose, header) => {
        find ??= jose.createLocalJWKSet(set as unknown as Jose.JSONWebKeySet)
        return candidates(jose, find, header)
      }
    },
    errors: []
  }
}

// How long old keys count while the issuer cannot be asked.
const grace = Duration.toMillis("1 hour")

/** What is known of an issuer. */
interface Known {
  readonly find: Find
  readonly at: number
}

/**
 * The set that an issuer publishes: fetched with the first token and kept. However many tokens come, it is asked once at a time, and not
 * before the cooldown is over.
 */
export const remoteKeySet = (url: string | URL, options: RemoteOptions = {}): Keys<ServiceUnavailable> => {
  const { href } = secureUrl("Jwt.remoteKeySet", url, options.insecure)
  const cacheFor = Duration.toMillis(options.cacheFor ?? "10 minutes")
  const cooldown = Duration.toMillis(options.cooldown ?? "30 seconds")
  const timeout = options.timeout ?? "5 seconds"
  let known: Known | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Deferred.Deferred<Known, ServiceUnavailable> | undefined

  const unavailable = (more?: { readonly cause: unknown }) =>
    new ServiceUnavailable({ text: "The issuer of tokens does not answer", retryAfter: cooldown, ...more })

  const ask = (jose: Library, now: number): Effect.Effect<Known, ServiceUnavailable> =>
    fetched(href).pipe(
      Effect.timeout(timeout),
      Effect.flatMap((set) => Effect.try(() => jose.createLocalJWKSet(set as Jose.JSONWebKeySet))),
      Effect.mapError((cause) => unavailable({ cause })),
      Effect.map((find) => {
        known = { find, at: now }
        return known
      })
    )

  // The fiber that asks is nobody's: who leaves while it does takes nothing from the others.
  const renewed = (jose: Library, now: number): Effect.Effect<Known, ServiceUnavailable> =>
    Effect.suspend(() => {
      if (asking !== undefined) return Deferred.await(asking)
      if (now - askedAt < cooldown) return Effect.fail(unavailable())
      askedAt = now
      const answer = Deferred.makeUnsafe<Known, ServiceUnavailable>()
      asking = answer
      const end = (exit: Exit.Exit<Known, ServiceUnavailable>) =>
        Effect.sync(() => {
          asking = undefined
          Deferred.doneUnsafe(answer, exit)
        })
      return Effect.andThen(Effect.forkDetach(Effect.onExit(ask(jose, now), end)), Deferred.await(answer))
    })

  const current = (jose: Library, now: number): Effect.Effect<Known, ServiceUnavailable> => {
    const old = known
    if (old === undefined) return renewed(jose, now)
    if (now - old.at < cacheFor) return Effect.succeed(old)
    return Effect.catch(renewed(jose, now), (error) =>
      now - old.at < cacheFor + grace ? Effect.succeed(old) : Effect.fail(error)
    )
  }

  const find = Effect.fnUntraced(function* (jose: Library, header: Header) {
    const now = yield* Clock.currentTimeMillis
    const first = yield* current(jose, now)
    const keys = yield* candidates(jose, first.find, header)
    if (keys.length > 0 || (asking === undefined && now - askedAt < cooldown)) return keys
    // Nobody knows this key: it may be a new one.
    const second = yield* Effect.orElseSucceed(renewed(jose, now), () => first)
    return yield* candidates(jose, second.find, header)
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
