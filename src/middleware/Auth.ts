/**
 * Who asks: schemes find the principal behind the credentials of a request, and middleware provides it as a service.
 *
 * ```ts
 * class CurrentUser extends Context.Service<CurrentUser, User>()("app/CurrentUser") {}
 * const bearer = Auth.bearer((token) => Users.use((users) => users.byToken(token)), { realm: "api" })
 * const admin = App.make(routes).pipe(
 *   App.use(Auth.permit(CurrentUser, (user) => user.isAdmin)), // 403
 *   App.use(Auth.require(CurrentUser, bearer)) // 401
 * )
 * ```
 *
 * A handler that needs `CurrentUser` does not compile without the middleware. Secrets come as `Redacted`; compare them by
 * `Auth.equals`. Whatever a client sends as credentials is a 401 at worst.
 *
 * @source aiohttp-security; aiohttp_remotes.BasicAuth; aiohttp.BasicAuth
 * @spec RFC 9110 §11; RFC 6750 (bearer); RFC 7617 (basic)
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Engine, Handler } from "../Handler.ts"
import { Forbidden, Unauthorized } from "../HttpError.ts"
import * as Syntax from "../http/Syntax.ts"
import * as Credentials from "../internal/auth/credentials.ts"
import * as Place from "../internal/auth/place.ts"
import * as Scheme from "../internal/auth/scheme.ts"
import type { ErrorClass, Middleware } from "../Middleware.ts"
import * as Response from "../Response.ts"

export type { UserPass } from "../internal/auth/credentials.ts"
export { equals } from "../internal/auth/equals.ts"
export type { Place } from "../internal/auth/place.ts"
export { any, make, type Scheme, type Verify } from "../internal/auth/scheme.ts"

/**
 * `realm` names what is protected, "Restricted" unless given (none for API keys); the classes in `errors` are those that `verify` fails
 * with, for the documents.
 */
export interface Options {
  readonly realm?: string
  readonly errors?: ReadonlyArray<ErrorClass>
}

/**
 * `Authorization: Bearer <token>`. A token with other letters than RFC 6750 has, or a second field, is refused unseen. `verify` gives
 * the principal; undefined, or Unauthorized with a `text` that tells the client why, refuses: `error="invalid_token"`.
 *
 * @source aiohttp_security.JWTIdentityPolicy
 * @spec RFC 6750 §2.1, §3
 */
export const bearer = <A, E = never, R = never>(
  verify: Scheme.Verify<Redacted.Redacted<string>, A, E, R>,
  options: Options = {}
): Scheme.Scheme<A, Exclude<E, Unauthorized>, R> => {
  // RFC 6750 §3: at least one parameter has to follow
  const realm = `realm=${Syntax.quote(options.realm ?? "Restricted")}`
  const challenge = (...more: ReadonlyArray<string>) => `Bearer ${[realm, ...more].join(", ")}`
  const invalid = (text?: string): string =>
    challenge(`error="invalid_token"`, ...(text === undefined ? [] : [`error_description="${description(text)}"`]))
  return reading(challenge(), ["authorization"], verify, options, (request) => {
    const token = Credentials.find(request, "bearer")
    if (token === undefined) return undefined
    if (!Credentials.isToken(token)) return Effect.fail(new Unauthorized({ challenges: [invalid()] }))
    return Scheme.verified(verify, Redacted.make(token, { label: "bearer" }), invalid)
  })
}

/**
 * `Authorization: Basic`, a name and a password in UTF-8. A name has no colon, and neither has
 * control characters: such credentials are refused unseen. Browsers ask for them on their own, and send them to every page after.
 *
 * @source aiohttp.BasicAuth; aiohttp_remotes.BasicAuth
 * @spec RFC 7617
 */
export const basic = <A, E = never, R = never>(
  verify: Scheme.Verify<Credentials.UserPass, A, E, R>,
  options: Options = {}
): Scheme.Scheme<A, Exclude<E, Unauthorized>, R> => {
  const challenge = `Basic realm=${Syntax.quote(options.realm ?? "Restricted")}, charset="UTF-8"`
  return reading(challenge, ["authorization"], verify, options, (request) => {
    const token = Credentials.find(request, "basic")
    if (token === undefined) return undefined
    const credentials = Credentials.basic(token)
    if (credentials === undefined) return Effect.fail(new Unauthorized({ challenges: [challenge] }))
    return Scheme.verified(verify, credentials, () => challenge)
  })
}

/**
 * A key in a place of its own. An empty one is none. The addresses of requests get into logs and histories, and a key in the query with
 * them: prefer a header. A cookie is sent by browsers also when another site asks: then there has to be a protection against that.
 */
export const apiKey = <A, E = never, R = never>(
  verify: Scheme.Verify<Redacted.Redacted<string>, A, E, R>,
  options: Options & Place.Place
): Scheme.Scheme<A, Exclude<E, Unauthorized>, R> => {
  const place = Place.make(options)
  const realm = options.realm === undefined ? "" : `realm=${Syntax.quote(options.realm)}, `
  const challenge = `ApiKey ${realm}in="${place.kind}", name=${Syntax.quote(place.name)}`
  return reading(challenge, place.vary, verify, options, (request) => {
    const keys = place.read(request).filter((key) => key !== "")
    if (keys.length === 0) return undefined
    if (keys.length > 1) return Effect.fail(new Unauthorized({ challenges: [challenge] }))
    return Scheme.verified(verify, Redacted.make(keys[0]!, { label: "apiKey" }), () => challenge)
  })
}

/**
 * The identity of a session, which only `rotate` of the session sets. An identity for which `find` gives undefined, as of a user who
 * was deleted, is none.
 *
 * @source aiohttp_security.SessionIdentityPolicy
 */
export const session = <I, Id, A, E = never, R = never>(
  service: Context.Key<I, { readonly identity: Effect.Effect<Option.Option<Id>> }>,
  find: (identity: Id) => Effect.Effect<A | undefined, E, R>,
  options: Options = {}
): Scheme.Scheme<A, Exclude<E, Unauthorized>, I | R> =>
  Scheme.make({
    challenge: `Session realm=${Syntax.quote(options.realm ?? "Restricted")}`,
    errors: options.errors,
    authenticate: Effect.gen(function* () {
      const { identity } = yield* service
      const id = yield* identity
      return Option.isNone(id) ? undefined : yield* find(id.value)
    })
  })

/**
 * Provides the principal to the handlers, who run only when there is one.
 *
 * @errors Unauthorized (401) no credentials, or such that are refused; and what the scheme fails with
 * @source aiohttp_security.check_authorized
 */
export const require = <I, S, E = never, R = never>(
  service: Context.Key<I, S>,
  scheme: Scheme.Scheme<NoInfer<S>, E, R>
): Middleware<I, Unauthorized | E, Exclude<R, Engine>> =>
  providing(service, scheme, (found) =>
    found === undefined ? Effect.fail(Scheme.missing(scheme)) : Effect.succeed(found)
  )

/**
 * Provides the principal, or undefined to who comes without credentials.
 *
 * @errors Unauthorized (401) credentials that are refused; and what the scheme fails with
 * @source aiohttp_security.authorized_userid, is_anonymous
 */
export const optional = <I, S, E = never, R = never>(
  // Shapes of keys are covariant: a service that cannot be undefined would fit one that can.
  service: Context.Key<I, S> & (undefined extends S ? unknown : "The service cannot be undefined: use another one"),
  scheme: Scheme.Scheme<NoInfer<Exclude<S, undefined>>, E, R>
): Middleware<I, Unauthorized | E, Exclude<R, Engine>> => providing(service, scheme, Effect.succeed)

/**
 * Lets pass who may. It needs the principal: `Auth.require` has to come after it in the pipe.
 *
 * @errors Forbidden (403) when the check says no, with `text`
 * @source aiohttp_security.check_permission
 */
export const permit = <I, S, E = never, R = never>(
  service: Context.Key<I, S>,
  check: (principal: S) => boolean | Effect.Effect<boolean, E, R>,
  options: { readonly text?: string; readonly errors?: ReadonlyArray<ErrorClass> } = {}
): Middleware<never, Forbidden | E, I | Exclude<R, Engine>> => {
  const { errors = [], ...fields } = options
  const middleware = (handler: Handler<unknown, unknown>) =>
    Effect.flatMap(service, (principal) => {
      const says = check(principal)
      const refuse = Effect.suspend(() => Effect.fail(new Forbidden(fields)))
      if (typeof says === "boolean") return says ? handler : refuse
      return Effect.flatMap(says, (may): Handler<unknown, unknown> => (may ? handler : refuse))
    })
  // What it adds and needs is said by the return type.
  return Object.assign(middleware, { errors: [Forbidden, ...errors] }) as never
}

const providing = <I, S, A, E, R>(
  service: Context.Key<I, S>,
  scheme: Scheme.Scheme<A, E, R>,
  settle: (found: A | undefined) => Effect.Effect<S, Unauthorized>
): Middleware<I, Unauthorized | E, Exclude<R, Engine>> => {
  const principal = Effect.flatMap(scheme.authenticate, settle)
  const names = scheme.vary.join(", ")
  const vary: HttpEffect.PreResponseHandler = (_, response) => Effect.succeed(Response.vary(response, names))
  const middleware = (handler: Handler<unknown, unknown>) => {
    const inner = Effect.flatMap(principal, (found) => Effect.provideService(handler, service, found))
    return names === "" ? inner : HttpEffect.withPreResponseHandler(inner, vary)
  }
  // What it provides, adds and needs is said by the return type.
  return Object.assign(middleware, { errors: [Unauthorized, ...scheme.errors] }) as never
}

const reading = <A, E, R>(
  challenge: string,
  vary: ReadonlyArray<string>,
  verify: { readonly errors?: ReadonlyArray<ErrorClass> },
  options: Options,
  authenticate: (request: HttpServerRequest) => Effect.Effect<A, Unauthorized | E, R> | undefined
): Scheme.Scheme<A, Exclude<E, Unauthorized>, R> =>
  Scheme.make({
    challenge,
    vary,
    errors: [...(options.errors ?? []), ...(verify.errors ?? [])],
    authenticate: Effect.flatMap(HttpServerRequest, (request) => authenticate(request) ?? nobody)
  })

const nobody = Effect.succeed(undefined)

// What RFC 6750 §3 allows in a description.
const description = (text: string): string => text.replace(/["\\]/g, "'").replace(/[^ -~]/g, "?")
