/**
 * The header fields that make browsers strict, on every answer below: errors and files too.
 *
 * ```ts
 * const app = App.make(routes).pipe(App.use(SecurityHeaders.make({ frameOptions: "SAMEORIGIN" })))
 * const page = Effect.map(SecurityHeaders.nonce, (nonce) =>
 *   Response.html(html`<script nonce="${nonce}">start()</script>`))
 * ```
 *
 * | option | sent unless it is set; `false` leaves it out |
 * |---|---|
 * | `contentSecurityPolicy` | `default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'`, scripts and styles from `'self'` and with the nonce |
 * | `strictTransportSecurity` | `max-age=31536000; includeSubDomains`, over https only |
 * | `frameOptions` | `DENY` |
 * | `contentTypeOptions` | `nosniff` |
 * | `referrerPolicy` | `same-origin` |
 * | `crossOriginOpenerPolicy` | `same-origin` |
 * | `crossOriginResourcePolicy` | `same-origin` |
 * | `crossOriginEmbedderPolicy` | nothing |
 * | `originAgentCluster` | `?1` |
 * | `permissionsPolicy` | `camera=(), geolocation=(), microphone=(), payment=(), usb=()` |
 *
 * A field that the handler sets itself stays. Of several around a route the innermost counts alone. Unlike helmet, nothing is sent that
 * no browser heeds any more (X-XSS-Protection, X-Download-Options). Behind a proxy that ends TLS, use `TrustedProxies` outside of it.
 *
 * @source aiohttp-remotes Secure
 * @spec CSP Level 3; RFC 6797; RFC 7034; WHATWG HTML §7.1; Permissions Policy §6.1
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Passage from "../internal/exchange/passage.ts"
import * as target from "../internal/requests/target.ts"
import { freshen } from "../internal/responses/fresh.ts"
import * as Overlay from "../internal/responses/overlay.ts"
import * as Nonce from "../internal/security/contentNonce.ts"
import * as Policies from "../internal/security/securityPolicy.ts"
import type { Middleware } from "../Middleware.ts"

/** What is sent; each is left out by `false`. */
export interface Options {
  /**
   * Directives in place of those in the table, by name; `false` leaves one out, `true` is one without a value. A source `'nonce'`
   * stands for the nonce of the request, and is left out where no handler asks for it.
   */
  readonly contentSecurityPolicy?: Policies.Directives | false
  /** Whether what the policy forbids is only reported; false unless set. */
  readonly reportOnly?: boolean
  readonly strictTransportSecurity?:
    | { readonly maxAge?: Duration.Input; readonly includeSubDomains?: boolean; readonly preload?: boolean }
    | false
  /** Left out as well where `frame-ancestors` is set: browsers take that in its place. */
  readonly frameOptions?: "DENY" | "SAMEORIGIN" | false
  readonly contentTypeOptions?: "nosniff" | false
  readonly referrerPolicy?:
    | "no-referrer"
    | "no-referrer-when-downgrade"
    | "origin"
    | "origin-when-cross-origin"
    | "same-origin"
    | "strict-origin"
    | "strict-origin-when-cross-origin"
    | "unsafe-url"
    | false
  /** Pop-ups that talk to their opener, as some logins do, want "same-origin-allow-popups". */
  readonly crossOriginOpenerPolicy?:
    | "same-origin"
    | "same-origin-allow-popups"
    | "noopener-allow-popups"
    | "unsafe-none"
    | false
  /** Images and scripts that other sites may load want "cross-origin". */
  readonly crossOriginResourcePolicy?: "same-origin" | "same-site" | "cross-origin" | false
  readonly crossOriginEmbedderPolicy?: "require-corp" | "credentialless" | "unsafe-none" | false
  readonly originAgentCluster?: "?1" | "?0" | false
  /** Who may use a feature, besides those in the table: `[]` nobody, "self", "*", origins. `false` leaves a feature out. */
  readonly permissionsPolicy?: Policies.Permissions | false
}

/** Makes the middleware, for an app, a mounted app or a route. Throws a TypeError for what browsers would not understand. */
export const make = (options: Options = {}): Middleware => {
  const [plain, secure] = compile(options)
  const middleware = Passage.middleware((passage) => {
    const { request } = passage
    const fields = target.protocol(request) === "https" ? secure : plain
    if (Nonce.declare(request, fields)) passage.answered((headers, response) => write(request, headers, response))
  })
  return middleware as Middleware
}

/**
 * The nonce of the request, for `<script nonce="...">` and `<style nonce="...">`: 128 bits, another for every request. The page is
 * then `Cache-Control: no-store` unless it says otherwise, and loses its ETag and Last-Modified: another answer has another nonce.
 */
export const nonce: Effect.Effect<string, never, HttpServerRequest> = Effect.map(HttpServerRequest, Nonce.of)

interface Fields {
  readonly fixed: Readonly<Record<string, string>>
  /** The policy with a nonce. */
  readonly withNonce: ((nonce: string) => Readonly<Record<string, string>>) | undefined
}

const write = (request: HttpServerRequest, headers: Overlay.Fields, { status }: HttpServerResponse): void => {
  const { nonce, policy } = Nonce.stateOf<Fields>(request) as Nonce.State<Fields>
  if (status === 101 || policy === undefined) return
  if (nonce !== undefined && policy.withNonce !== undefined) {
    Overlay.under(headers, policy.withNonce(nonce))
    freshen(headers)
  }
  Overlay.under(headers, policy.fixed)
}

const standard = {
  frameOptions: "DENY",
  contentTypeOptions: "nosniff",
  referrerPolicy: "same-origin",
  crossOriginOpenerPolicy: "same-origin",
  crossOriginResourcePolicy: "same-origin",
  crossOriginEmbedderPolicy: false,
  originAgentCluster: "?1"
} as const satisfies Options

const names: ReadonlyArray<readonly [option: keyof typeof standard, field: string]> = [
  ["frameOptions", "x-frame-options"],
  ["contentTypeOptions", "x-content-type-options"],
  ["referrerPolicy", "referrer-policy"],
  ["crossOriginOpenerPolicy", "cross-origin-opener-policy"],
  ["crossOriginResourcePolicy", "cross-origin-resource-policy"],
  ["crossOriginEmbedderPolicy", "cross-origin-embedder-policy"],
  ["originAgentCluster", "origin-agent-cluster"]
]

const compile = (options: Options): readonly [plain: Fields, secure: Fields] => {
  const fixed: Record<string, string> = {}
  const {
    contentSecurityPolicy: directives,
    frameOptions,
    permissionsPolicy,
    reportOnly,
    strictTransportSecurity
  } = options
  const field = `content-security-policy${reportOnly === true ? "-report-only" : ""}`
  const policy = directives === false ? undefined : Policies.contentSecurity(directives ?? {})
  if (policy !== undefined) fixed[field] = policy(undefined)
  const ownFrames = directives !== false && directives?.["frame-ancestors"] !== undefined && frameOptions === undefined
  const chosen = { ...standard, ...options, ...(ownFrames ? { frameOptions: false } : undefined) }
  for (const [option, name] of names) {
    const value = chosen[option]
    if (typeof value === "string") fixed[name] = Policies.checked(option, value)
  }
  const permissions = permissionsPolicy === false ? "" : Policies.permissions(permissionsPolicy ?? {})
  if (permissions !== "") fixed["permissions-policy"] = permissions
  const withNonce =
    policy === undefined || policy("") === policy(undefined)
      ? undefined
      : (nonce: string) => ({ [field]: policy(nonce) })
  const transport =
    strictTransportSecurity === false
      ? undefined
      : { "strict-transport-security": Policies.transport(strictTransportSecurity ?? {}) }
  return [
    { fixed, withNonce },
    { fixed: { ...fixed, ...transport }, withNonce }
  ]
}
