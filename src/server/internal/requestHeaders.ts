/**
 * The header fields of a request, as handlers see them.
 *
 * ```ts
 * const headers = read(incoming, false)
 * headers["if-none-match"]
 * ```
 *
 * @spec RFC 9110 §5.3, §13.1.3, §13.1.4; RFC 9112 §3.2.2
 */
import type * as Http from "node:http"
import * as Headers from "effect/http/Headers"

/** The fields; without those of the coding and the length when the body `isDecoded`. */
export const read = ({ headers, rawHeaders, url }: Http.IncomingMessage, isDecoded: boolean): Headers.Headers => {
  // Node has the names in lower case, and one list: Effect's `fromInput` looks at each, which takes three times as long.
  const made: Record<string, unknown> = Object.assign(Object.create(prototype), headers)
  if (made["set-cookie"] !== undefined) made["set-cookie"] = headers["set-cookie"]?.join(", ")
  if (url?.[0] !== "/") {
    const host = authority(url)
    if (host !== undefined) made.host = host
  }
  if (isDecoded) {
    delete made["content-encoding"]
    delete made["content-length"]
  }
  // More than one date is none, and is to be ignored (RFC 9110 §13.1.3, §13.1.4): Node keeps the first.
  if (made["if-modified-since"] !== undefined) single(made, rawHeaders, "if-modified-since")
  if (made["if-unmodified-since"] !== undefined) single(made, rawHeaders, "if-unmodified-since")
  return made as Headers.Headers
}

/** The lines of a field; the name in lower case. */
export const count = (rawHeaders: ReadonlyArray<string>, name: string): number => {
  let found = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const field = rawHeaders[at] as string
    if (field.length === name.length && field.toLowerCase() === name) found++
  }
  return found
}

const prototype = Object.getPrototypeOf(Headers.empty)

const single = (made: Record<string, unknown>, rawHeaders: ReadonlyArray<string>, name: string): void => {
  if (count(rawHeaders, name) > 1) delete made[name]
}

// The authority of an absolute-form target takes the place of Host (RFC 9112 §3.2.2).
const authority = (url: string | undefined): string | undefined => /^https?:\/\/([^/?#]*)/i.exec(url ?? "")?.[1]
