/**
 * Refuses what pages of other sites make a browser send: requests that change something, in the name of its visitor.
 *
 * ```ts
 * const app = App.make(routes).pipe(App.use(Csrf.make({ exempt: ["/hooks/stripe"] })))
 * const withTokens = App.make(routes).pipe(App.use(Csrf.make({ tokens: { keys } }))) // for browsers of before 2020 too
 * const form = Effect.map(Csrf.field, (field) => Response.html(html`<form method="post">${field}<button>Buy</button></form>`))
 * ```
 *
 * GET, HEAD and OPTIONS pass: they must change nothing. Else `Sec-Fetch-Site` has to be "same-origin" or "none"; without it, `Origin`
 * has to name the host of the request. A request with neither is of no browser, or of an old one: it passes, unless there are `tokens`.
 * The handshakes of WebSockets are GET; their endpoints look at the origin themselves.
 *
 * A token is taken from the header `x-csrf-token`, the field `csrf_token` of a form, or with a multipart body the query, because that
 * body is the handler's to stream. Where `Session` is outside of this it is tied to the login: with a login, a logout and a new id it
 * ends. Where the session knows no identity it is tied to the session, and ends when one begins too.
 *
 * @source Go 1.25 net/http CrossOriginProtection; OWASP signed double-submit cookie
 * @spec W3C Fetch Metadata §2.1; RFC 6454 §7; RFC 9110 §9.2.1
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import * as Body from "../Body.ts"
import { RouteContext } from "../Handler.ts"
import { type Html, html } from "../Html.ts"
import * as HttpError from "../HttpError.ts"
import * as MediaType from "../http/MediaType.ts"
import * as Query from "../http/Query.ts"
import * as Syntax from "../http/Syntax.ts"
import * as Secrets from "../internal/csrf/token.ts"
import * as Passage from "../internal/exchange/passage.ts"
import * as target from "../internal/requests/target.ts"
import { fresh } from "../internal/responses/fresh.ts"
import * as Exempt from "../internal/security/exempt.ts"
import * as Origin from "../internal/security/origin.ts"
import { SessionBinding } from "../internal/session/binding.ts"
import type { Middleware } from "../Middleware.ts"
import * as Response from "../Response.ts"
import type { KeyRing } from "../Sealed.ts"

/** Who may send. */
export interface Options {
  /** Other origins whose pages may: origins, and patterns as "https://*.example.com". */
  readonly trustedOrigins?: ReadonlyArray<string | RegExp>
  /** The routes that check for themselves who sends, as webhooks do. */
  readonly exempt?: Exempt.Exempt
  readonly tokens?: Tokens
}

/** How tokens are made, and when they are asked for. */
export interface Tokens {
  readonly keys: KeyRing
  /** Whether requests that name their origin need one too; false unless set. Those of trusted origins never do. */
  readonly always?: boolean
  /** The name of the cookie, behind the prefix "__Host-" that it gets where it is Secure; "csrf" unless set. */
  readonly cookie?: string
  /** Whether the cookie is Secure. Unless said it is, but for http on localhost, 127.0.0.0/8, [::1] and names below .localhost and .test. */
  readonly secure?: boolean
  /** The name of the field in forms and queries; "csrf_token" unless set. */
  readonly field?: string
  /** The name of the header; "x-csrf-token" unless set. */
  readonly header?: string
}

/** The request was made by a page of another site. */
export class CrossOrigin extends HttpError.define<CrossOrigin>()("CrossOrigin", { status: 403 }) {}

/** The token is missing, or not of this browser and this login. */
export class InvalidToken extends HttpError.define<InvalidToken>()("InvalidToken", { status: 403 }) {}

/** The tokens of the request; there inside the middleware when it has `tokens`. */
export class Token extends Context.Service<Token, { readonly token: Effect.Effect<string>; readonly field: string }>()(
  "effect-web/Csrf/Token"
) {}

/**
 * A token for a form or for the header of a script's request. Setting the cookie, if there is none yet, and `Cache-Control: no-store`,
 * unless the page says otherwise, are left to the middleware. Another text each time: all are valid.
 */
export const token: Effect.Effect<string, never, Token> = Effect.flatMap(Token, ({ token }) => token)

/** The token as the hidden field of a form. */
export const field: Effect.Effect<Html, never, Token> = Effect.flatMap(Token, ({ field, token }) =>
  Effect.map(token, (value) => html`<input type="hidden" name="${field}" value="${value}">`)
)

type Fields = Readonly<Record<string, string | undefined>>
type Unreadable = HttpError.BadRequest | HttpError.ContentTooLarge | HttpError.UnsupportedMediaType

/**
 * Makes the middleware. Throws a TypeError for origins and names that are none.
 *
 * @errors CrossOrigin (403) another site; with `tokens` InvalidToken (403), and what reading a form fails with: 400, 413, 415
 */
export const make: {
  (options: Options & { readonly tokens: Tokens }): Middleware<Token, CrossOrigin | InvalidToken | Unreadable>
  (options?: Options): Middleware<never, CrossOrigin>
} = (options: Options = {}): never => {
  const { exempt, tokens, trustedOrigins = [] } = options
  const isTrusted = Origin.matcher(trustedOrigins)
  const isExempt = Exempt.compile(exempt)
  const judge = (request: HttpServerRequest, route: RouteContext["Service"]): "passes" | "fails" | "has to show" => {
    if (isSafe(request.method)) return "passes"
    const from = sender(request, isTrusted)
    if (from === "trusted" || (from === "same" && tokens?.always !== true) || isExempt(request, route)) return "passes"
    return from === "other" ? "fails" : "has to show"
  }
  if (tokens === undefined) {
    const middleware = Passage.middleware(({ request, route }) =>
      judge(request, route) === "fails" ? crossOrigin : undefined
    )
    return Object.assign(middleware, { errors: [CrossOrigin] }) as never
  }
  const { check, provide } = guard(tokens)
  const middleware = (inner: Effect.Effect<unknown>) =>
    Effect.withFiber((fiber): Effect.Effect<unknown, unknown, HttpServerRequest> => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest)
      const verdict = judge(request, Context.getUnsafe(fiber.context, RouteContext))
      if (verdict === "fails") return crossOrigin
      const handler = provide(request, Context.get(fiber.context, SessionBinding), inner)
      return verdict === "passes" ? handler : Effect.andThen(check(request), handler)
    })
  return Object.assign(middleware, { errors: [CrossOrigin, InvalidToken, ...unreadable] }) as never
}

const crossOrigin = Effect.suspend(() =>
  Effect.fail(new CrossOrigin({ text: "The request comes from a page of another site" }))
)

const unreadable = [HttpError.BadRequest, HttpError.ContentTooLarge, HttpError.UnsupportedMediaType]

const isSafe = (method: string): boolean => method === "GET" || method === "HEAD" || method === "OPTIONS"

/** Whose page sends: "unknown" where nothing says so. */
const sender = (
  request: HttpServerRequest,
  isTrusted: (origin: string) => boolean
): "same" | "trusted" | "other" | "unknown" => {
  const { origin, "sec-fetch-site": site } = request.headers
  if (site === "same-origin" || site === "none") return "same"
  if (site === undefined) {
    if (origin === undefined) return "unknown"
    // A page that came over http could be anyone's on the way; who ends TLS before us may not have told
    const downgraded = target.protocol(request) === "https" && !/^https:/i.test(origin)
    if (!downgraded && Origin.isFor(origin, target.host(request))) return "same"
  }
  return origin !== undefined && isTrusted(origin) ? "trusted" : "other"
}

const urlencoded = "application/x-www-form-urlencoded"
const multipart = "multipart/form-data"
const typeOf = ({ headers }: HttpServerRequest): string => MediaType.parse(headers["content-type"] ?? "")?.essence ?? ""

const guard = ({ cookie = "csrf", field = "csrf_token", header = "x-csrf-token", keys, secure }: Tokens) => {
  const bad = [cookie, header].find((name) => !Syntax.isToken(name))
  if (bad !== undefined)
    throw new TypeError(`Csrf: ${JSON.stringify(bad)} is no name for a cookie or a header; write one word`)
  const secrets = Secrets.secrets(keys, cookie, secure)
  const form: Effect.Effect<Fields, unknown, HttpServerRequest> = Body.form(
    Schema.Struct({ [field]: Schema.optionalKey(Schema.String) })
  )
  // The field twice is as good as none
  const fields = Effect.catchIf(
    form,
    (error) => error instanceof HttpError.UnprocessableContent,
    (): Effect.Effect<Fields> => Effect.succeed({})
  )
  const name = header.toLowerCase()
  // Where it is looked for, by the type of the body
  const places: Readonly<Record<string, string>> = {
    [urlencoded]: `the field "${field}" of its form, or the header "${name}"`,
    [multipart]: `the header "${name}", or "?${field}=" in its URL; parts of a body are not looked at`
  }
  const none = (request: HttpServerRequest) =>
    `The request has no token: ${places[typeOf(request)] ?? `the header "${name}"`}`

  const sent = (request: HttpServerRequest): Effect.Effect<string | undefined, unknown, HttpServerRequest> => {
    const given = request.headers[name]
    if (given !== undefined) return Effect.succeed(given)
    const type = typeOf(request)
    if (type === urlencoded) return Effect.map(fields, (all) => all[field])
    return Effect.succeed(type === multipart ? Query.parse(target.split(request.url).search).get(field) : undefined)
  }

  const check = Effect.fnUntraced(function* (request: HttpServerRequest) {
    const secret = yield* secrets.find(request, yield* Effect.flatten(SessionBinding))
    const token = secret === undefined ? undefined : yield* sent(request)
    if (token !== undefined && secret !== undefined && Secrets.isMaskOf(secret, token)) return
    const isForgotten = secret !== undefined && token === undefined
    return yield* new InvalidToken({
      text: isForgotten ? none(request) : "The form is no longer valid: load the page again"
    })
  })

  return {
    check,
    // The session is that of the check, not one further in.
    provide: (request: HttpServerRequest, session: Effect.Effect<string>, inner: Effect.Effect<unknown>) =>
      Effect.provideService(inner, Token, { field, token: issuer(secrets, request, session) })
  }
}

// The cookie goes onto whatever the answer will be, and is sealed then: a session may begin, or come to nothing, behind the token.
const issuer = (
  secrets: Secrets.Secrets,
  request: HttpServerRequest,
  binding: Effect.Effect<string>
): Effect.Effect<string> => {
  let known: { readonly secret: Uint8Array; readonly session: string; readonly isNew: boolean } | undefined
  const write: HttpEffect.PreResponseHandler = (_, response) => {
    const kept = fresh(response)
    if (known?.isNew !== true) return Effect.succeed(kept)
    const { secret } = known
    const name = secrets.cookieName(request)
    const options = { httpOnly: true, sameSite: "lax", secure: name.startsWith("__Host-") } as const
    return Effect.map(
      Effect.flatMap(binding, (session) => secrets.seal(secret, session)),
      (cookie) => Response.setCookie(kept, name, cookie, options)
    )
  }
  return Effect.gen(function* () {
    if (known === undefined) HttpEffect.appendPreResponseHandlerUnsafe(yield* Effect.context<never>(), write)
    const session = yield* binding
    // The session may have got another id since the last token: a secret that came with the request is not for that one
    if (known === undefined || (known.session !== session && !known.isNew)) {
      const found = yield* secrets.find(request, session)
      known = { secret: found ?? Secrets.random(), session, isNew: found === undefined }
    }
    return Secrets.mask(known.secret)
  })
}
