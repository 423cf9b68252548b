/**
 * Tokens of forms: a signed cookie has a secret, a form has the same one behind a mask that is another every time.
 *
 * ```ts
 * const token = mask(secret)              // 43 characters, for a page that may be compressed (BREACH)
 * isMaskOf(secret, "a token of the form") // false, in the same time whatever it is
 * ```
 *
 * The cookie is signed together with what ties it to the session: one that an attacker has planted is no other session's.
 *
 * @spec RFC 4648 §5; RFC 6265bis §4.1.3.2
 */
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Cookie from "../../http/Cookie.ts"
import * as Sealed from "../../Sealed.ts"
import { isSecure } from "../security/secureCookie.ts"

const length = 16

/** The secret as a form shows it. */
export const mask = (secret: Uint8Array): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(length * 2))
  for (let at = 0; at < length; at++) bytes[length + at] = bytes[at]! ^ secret[at]!
  return Base64Url.encode(bytes)
}

/** Whether a token is the secret behind some mask. */
export const isMaskOf = (secret: Uint8Array, token: string): boolean => {
  const decoded = Base64Url.decode(token)
  if (Result.isFailure(decoded) || decoded.success.length !== length * 2) return false
  const bytes = decoded.success
  let difference = 0
  for (let at = 0; at < length; at++) difference |= bytes[at]! ^ bytes[length + at]! ^ secret[at]!
  return difference === 0
}

const Kept = Schema.Struct({ secret: Schema.String, session: Schema.String })

/** The secrets of browsers, in cookies. */
export interface Secrets {
  /** With the prefix that keeps other hosts, subdomains too, from setting it, where it is Secure. */
  readonly cookieName: (request: HttpServerRequest) => string
  /** The secret in the cookie of a request, if it is genuine and of the session. */
  readonly find: (request: HttpServerRequest, session: string) => Effect.Effect<Uint8Array | undefined>
  /** The cookie of a secret. */
  readonly seal: (secret: Uint8Array, session: string) => Effect.Effect<string>
}

/** A new secret. */
export const random = (): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/** Makes them with keys. */
export const secrets = (keys: Sealed.KeyRing, name: string, secure: boolean | undefined): Secrets => {
  const sealed = Sealed.make({ schema: Kept, keys, purpose: "effect-web/Csrf", mode: "sign" })
  const cookieName = (request: HttpServerRequest) => ((secure ?? isSecure(request)) ? `__Host-${name}` : name)
  return {
    cookieName,
    find: (request, session) => {
      const text = Cookie.parse(request.headers.cookie)[cookieName(request)]
      if (text === undefined) return Effect.undefined
      return Effect.map(
        Effect.orElseSucceed(sealed.open(text), () => undefined),
        (kept) => {
          if (kept === undefined || kept.session !== session) return undefined
          const secret = Base64Url.decode(kept.secret)
          return Result.isSuccess(secret) && secret.success.length === length ? secret.success : undefined
        }
      )
    },
    seal: (secret, session) => sealed.seal({ secret: Base64Url.encode(secret), session })
  }
}
