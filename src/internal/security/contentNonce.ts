/**
 * The nonce of a request's Content-Security-Policy: made when it is first asked for, and told to who writes the header.
 *
 * ```ts
 * html`<script nonce="${Nonce.of(request)}">...</script>`
 * ```
 *
 * @spec CSP Level 3 §7.1
 */
import * as Encoding from "effect/encoding/Base64"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

/** What is known of a request; `policy` is there where a header will be written. */
export interface State<Policy> {
  policy: Policy | undefined
  nonce: string | undefined
}

const symbol = Symbol("effect-web/contentNonce")

// On what `modify` leaves alone: a WeakMap of every request took two thirds of the middleware's time.
interface Source {
  [symbol]?: State<unknown>
}

/** Sets the policy of a request, in place of one that it has. True for the first. */
export const declare = (request: HttpServerRequest, policy: object): boolean => {
  const source: Source = request.source
  const state = source[symbol]
  if (state === undefined || state.policy === undefined) {
    source[symbol] = { policy, nonce: state?.nonce }
    return true
  }
  state.policy = policy
  return false
}

/** What is known of a request that has a policy. */
export const stateOf = <Policy>({ source }: HttpServerRequest): State<Policy> | undefined =>
  (source as Source)[symbol] as State<Policy> | undefined

/** The nonce: 128 bits, in base64. */
export const of = (request: HttpServerRequest): string => {
  const source: Source = request.source
  source[symbol] ??= { policy: undefined, nonce: undefined }
  const state = source[symbol]
  state.nonce ??= Encoding.encode(crypto.getRandomValues(new Uint8Array(16)))
  return state.nonce
}

/** The nonce where a policy asks for one. */
export const ifWanted = (request: HttpServerRequest | undefined): string | undefined =>
  request !== undefined && stateOf(request)?.policy !== undefined ? of(request) : undefined
