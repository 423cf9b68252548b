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

// By what `modify` leaves alone.
const states = new WeakMap<object, State<unknown>>()

/** Sets the policy of a request, in place of one that it has. True for the first. */
export const declare = ({ source }: HttpServerRequest, policy: object): boolean => {
  const state = states.get(source)
  if (state === undefined || state.policy === undefined) {
    states.set(source, { policy, nonce: state?.nonce })
    return true
  }
  state.policy = policy
  return false
}

/** What is known of a request that has a policy. */
export const stateOf = <Policy>({ source }: HttpServerRequest): State<Policy> | undefined =>
  states.get(source) as State<Policy> | undefined

/** The nonce: 128 bits, in base64. */
export const of = ({ source }: HttpServerRequest): string => {
  const state = states.get(source) ?? { policy: undefined, nonce: undefined }
  states.set(source, state)
  state.nonce ??= Encoding.encode(crypto.getRandomValues(new Uint8Array(16)))
  return state.nonce
}

/** The nonce where a policy asks for one. */
export const ifWanted = (request: HttpServerRequest | undefined): string | undefined =>
  request !== undefined && states.get(request.source)?.policy !== undefined ? of(request) : undefined
