/**
 * Compresses responses as the request's `Accept-Encoding` asks, by q-values, with `Vary`.
 *
 * ```ts
 * const app = App.make(routes).pipe(App.use(Compression.make({ minSize: "2 kB" })))
 * ```
 *
 * This is Effect's own `HttpMiddleware.compression` with its types made honest. Error answers are compressed too; bodies below
 * `minSize`, 204, 206, 304, types that do not compress and `Cache-Control: no-transform` are left alone.
 *
 * @source aiohttp.web.StreamResponse.enable_compression
 * @spec RFC 9110 §8.4, §12.5.3
 */
import type * as ByteSize from "effect/ByteSize"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as ByteLimit from "../internal/byteLimit.ts"
import type { Middleware } from "../Middleware.ts"

/** How to compress. */
export interface Options {
  /** In the server's order of preference; br, gzip and deflate unless given. */
  readonly algorithms?: ReadonlyArray<"br" | "gzip" | "deflate" | "zstd">
  /** Bodies of known length below it are sent as they are; 1 KiB unless given. */
  readonly minSize?: ByteSize.Input
  /** Whether a content type is worth it; text, JSON, XML, JavaScript and the like unless given. */
  readonly compressible?: (contentType: string) => boolean
}

/** Makes the middleware, for an app or for a route. */
export const make = (options: Options = {}): Middleware =>
  HttpMiddleware.compression({
    algorithms: options.algorithms,
    compressible: options.compressible,
    minSize: options.minSize === undefined ? undefined : Number(ByteLimit.parse(options.minSize))
  })
