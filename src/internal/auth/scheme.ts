/**
 * A way to tell who asks: reads credentials from the request and finds the principal behind them.
 *
 * ```ts
 * const scheme = make({ challenge: "Bearer", authenticate: Effect.succeed({ name: "Ada" }) })
 * const either = any([scheme, other])
 * ```
 *
 * Nothing is one of three things: no credentials (`undefined`), credentials that are refused (Unauthorized), a principal.
 *
 * @spec RFC 9110 §11
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { Unauthorized } from "../../HttpError.ts"
import type { ErrorClass } from "../../Middleware.ts"

/** Finds a principal A by what the request carries; may fail with E, and needs R. */
export interface Scheme<out A, out E = never, out R = never> {
  /** The principal, or undefined where the request has no credentials of this scheme. Those that are refused fail. */
  readonly authenticate: Effect.Effect<A | undefined, Unauthorized | E, R | HttpServerRequest>
  /** What `WWW-Authenticate` says to who comes without credentials. */
  readonly challenge: string
  /** The classes behind E, for the documents. */
  readonly errors: ReadonlyArray<ErrorClass>
  /** The fields of the request that credentials stand in, for `Vary`: caches keep what one got from the others. */
  readonly vary: ReadonlyArray<string>
}

/** Finds the principal behind credentials: undefined, or a failure with Unauthorized, refuses them. */
export interface Verify<in Credentials, out A, out E, out R> {
  (credentials: Credentials): Effect.Effect<A | undefined, E, R>
  /** The classes behind E, for the documents. */
  readonly errors?: ReadonlyArray<ErrorClass>
}

/** Makes a scheme. */
export const make = <A, E = never, R = never>(scheme: {
  readonly authenticate: Effect.Effect<A | undefined, Unauthorized | E, R | HttpServerRequest>
  readonly challenge: string
  readonly errors?: ReadonlyArray<ErrorClass> | undefined
  readonly vary?: ReadonlyArray<string> | undefined
}): Scheme<A, Exclude<E, Unauthorized>, R> => {
  checkChallenge(scheme.challenge)
  // What is Unauthorized is so with or without E.
  return { ...scheme, errors: scheme.errors ?? [], vary: scheme.vary ?? [] } as Scheme<A, never, R>
}

/**
 * Several schemes as one: the first that finds a principal counts. Credentials are refused when no scheme accepts any; the challenges
 * are those of all.
 */
export const any = <const Schemes extends ReadonlyArray<Scheme<unknown, unknown, unknown>>>(
  schemes: Schemes
): Scheme<Principal<Schemes[number]>, Failure<Schemes[number]>, Needs<Schemes[number]>> => {
  if (schemes.length === 0) throw new TypeError("Auth.any: there is no scheme in it; give one or more")
  const authenticate = Effect.gen(function* () {
    let first: Unauthorized | undefined
    const challenges: Array<ReadonlyArray<string>> = []
    for (const scheme of schemes) {
      const found = yield* Effect.catchIf(scheme.authenticate, isUnauthorized, Effect.succeed)
      if (!isUnauthorized(found)) {
        if (found !== undefined) return found
        challenges.push([scheme.challenge])
      } else {
        first ??= found
        challenges.push(found.challenges ?? [scheme.challenge])
      }
    }
    return first === undefined ? undefined : yield* challenged(first, unique(challenges.flat()))
  })
  const challenge = unique(schemes.map((scheme) => scheme.challenge)).join(", ")
  // What the schemes find, fail with and need is said by the return type.
  const errors = unique(schemes.flatMap((scheme) => scheme.errors))
  return { authenticate, challenge, errors, vary: unique(schemes.flatMap((scheme) => scheme.vary)) } as never
}

/** The failure for who has no credentials. */
export const missing = ({ challenge }: Scheme<unknown, unknown, unknown>): Unauthorized =>
  new Unauthorized({ challenges: [challenge] })

/** Refuses what `verify` refuses; a refusal without challenges gets the one that `challenge` makes of its text. */
export const verified = <Credentials, A, E, R>(
  verify: Verify<Credentials, A, E, R>,
  credentials: Credentials,
  challenge: (text: string | undefined) => string
): Effect.Effect<A, Unauthorized | E, R> =>
  verify(credentials).pipe(
    Effect.flatMap((found) => (found === undefined ? Effect.fail(new Unauthorized()) : Effect.succeed(found))),
    Effect.mapError((error) =>
      isUnauthorized(error) && error.challenges === undefined ? challenged(error, [challenge(error.text)]) : error
    )
  )

// The cause is not among what is spread: errors hide theirs.
const challenged = (error: Unauthorized, challenges: ReadonlyArray<string>): Unauthorized =>
  new Unauthorized({ ...error, ...(error.cause === undefined ? undefined : { cause: error.cause }), challenges })

const isUnauthorized = (u: unknown): u is Unauthorized => u instanceof Unauthorized

const unique = <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => [...new Set(all)]

const checkChallenge = (challenge: string): void => {
  if (/^[!#$%&'*+\-.^_`|~\w]+(?: [\t -~\x80-\xff]+)?$/.test(challenge)) return
  throw new TypeError(
    `Auth: ${JSON.stringify(challenge)} is no challenge; write a scheme and its parameters, as 'Bearer realm="api"'`
  )
}

type Principal<S> = S extends Scheme<infer A, unknown, unknown> ? A : never
type Failure<S> = S extends Scheme<unknown, infer E, unknown> ? E : never
type Needs<S> = S extends Scheme<unknown, unknown, infer R> ? Exclude<R, HttpServerRequest> : never
