/**
 * A page that has something in it for this answer only, a nonce or a token, is not kept and has no validators.
 *
 * ```ts
 * fresh(Response.html(page)) // Cache-Control: no-store
 * ```
 *
 * @spec RFC 9111 §4.3.4, §5.2.2.5
 */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Overlay from "./overlay.ts"

/** The fields without ETag and Last-Modified; `no-store` unless they say otherwise. */
export const freshen = (headers: Overlay.Fields): void => {
  headers["cache-control"] ??= "no-store"
  delete headers.etag
  delete headers["last-modified"]
}

/** The response without ETag and Last-Modified, whose 304 would bring a stored page back; `no-store` unless it says otherwise. */
export const fresh = (response: HttpServerResponse): HttpServerResponse => {
  const headers = Overlay.fieldsOf(response)
  freshen(headers)
  return Overlay.withFields(response, headers)
}
