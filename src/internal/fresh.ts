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
import * as Response from "../Response.ts"
import { over } from "./overlay.ts"

/** The response without ETag and Last-Modified, whose 304 would bring a stored page back; `no-store` unless it says otherwise. */
export const fresh = (response: HttpServerResponse): HttpServerResponse => {
  const { "cache-control": cached, etag, "last-modified": modified } = response.headers
  const changed = cached === undefined ? over(response, { "cache-control": "no-store" }) : response
  if (etag === undefined && modified === undefined) return changed
  return Response.removeHeader(Response.removeHeader(changed, "etag"), "last-modified")
}
