/**
 * What a response begins with, checked when it is made and not when it is written: there the client would get nothing.
 *
 * ```ts
 * checked(HttpServerResponse.text("", { headers: { "x-name": "a\r\nb" } })) // TypeError
 * toLocation("/café") // "/caf%C3%A9"
 * ```
 *
 * @spec RFC 9110 §5.1, §5.5, §10.2.2, §15
 */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Syntax from "../../http/Syntax.ts"

// §5.5, and what Node refuses to write
const invalid = /[^\t\x20-\x7e\x80-\xff]/

/** Whether a header can carry the value. */
export const isFieldValue = (value: string): boolean => !invalid.test(value)

/** Throws a TypeError for a name that is no token, and for a value with CR, LF, NUL, other controls or characters above 0xFF. */
export const checkHeader = (name: string, value: string): void => {
  if (!Syntax.isToken(name))
    throw new TypeError(`${JSON.stringify(name)} is no header name: only letters, digits and "-"`)
  if (!invalid.test(value)) return
  const at = value.search(invalid)
  const code = value.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0")
  throw new TypeError(`The header "${name}" has U+${code} at ${at}, which no header can carry: encode or remove it`)
}

/** Throws a TypeError for a status that is not final, and for a reason phrase with control characters. */
export const checkStatus = (status: number, statusText: string | undefined): void => {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`${status} is no status of a response: use 200 to 599`)
  }
  if (statusText !== undefined && invalid.test(statusText)) {
    throw new TypeError(`The reason phrase ${JSON.stringify(statusText)} has a character that no status line can carry`)
  }
}

/** The response itself, when its status and every header can be written; else throws a TypeError. */
export const checked = (response: HttpServerResponse): HttpServerResponse => {
  // A connection that is taken over has it, and nothing else can.
  if (response.status !== 101) checkStatus(response.status, response.statusText)
  for (const name in response.headers) checkHeader(name, response.headers[name]!)
  return response
}

// What RFC 3986 has no place for: spaces and controls, non-ASCII, and "<>\^`{|}
const unsafe = /[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]/gu

/** The value of `Location`: what a URI cannot have is percent-encoded, CR, LF and "\" included. Throws when it is empty. */
export const toLocation = (location: string | URL): string => {
  const text = String(location)
  if (text === "") throw new TypeError("The location of a redirect is empty: give a path or a URL")
  return text.toWellFormed().replace(unsafe, encodeURIComponent)
}
