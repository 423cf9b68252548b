/**
 * A login that is under way: what the browser keeps of it, sealed, between the page of the provider and the way back.
 *
 * ```ts
 * const flows = make({ name: "oidc", keys, purpose: "https://id.example.com app" })
 * const response = yield* flows.begin(request, redirect, flow)
 * const flow = yield* flows.find(request, state)
 * ```
 *
 * @spec RFC 6749 §10.12; RFC 9700 §2.1, §4.7
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Cookie from "../../http/Cookie.ts"
import * as Response from "../../Response.ts"
import * as Sealed from "../../Sealed.ts"
import { equals } from "../auth/equals.ts"
import * as Cookies from "../session/cookies.ts"

const Flow = Schema.Struct({
  state: Schema.String,
  nonce: Schema.String,
  verifier: Schema.String,
  returnTo: Schema.String,
  redirectUri: Schema.String
})

/** What is compared on the way back, and where it goes then. */
export type Flow = typeof Flow.Type

/** How long somebody may take to log in. */
export const maxAge = "10 minutes"

// As many tabs as a browser may have at the login at once: what more there is goes, so that the head stays small.
const most = 5

/** The cookies that hold what is under way in a browser, one for each login, as several tabs may begin one. */
export const make = (options: { readonly name: string; readonly keys: Sealed.KeyRing; readonly purpose: string }) => {
  const { keys, name, purpose } = options
  const sealed = Sealed.make({ schema: Flow, keys, purpose: `oidc ${purpose}`, maxAge })
  const jar = (state: string) => Cookies.make({ name: `${name}-${state.slice(0, 8)}` })
  // A name that no cookie can have is refused now.
  jar("")
  return {
    begin: (request: HttpServerRequest, response: HttpServerResponse, flow: Flow) =>
      Effect.map(sealed.seal(flow), (text) =>
        jar(flow.state).write(request, withoutOthers(name, request, response), text, undefined)
      ),
    /** The flow of a state, or undefined where there is none, or one that is broken, of another provider, or too old. */
    find: (request: HttpServerRequest, state: string): Effect.Effect<Flow | undefined> => {
      const text = isState.test(state) ? jar(state).read(request) : undefined
      if (text === undefined) return Effect.undefined
      return Effect.map(
        Effect.orElseSucceed(sealed.open(text), () => undefined),
        (flow) => (flow !== undefined && equals(state, flow.state) ? flow : undefined)
      )
    },
    end: (request: HttpServerRequest, response: HttpServerResponse, { state }: Flow) =>
      jar(state).write(request, response, undefined, undefined)
  }
}

const isState = /^[\w-]{43}$/

const withoutOthers = (name: string, request: HttpServerRequest, response: HttpServerResponse): HttpServerResponse => {
  const all = Object.keys(Cookie.parse(request.headers.cookie))
  const others = all.filter((each) => isOwn(name, each.replace(/^__Host-/, "")))
  if (others.length < most) return response
  return others.reduce((response, each) => {
    const secure = each.startsWith("__Host-")
    return Response.expireCookie(response, each, { path: "/", sameSite: "lax", httpOnly: true, secure })
  }, response)
}

const origin = "http://here.invalid"

// Others may have a name that is read, and cannot be written.
const isOwn = (name: string, each: string): boolean => each.startsWith(`${name}-`) && /^[\w-]+$/.test(each)

/** Where to go after: a path of this server with its query, and the fallback for anything else. */
export const returnTo = (wanted: string | undefined, fallback: string): string => {
  // Browsers take "\" for "/", and leave out tabs and line breaks.
  if (wanted === undefined || wanted.length > 1024 || !/^\/(?![/\\])[!-~]*$/.test(wanted)) return fallback
  const { pathname, origin: own, hash, search } = new URL(wanted, origin)
  // "/..//host" is a path, and what it resolves to would be another host.
  return own === origin && !pathname.startsWith("//") ? pathname + search + hash : fallback
}
