/**
 * A file as a handler.
 *
 * ```ts
 * Route.get("/report", Response.file("report.pdf"))
 * Route.get("/latest", Response.file("report.pdf").pipe(Effect.map(Response.attachment("latest report.pdf"))))
 * ```
 *
 * @source aiohttp.web.FileResponse
 * @spec RFC 9110 §13, §14
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpHeaders from "effect/http/Headers"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import type * as HttpError from "../HttpError.ts"
import * as ContentType from "../http/ContentType.ts"
import * as Syntax from "../http/Syntax.ts"
import * as Codings from "./fileCodings.ts"
import { FileFailure, toHttpError } from "./fileFailure.ts"
import * as FilePath from "./filePath.ts"
import { respond, withStatus } from "./fileResponse.ts"
import * as FileStore from "./fileStore.ts"
import { Files } from "./files.ts"
import { prepared } from "./responseBody.ts"

/** How a file is answered with. */
export interface FileOptions {
  /** 200 unless given. With another, as 404 for a page, there are no validators, ranges and 304. */
  readonly status?: number
  readonly headers?: HttpHeaders.Input
  /** That of the file's name unless given. */
  readonly contentType?: string
  /** Whether siblings as `report.csv.gz` are sent to clients that take them: those listed, or br, zstd and gzip; none unless given. */
  readonly precompressed?: boolean | ReadonlyArray<Codings.Coding>
}

/**
 * Answers with a file, at a path from the working directory or a `file:` URL: with ETag and Last-Modified, 304, ranges, and
 * Content-Length. A file of up to 64 KiB is held in memory for as long as it does not change. A link is followed.
 *
 * The path is yours: never make it of what a client sends, that is for StaticFiles.
 *
 * @errors NotFound (404) no such file, Forbidden (403) not readable or no regular file, PreconditionFailed (412) If-Match or
 * If-Unmodified-Since does not hold, RangeNotSatisfiable (416) the range is behind the end
 * @source aiohttp.web.FileResponse
 * @spec RFC 9110 §13, §14
 */
export const file = (
  path: string | URL,
  options: FileOptions = {}
): Effect.Effect<
  HttpServerResponse,
  HttpError.NotFound | HttpError.Forbidden | HttpError.PreconditionFailed | HttpError.RangeNotSatisfiable,
  HttpServerRequest | Scope.Scope
> => {
  const { status = 200 } = options
  const location = FilePath.fromOption(path)
  const codings = Codings.fromOption(options.precompressed)
  const choose = Codings.choice(codings)
  const store = FileStore.make(FileStore.small * 8)
  const head = headOf(location, options, codings.length > 0)
  const wanted = { path: location, key: location, describe: () => head, check: Effect.void }
  return Effect.withFiber((fiber) => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest)
    const files = fiber.getRef(Files)
    const found = Effect.flatMapEager(FileStore.find(store, files, wanted), (original) =>
      typeof original === "string"
        ? Effect.fail(irregular)
        : choose(request.headers["accept-encoding"], store, files, wanted, original)
    )
    return Effect.flatMapEager(Effect.catchEager(found, toHttpError), (stored) =>
      status === 200 ? respond(request, files, stored) : withStatus(files, stored, status)
    )
  })
}

const irregular = new FileFailure("Forbidden", undefined)

// Checked when it is declared.
const headOf = (path: string, options: FileOptions, negotiated: boolean): FileStore.Head => {
  const { contentType = ContentType.forName(path), headers, status } = options
  const { headers: given = {} } = prepared({ status, headers, contentType })
  const { "content-type": type, ...rest } = HttpHeaders.fromInput(given)
  const vary = [...Syntax.elements(rest.vary ?? ""), ...(negotiated ? ["Accept-Encoding"] : [])].join(", ")
  return {
    contentType: options.contentType ?? type ?? contentType,
    headers: vary === "" ? rest : { ...rest, vary }
  }
}
