/**
 * The credentials in the `Authorization` field of a request.
 *
 * ```ts
 * Credentials.find(request, "bearer") // "t-ada" of "Authorization: Bearer t-ada"
 * Credentials.basic("QWRhOnNlY3JldA==") // { username: "Ada", password: Redacted }
 * ```
 *
 * @source aiohttp.BasicAuth.decode
 * @spec RFC 9110 §11.4, §11.6.2; RFC 6750 §2.1; RFC 7617 §2
 */
import * as Base64 from "effect/encoding/Base64"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

/** Who somebody says to be, and the proof. */
export interface UserPass {
  readonly username: string
  readonly password: Redacted.Redacted<string>
}

/**
 * What follows the name of the scheme, in lower case, given: undefined where the field is of another scheme or missing, and "" where
 * it is malformed. The field may stand once.
 */
export const find = (request: HttpServerRequest, scheme: "basic" | "bearer"): string | undefined => {
  const field = request.headers.authorization
  if (field === undefined) return undefined
  const end = field.indexOf(" ")
  const name = end < 0 ? field : field.slice(0, end)
  if (name.toLowerCase() !== scheme) return undefined
  return end < 0 || isTwice(request.source) ? "" : field.slice(end).replace(/^ +/, "")
}

/**
 * Whether a token has the letters of one.
 *
 * @spec RFC 6750 §2.1 (b64token)
 */
export const isToken = (text: string): boolean => /^[-\w.~+/]+=*$/.test(text)

/**
 * The user and the password in a token of Basic: strictly base64 of UTF-8, a colon between, no control characters. Otherwise undefined.
 *
 * @spec RFC 7617 §2
 */
export const basic = (token: string): UserPass | undefined => {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(token)) return undefined
  const text = Result.getOrUndefined(Result.flatMap(Base64.decode(token), utf8))
  if (text === undefined || /[\0-\x1f\x7f]/.test(text)) return undefined
  const colon = text.indexOf(":")
  if (colon < 0) return undefined
  return { username: text.slice(0, colon), password: Redacted.make(text.slice(colon + 1), { label: "password" }) }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const utf8 = (bytes: Uint8Array): Result.Result<string, unknown> => Result.try(() => decoder.decode(bytes))

// Node keeps the first of two lines and tells nothing: who stands before this server may have checked the other one.
const isTwice = (source: object): boolean => {
  const lines = "rawHeaders" in source && Array.isArray(source.rawHeaders) ? source.rawHeaders : []
  let count = 0
  for (let at = 0; at < lines.length; at += 2) {
    if (String(lines[at]).length === 13 && String(lines[at]).toLowerCase() === "authorization") count++
  }
  return count > 1
}
