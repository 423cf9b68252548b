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
import type * as HttpError from "../../HttpError.ts"
import * as ContentType from "../../http/ContentType.ts"
import * as Syntax from "../../http/Syntax.ts"
import { prepared } from "../bodies/responseBody.ts"
import * as Codings from "./codings.ts"
import { FileFailure, toHttpError } from "./failure.ts"
import { Files } from "./files.ts"
import * as FilePath from "./path.ts"
import { respond, withStatus } from "./response.ts"
import * as Root from "./staticRoot.ts"
import * as FileStore from "./store.ts"

/** How a file is answered with. */
export interface FileOptions {
  /** 200 unless given. With another, as 404 for a page, there are no validators, ranges and 304. */
  readonly status?: number
  readonly headers?: HttpHeaders.Input
  /** That of the file's name unless given. */
  readonly contentType?: string
  /** Whether siblings as `report.csv.gz` are sent to clients that take them: those listed, or br, zstd and gzip; none unless given. */
  readonly precompressed?: boolean | ReadonlyArray<Codings.Coding>
  /**
   * The directory that the path is of and must not leave, for paths that are made of what a client sends: then what would lead out of
   * it is NotFound (404), by "..", by links or by anything else, and so are names that begin with a dot.
   */
  readonly root?: string | URL
}

/**
 * Answers with a file, at a path from the working directory or a `file:` URL: with ETag and Last-Modified, 304, ranges, and
 * Content-Length. A file of up to 64 KiB is held in memory for as long as it does not change. A link is followed.
 *
 * Without `root` the path is yours: never make it of what a client sends.
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
  const codings = Codings.fromOption(options.precompressed)
  const choose = Codings.choice(codings)
  const store = FileStore.make(FileStore.small * 8)
  const place = placeOf(path, options.root)
  const head = headOf(place.path, options, codings.length > 0)
  return Effect.withFiber((fiber) => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest)
    const files = fiber.getRef(Files)
    const wanted = { path: place.path, key: "", describe: () => head, check: place.check(files) }
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

interface Place {
  readonly path: string
  readonly check: (files: Files) => FileStore.Wanted["check"]
}

const placeOf = (path: string | URL, root: string | URL | undefined): Place => {
  if (root === undefined) {
    const location = FilePath.fromOption(path)
    return { path: location, check: () => unchecked }
  }
  const base = { path: Root.rootOf(root), followSymlinks: false }
  const below = FilePath.fromText(String(path), false)
  // NUL is in no path: there is no such file.
  if (below === undefined || below.isDirectory) return { path: "\0", check: () => unchecked }
  const key = below.segments.join("/")
  return { path: Root.pathOf(base, key), check: (files) => Root.insideOf(base, files) }
}

const unchecked: FileStore.Wanted["check"] = () => Effect.void

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
