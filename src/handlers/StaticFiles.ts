/**
 * Serves the files below a directory.
 *
 * ```ts
 * const assets = StaticFiles.make({ root: "public", precompressed: true })
 * App.make({ home: Route.get("/", page), assets: Route.mountHandler("/static", assets) })
 * ```
 *
 * With ETag, Last-Modified, 304, ranges, index files, and files of up to 64 KiB held in memory, each checked by a `stat`: a change is
 * seen by the next request. Never served: names that begin with a dot (but `.well-known`), links that lead outside, directories.
 *
 * @source aiohttp.web.UrlDispatcher.add_static
 * @spec RFC 9110 §9.3.1, §13, §14
 */
import * as Effect from "effect/Effect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import type { Handler } from "../Handler.ts"
import type * as HttpError from "../HttpError.ts"
import { Files } from "../internal/files/files.ts"
import type { Options } from "../internal/files/staticOptions.ts"
import * as Root from "../internal/files/staticRoot.ts"
import { serve } from "../internal/files/staticServe.ts"
import { atStart } from "../internal/lifecycle/starting.ts"

export type { Options } from "../internal/files/staticOptions.ts"

/** A handler of files, and their URLs. */
export interface StaticFiles
  extends Handler<
    | HttpError.NotFound
    | HttpError.Forbidden
    | HttpError.MethodNotAllowed
    | HttpError.PreconditionFailed
    | HttpError.RangeNotSatisfiable,
    HttpServerRequest | Scope.Scope
  > {
  /**
   * The URL of a file below the path where the handler is mounted, with a hash of its content: `/static/app.css?v=...`. What it is
   * asked for by that is `immutable` for a year. A file that cannot be read has no hash.
   *
   * @source aiohttp.web.StaticResource.url_for(append_version=True)
   */
  readonly url: (prefix: string, path: string) => Effect.Effect<string>
}

/**
 * Makes the handler, for GET and HEAD: `Route.mountHandler("/static", StaticFiles.make({ root: "public" }))`, or
 * `Route.get("/{path:.*}", ...)` behind the other routes. Throws a TypeError for malformed options; a root that is no directory ends the
 * start of the server.
 *
 * @errors NotFound (404) no such file, and any path that could lead elsewhere; Forbidden (403) not readable, no regular file, or a
 * directory without index and listing; MethodNotAllowed (405) not GET or HEAD; PreconditionFailed (412); RangeNotSatisfiable (416)
 * @source aiohttp.web.UrlDispatcher.add_static
 */
export const make = (options: Options): StaticFiles => {
  const root = Root.make(options)
  const handler = Effect.withFiber<never, never, never>((fiber) => serve(root, fiber) as never)
  const checked = Effect.withFiber((fiber) => {
    const files = fiber.getRef(Files)
    // Where the engine brings no files of its own, those of the handler are not known before it runs.
    return files === Files.defaultValue() ? Effect.void : Root.check(root, files)
  })
  return Object.assign(atStart(handler, checked), {
    url: (prefix: string, path: string) => Root.url(root, prefix, path)
  }) as unknown as StaticFiles
}
