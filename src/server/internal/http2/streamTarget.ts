/**
 * Checks the head of a request on HTTP/2 where nghttp2, the parser of Node, does not.
 *
 * ```ts
 * const refused = check(incoming, 100)
 * ```
 *
 * The parser has reset the streams of malformed ones already: pseudo-header fields missing, unknown or twice, upper case, fields of a
 * connection, a target that is no path, a length that is not that of the body.
 *
 * @spec RFC 9113 §8.3.1, §8.5; RFC 9110 §9.1
 */
import * as Http from "node:http"
import * as HttpError from "../../../HttpError.ts"
import type { Incoming } from "./Incoming.ts"

const known: ReadonlySet<string> = new Set(Http.METHODS)

// The fields of a head that are not header fields.
const pseudo = 4

/** Why the head is refused, if it is. */
export const check = (
  { authority, headers, isTooLarge, method, rawHeaders }: Incoming,
  maxFields: number
): HttpError.HttpError | undefined => {
  if (method === "CONNECT") {
    return new HttpError.MethodNotAllowed({ method, allowed: [], text: "This server is no tunnel" })
  }
  // As the parser of HTTP/1.1 has it (RFC 9110 §9.1).
  if (!known.has(method)) return new HttpError.NotImplemented({ text: "This method is not known here" })
  if (isTooLarge) return new HttpError.RequestHeaderFieldsTooLarge({ text: "The header block is too large" })
  if (rawHeaders.length > (maxFields + pseudo) * 2 && countWithoutCookies(rawHeaders) > maxFields) {
    return new HttpError.RequestHeaderFieldsTooLarge({ text: `More than ${maxFields} header fields` })
  }
  return authority === undefined || headers.host === authority
    ? undefined
    : new HttpError.BadRequest({ text: "The Host header is not the :authority" })
}

// A Cookie field may come in as many pieces as there are cookies (RFC 9113 §8.2.3).
const countWithoutCookies = (rawHeaders: ReadonlyArray<string>): number => {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at] !== "cookie") count++
  return count - pseudo
}
