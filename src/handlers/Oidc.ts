/**
 * Login at an OpenID provider: the way there, the way back, and the logout, for a session.
 *
 * ```ts
 * const login = Oidc.make({
 *   session: Visit, keys, issuer: "https://id.example.com", clientId: "app", clientSecret,
 *   onLogin: ({ claims }) => Users.use((users) => users.identityOf(claims.sub))
 * })
 * const app = App.make({ login: Route.mount("/auth", login), ... }).pipe(App.use(Session.make(Visit, { store })))
 * ```
 *
 * `GET /auth/login?return_to=/path` begins, `GET /auth/callback` is the redirect URI to be registered, `POST /auth/logout` ends. It is the
 * authorization code flow with PKCE, state and nonce; what is under way is in a sealed cookie for ten minutes, one for each tab. The session has another id
 * after it. `openid-client` does the protocol, and has to be installed; it goes by the clock of the machine.
 *
 * @spec OpenID Connect Core 1.0 §3.1; RFC 6749 §4.1; RFC 7636 (PKCE); RFC 9207 (iss); RFC 9700 (best current practice)
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import * as App from "../App.ts"
import { BadGateway, BadRequest, Forbidden, type ServiceUnavailable } from "../HttpError.ts"
import * as Query from "../http/Query.ts"
import * as Flow from "../internal/oidc/flow.ts"
import * as Provider from "../internal/oidc/provider.ts"
import * as target from "../internal/requests/target.ts"
import * as Response from "../Response.ts"
import * as Route from "../Route.ts"
import type { KeyRing } from "../Sealed.ts"

/** Who has logged in, as the provider says it. */
export interface Login {
  /** The claims of the ID token: `sub` is who it is for this issuer, and the only one that never changes. */
  readonly claims: { readonly iss: string; readonly sub: string; readonly [claim: string]: unknown }
  readonly idToken: Redacted.Redacted<string>
  readonly accessToken: Redacted.Redacted<string>
  readonly refreshToken: Redacted.Redacted<string> | undefined
  /** What the provider's userinfo endpoint tells of them. */
  readonly userInfo: Effect.Effect<Readonly<Record<string, unknown>>, BadRequest | BadGateway | ServiceUnavailable>
}

/** The provider, the session, and what a login means. */
export interface Options<I, Id, E, R, E2> extends Provider.Options {
  readonly session: Context.Key<
    I,
    {
      readonly rotate: (identity: Id, options?: { readonly remember?: boolean }) => Effect.Effect<void, E2>
      readonly invalidate: Effect.Effect<void, E2>
    }
  >
  /** For the cookie of a login that is under way. */
  readonly keys: KeyRing
  /** The identity of who has logged in, as the session keeps it; undefined turns them away with 403. */
  readonly onLogin: (login: Login) => Effect.Effect<NoInfer<Id> | undefined, E, R>
  /** "openid" and more, with spaces between; "openid" unless given. */
  readonly scope?: string
  /** More parameters for the provider, as `prompt` or `audience`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** The origin that browsers know this server by, as "https://app.example.com"; that of the request unless given. */
  readonly origin?: string
  /** Where to go without a `return_to`, and after the logout; "/" unless given. */
  readonly home?: string
  /** Whether the session is kept when the browser is closed. */
  readonly remember?: boolean
  /** Whether the logout goes on to the provider, to end the session there too; false. */
  readonly logoutAtProvider?: boolean
  /** What the names of its cookies begin with; "oidc" unless given. */
  readonly cookie?: string
}

/**
 * Makes the app with `/login`, `/callback` and `/logout`, to be mounted.
 *
 * @errors BadRequest (400) a callback that belongs to no login of this browser; Forbidden (403) who is refused by the provider or by
 * `onLogin`; BadGateway (502) and ServiceUnavailable (503) a provider that answers wrongly or not at all
 */
export const make = <I, Id, E = never, R = never, E2 = never>(options: Options<I, Id, E, R, E2>) => {
  checkOptions(options)
  const { home = "/", session } = options
  const timeout = Duration.toSeconds(options.timeout ?? "10 seconds")
  const provider = Provider.make(options, timeout)
  const purpose = `${options.issuer} ${options.clientId}`
  const flows = Flow.make({ name: options.cookie ?? "oidc", keys: options.keys, purpose })

  const login = Effect.gen(function* () {
    const request = yield* HttpServerRequest
    const { client, config } = yield* provider.get
    const flow: Flow.Flow = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
      returnTo: Flow.returnTo(query(request).get("return_to"), home),
      redirectUri: urlOf(request, options.origin).replace(/\/login\/?$/, "/callback")
    }
    const challenge = yield* Effect.promise(() => client.calculatePKCECodeChallenge(flow.verifier))
    const to = client.buildAuthorizationUrl(config, {
      ...options.parameters,
      scope: options.scope ?? "openid",
      redirect_uri: flow.redirectUri,
      code_challenge: challenge,
      code_challenge_method: "S256",
      state: flow.state,
      nonce: flow.nonce
    })
    return yield* flows.begin(request, redirect(to.href), flow)
  })

  const callback = Effect.gen(function* () {
    const request = yield* HttpServerRequest
    const parameters = query(request)
    const [state, ...more] = parameters.getAll("state")
    const flow = state === undefined || more.length > 0 ? undefined : yield* flows.find(request, state)
    if (flow === undefined) return yield* notBegun
    const { client, config } = yield* provider.get
    yield* refused(parameters, config.serverMetadata())
    const url = new URL(flow.redirectUri)
    url.search = answerOf(parameters)
    const checks = { pkceCodeVerifier: flow.verifier, expectedState: flow.state, expectedNonce: flow.nonce }
    const tokens = yield* Effect.tryPromise({
      try: () => client.authorizationCodeGrant(config, url, checks),
      catch: (cause) => Provider.failure(client, cause)
    })
    const identity = yield* options.onLogin(loginOf({ client, config }, tokens))
    if (identity === undefined) return yield* new Forbidden({ text: "You are not known here" })
    const { rotate } = yield* session
    yield* options.remember === undefined ? rotate(identity) : rotate(identity, { remember: options.remember })
    return flows.end(request, redirect(flow.returnTo), flow)
  })

  const logout = Effect.gen(function* () {
    const request = yield* HttpServerRequest
    const { invalidate } = yield* session
    yield* invalidate
    if (options.logoutAtProvider !== true) return redirect(home)
    const { client, config } = yield* provider.get
    if (config.serverMetadata().end_session_endpoint === undefined) return redirect(home)
    const back = new URL(home, urlOf(request, options.origin)).href
    return redirect(client.buildEndSessionUrl(config, { post_logout_redirect_uri: back }).href)
  })

  return App.make({
    login: Route.get("/login", login),
    callback: Route.get("/callback", callback),
    logout: Route.post("/logout", logout)
  })
}

const notBegun = Effect.suspend(() =>
  Effect.fail(new BadRequest({ text: "This login was not begun in this browser, or too long ago: please begin again" }))
)

const checkOptions = ({ home = "/", origin, scope = "openid" }: { home?: string; origin?: string; scope?: string }) => {
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).origin !== origin)) {
    throw new TypeError(`Oidc.make: "${origin}" is no origin; give one, as "https://app.example.com"`)
  }
  if (Flow.returnTo(home, "") === "")
    throw new TypeError(`Oidc.make: home is "${home}", which is no path of this server`)
  if (!scope.split(" ").includes("openid"))
    throw new TypeError(`Oidc.make: scope is "${scope}"; it needs "openid" in it`)
}

const redirect = (location: string): HttpServerResponse =>
  Response.redirect(location, { status: 303, headers: { "cache-control": "no-store" } })

const query = (request: HttpServerRequest) => Query.parse(target.split(request.url).search)

const urlOf = (request: HttpServerRequest, origin: string | undefined): string => {
  const { pathname, origin: own } = new URL(target.url(request))
  return `${origin ?? own}${pathname}`
}

const isOnly = (parameters: Query.Query, name: string, wanted: string): boolean => {
  const [value, ...more] = parameters.getAll(name)
  return more.length === 0 && value === wanted
}

const isOne = (parameters: Query.Query, name: string): boolean => {
  const [value = "", ...more] = parameters.getAll(name)
  return more.length === 0 && value !== ""
}

// What belongs to other flows, as an ID token, is no answer to this one: the library would take it for the provider's mistake.
const answerOf = (parameters: Query.Query): string =>
  new URLSearchParams(
    ["code", "state", "iss"].flatMap((name) => parameters.getAll(name).map((value) => [name, value]))
  ).toString()

/** Stops what another issuer answers (RFC 9207 §2.4), and what is an error. */
const refused = (
  parameters: Query.Query,
  metadata: { readonly issuer: string; readonly authorization_response_iss_parameter_supported?: boolean | undefined }
) =>
  Effect.suspend((): Effect.Effect<void, BadRequest | Forbidden | BadGateway> => {
    const isNamed = parameters.has("iss") || metadata.authorization_response_iss_parameter_supported === true
    if (isNamed && !isOnly(parameters, "iss", metadata.issuer)) return notBegun
    const error = parameters.get("error")
    if (error === undefined) return isOne(parameters, "code") ? Effect.void : notBegun
    if (isRefusal.test(error)) return Effect.fail(new Forbidden({ text: "The login was refused" }))
    const cause = new Error(`The login provider says ${JSON.stringify(error.slice(0, 100))}`)
    return Effect.fail(new BadGateway({ text: "The login provider failed", cause }))
  })

const isRefusal = /^(?:access_denied|(?:login|interaction|consent|account_selection)_required)$/

const loginOf = ({ client, config }: Provider.Provider, tokens: Provider.Tokens): Login => {
  // Without an ID token the nonce would not have been the expected one.
  const claims = tokens.claims() as Login["claims"]
  return {
    claims,
    idToken: Redacted.make(tokens.id_token as string, { label: "idToken" }),
    accessToken: Redacted.make(tokens.access_token, { label: "accessToken" }),
    refreshToken:
      tokens.refresh_token === undefined ? undefined : Redacted.make(tokens.refresh_token, { label: "refreshToken" }),
    userInfo: Effect.tryPromise({
      try: () => client.fetchUserInfo(config, tokens.access_token, claims.sub),
      catch: (cause) => Provider.failure(client, cause)
    })
  }
}
