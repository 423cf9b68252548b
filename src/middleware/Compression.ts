/**
 * Compresses responses as the request's `Accept-Encoding` asks, by q-values, with `Vary`.
 *
 * ```ts
 * const app = App.make(routes).pipe(App.use(Compression.make({ minSize: "2 kB" })))
 * ```
 *
 * It stands on Effect's own `HttpMiddleware.compression`. Error answers are compressed too; bodies below `minSize`, 204, 206, 304,
 * types that do not compress and `Cache-Control: no-transform` are left alone. A 304 and a 206 have the `Vary` of the 200, and a 304
 * for a client that has the compressed one has its weak tag.
 *
 * @source aiohttp.web.StreamResponse.enable_compression
 * @spec RFC 9110 §8.4, §8.8.3.3, §12.5.3, §15.3.7, §15.4.5
 */
import type * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Accept from "../http/Accept.ts"
import * as EntityTag from "../http/EntityTag.ts"
import * as ByteLimit from "../internal/byteLimit.ts"
import * as Middleware from "../Middleware.ts"
import * as Response from "../Response.ts"

/** A content coding. */
type Coding = "br" | "gzip" | "deflate" | "zstd"

/** How to compress. */
export interface Options {
  /** In the server's order of preference, where the client has none; br, gzip and deflate unless given. */
  readonly algorithms?: ReadonlyArray<"br" | "gzip" | "deflate" | "zstd">
  /** Bodies of known length below it are sent as they are; 1 KiB unless given. */
  readonly minSize?: ByteSize.Input
  /** Whether a content type is worth it; text, JSON, XML, JavaScript and the like unless given. */
  readonly compressible?: (contentType: string) => boolean
}

/** Makes the middleware, for an app or for a route. */
export const make = (options: Options = {}): Middleware.Middleware => {
  const { algorithms = usual, compressible } = options
  const minSize = options.minSize === undefined ? undefined : Number(ByteLimit.parse(options.minSize))
  // Effect takes the first that is accepted, whatever its q: it is given the one that the client likes best.
  const only = (wanted: ReadonlyArray<Coding>) =>
    HttpMiddleware.compression({ algorithms: wanted, compressible, minSize })
  const none = only([])
  const each = new Map<string | undefined, typeof none>(algorithms.map((coding) => [coding, only([coding])]))
  const offers = [...algorithms, "identity"]
  return (inner) => {
    const answer = varied(inner)
    return Effect.flatMapEager(HttpServerRequest, ({ headers }) => {
      const best = Accept.encoding(headers["accept-encoding"], offers)
      return (each.get(best) ?? none)(answer)
    })
  }
}

const usual: ReadonlyArray<Coding> = ["br", "gzip", "deflate"]

// What comes of a part, or of a condition, Effect leaves as it is. Of a 304 nobody knows the type: it may vary.
const varied = Middleware.onResponse((response, { headers }) => {
  if ((response.status !== 304 && response.status !== 206) || response.headers["content-encoding"] !== undefined) {
    return response
  }
  const named = Response.vary(response, "Accept-Encoding")
  return response.status === 304 ? weakened(named, headers["if-none-match"]) : named
})

// A cache finds by a strong tag only what it has with that tag (RFC 9111 §4.3.4): who has named the weak one has the compressed answer.
const weakened = (response: HttpServerResponse, named: string | undefined): HttpServerResponse => {
  const tag = EntityTag.parse(response.headers.etag ?? "")
  const tags = EntityTag.parseList(named)
  if (tag === undefined || tag.weak || tags === "*") return response
  const same = tags.filter(({ value }) => value === tag.value)
  return same.length > 0 && same.every(({ weak }) => weak)
    ? Response.setHeader(response, "etag", EntityTag.format({ ...tag, weak: true }))
    : response
}
