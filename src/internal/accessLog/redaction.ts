/**
 * What of a request is not to be in a log: values of query parameters, and of headers, that are secrets.
 *
 * ```ts
 * const url = redactQuery(["token"])
 * url("/reset?token=s3cret&page=2") // "/reset?token=REDACTED&page=2"
 * ```
 */
import * as UrlParams from "effect/http/UrlParams"

/** Parameters that are never logged, unless asked for: those whose name is, or ends in, such a word. */
export const secretParameters: ReadonlyArray<RegExp> = [
  /(?:^|[-_.[])(?:(?:access|refresh|id|auth)?token|password|passwd|pwd|pass|(?:client)?secret|(?:api)?key|code|signature|sig|credentials?|session(?:id)?|sid|jwt|otp|auth|authorization)\]?$/i,
  /(?:Token|Password|Secret|Key|KeyId|Code|Signature|Credential|SessionId)$/
]

/** Headers that are never logged, unless asked for. */
export const secretHeaders: ReadonlyArray<string> = [
  "authorization",
  "cookie",
  "proxy-authorization",
  "set-cookie",
  "x-api-key",
  "x-csrf-token"
]

/** Gives the URL with secrets redacted; `names`: those of parameters, true for the whole query, false for nothing. */
export const redactQuery = (names: ReadonlyArray<string> | boolean | undefined): ((url: string) => string) => {
  if (names === false) return (url) => url
  if (names === true) {
    return (url) => {
      const at = url.indexOf("?")
      return at === -1 ? url : `${url.slice(0, at)}?REDACTED`
    }
  }
  const all = names ?? secretParameters
  return (url) => (url.includes("?") || url.includes("@") ? UrlParams.redactUrl(url, all) : url)
}
