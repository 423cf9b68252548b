/**
 * Redirects as typed failures, for when what sends the client elsewhere is deep inside; `Response.redirect` is the value.
 *
 * ```ts
 * yield* new Redirect.SeeOther({ location: `/orders/${order.id}` })
 * const visitor = Effect.gen(function* () {
 *   return (yield* Sessions).user ?? (yield* new Redirect.Found({ location: "/login", cookies }))
 * })
 * ```
 *
 * `location` is sent percent-encoded where a URI needs it, CR, LF and "\\" included; an empty one throws a TypeError. Whether the
 * client may be sent *there* is for the caller to check. A redirect is no error: it is neither logged nor reported.
 *
 * @source aiohttp.web.HTTPRedirection, HTTPMove
 * @spec RFC 9110 §15.4
 */
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type { EntityTag } from "./http/EntityTag.ts"
import { define, make, type Options, type Redirect, symbol } from "./internal/errors/redirectClass.ts"
import * as Response from "./Response.ts"

export type { Redirect } from "./internal/errors/redirectClass.ts"

/** True for every redirect of this module. */
export const isRedirect = (u: unknown): u is Redirect => typeof u === "object" && u !== null && symbol in u

/** There are several; `location` is the one preferred. */
export class MultipleChoices extends define("MultipleChoices", 300) {}
/** For ever; a client may turn POST into GET. `PermanentRedirect` keeps the method. */
export class MovedPermanently extends define("MovedPermanently", 301) {}
/** For now; a client may turn POST into GET. `TemporaryRedirect` keeps the method. */
export class Found extends define("Found", 302) {}
/** Continue with GET: the usual answer to a form. */
export class SeeOther extends define("SeeOther", 303) {}
/** Deprecated: clients ignore it (RFC 9110 §15.4.6). */
export class UseProxy extends define("UseProxy", 305) {}
/** For now, with the same method and body. */
export class TemporaryRedirect extends define("TemporaryRedirect", 307) {}
/** For ever, with the same method and body. */
export class PermanentRedirect extends define("PermanentRedirect", 308) {}

const unchanged = ({
  cookies,
  etag,
  headers
}: Options & { readonly etag?: string | EntityTag } = {}): HttpServerResponse => {
  const response = Response.empty({ status: 304, headers, cookies })
  return etag === undefined ? response : Response.etag(response, etag)
}

/** What the client has is current. No location and no body; responses with an `ETag` are answered so without it. */
export class NotModified extends (make("NotModified", 304, unchanged) as unknown as {
  readonly status: 304
  new (options?: Options & { readonly etag?: string | EntityTag }): Redirect<"NotModified", 304>
}) {}
