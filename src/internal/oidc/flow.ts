/**
 * A login that is under way: what the browser keeps of it, sealed, between the page of the provider and the way back.
 *
 * ```ts
 * const flows = make({ name: "oidc", keys, purpose: "https://id.example.com app" })
 * const response = yield* flows.begin(request, redirect, flow)
 * const flow = yield* flows.find(request)
 * ```
 *
 * @spec RFC 6749 §10.12; RFC 9700 §2.1, §4.7
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Sealed from "../../Sealed.ts"
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

/** The cookie that holds the flow of a browser; a second login takes the place of the first. */
export const make = (options: { readonly name: string; readonly keys: Sealed.KeyRing; readonly purpose: string }) => {
  const { keys, name, purpose } = options
  const sealed = Sealed.make({ schema: Flow, keys, purpose: `oidc ${purpose}`, maxAge })
  const jar = Cookies.make({ name })
  return {
    begin: (request: HttpServerRequest, response: HttpServerResponse, flow: Flow) =>
      Effect.map(sealed.seal(flow), (text) => jar.write(request, response, text, undefined)),
    /** The flow, or undefined where there is none, or one that is broken, of another provider, or too old. */
    find: (request: HttpServerRequest): Effect.Effect<Flow | undefined> => {
      const text = jar.read(request)
      return text === undefined ? Effect.undefined : Effect.orElseSucceed(sealed.open(text), () => undefined)
    },
    end: (request: HttpServerRequest, response: HttpServerResponse) =>
      jar.write(request, response, undefined, undefined)
  }
}

const origin = "http://here.invalid"

/** Where to go after: a path of this server with its query, and the fallback for anything else. */
export const returnTo = (wanted: string | undefined, fallback: string): string => {
  // Browsers take "\" for "/", and leave out tabs and line breaks.
  if (wanted === undefined || wanted.length > 1024 || !/^\/(?![/\\])[!-~]*$/.test(wanted)) return fallback
  const { pathname, origin: own, hash, search } = new URL(wanted, origin)
  // "/..//host" is a path, and what it resolves to would be another host.
  return own === origin && !pathname.startsWith("//") ? pathname + search + hash : fallback
}
