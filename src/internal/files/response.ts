/**
 * The answer to a request for a file: all of it, ranges of it, 304, 412 or 416.
 *
 * ```ts
 * const response = yield* respond(request, files, stored)
 * ```
 *
 * Preconditions come first, then the Range of a GET. The descriptor is opened when a body, or the head of one, is to be sent, and
 * what is said of the file is what the descriptor says; it is closed with the scope of the request.
 *
 * @source aiohttp.web.FileResponse
 * @spec RFC 9110 §13.2.2, §14, §15.3.7, §15.4.5
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import * as HttpError from "../../HttpError.ts"
import * as ByteRange from "../../http/ByteRange.ts"
import * as Conditional from "../../http/Conditional.ts"
import * as EntityTag from "../../http/EntityTag.ts"
import * as Multipart from "../multipart/writer.ts"
import { notModified } from "../responses/conditionalResponse.ts"
import * as FileBody from "./body.ts"
import { toHttpError } from "./failure.ts"
import { type Files, isSame, type OpenFile } from "./files.ts"
import * as FileStore from "./store.ts"

type StoredFile = FileStore.StoredFile

/** What may come of a request for a file that is there. */
export type Failure =
  | HttpError.NotFound
  | HttpError.Forbidden
  | HttpError.PreconditionFailed
  | HttpError.RangeNotSatisfiable

/** The answer. */
export const respond = (
  request: HttpServerRequest,
  files: Files,
  stored: StoredFile
): Effect.Effect<HttpServerResponse, Failure, Scope.Scope> => {
  const early = conditional(request, stored)
  if (early !== undefined) return early
  if (stored.bytes !== undefined) return content(request, stored, undefined)
  return Effect.flatMapEager(open(files, stored), (file): Effect.Effect<HttpServerResponse, Failure> => {
    if (isSame(file.info, stored.info)) return content(request, stored, file)
    // It was replaced since it was looked up.
    const current = FileStore.fromInfo(stored.path, file.info, stored.head)
    return conditional(request, current) ?? content(request, current, file)
  })
}

/** All of the file with another status: its validators would be those of another answer. */
export const withStatus = (
  files: Files,
  stored: StoredFile,
  status: number
): Effect.Effect<HttpServerResponse, Failure, Scope.Scope> => {
  const { contentType, headers } = stored.head
  const { bytes } = stored
  if (bytes !== undefined) return Exit.succeed(Base.uint8Array(bytes, { status, contentType, headers }))
  return Effect.mapEager(open(files, stored), (file) => {
    const contentLength = file.info.size
    const body = FileBody.make(file, [{ start: 0, end: contentLength }])
    return Base.stream(body, { status, contentType, contentLength, headers })
  })
}

const open = (
  files: Files,
  { path }: StoredFile
): Effect.Effect<OpenFile, HttpError.NotFound | HttpError.Forbidden, Scope.Scope> =>
  Effect.catchEager(
    Effect.acquireRelease(files.open(path), (file) => file.close),
    toHttpError
  )

const conditional = (
  { headers, method }: HttpServerRequest,
  stored: StoredFile
): Effect.Effect<HttpServerResponse, HttpError.PreconditionFailed> | undefined => {
  if ((method !== "GET" && method !== "HEAD") || !Conditional.isConditional(headers)) return undefined
  const outcome = Conditional.evaluate({ method, headers, etag: stored.tag, lastModified: stored.lastModified })
  if (outcome === "proceed") return undefined
  if (outcome === "precondition-failed") return Effect.fail(new HttpError.PreconditionFailed())
  stored.notModified ??= notModified(Base.empty({ headers: headersOf(stored) }))
  return Exit.succeed(stored.notModified)
}

const headersOf = (stored: StoredFile): Record<string, string> => ({
  ...stored.head.headers,
  etag: EntityTag.format(stored.tag),
  "last-modified": stored.lastModified.toUTCString(),
  "accept-ranges": "bytes"
})

const sizeOf = ({ bytes, info }: StoredFile): number => bytes?.length ?? info.size

const content = (
  { headers, method }: HttpServerRequest,
  stored: StoredFile,
  file: OpenFile | undefined
): Effect.Effect<HttpServerResponse, HttpError.RangeNotSatisfiable> => {
  if (headers.range === undefined || method !== "GET") return Exit.succeed(full(stored, file))
  const specs = ByteRange.parse(headers.range)
  const size = sizeOf(stored)
  // An empty file has no range, not even for clients that send a Range with everything
  if (specs === undefined || specs === "invalid" || size === 0) return Exit.succeed(full(stored, file))
  if (!Conditional.ifRange(headers["if-range"], { etag: stored.tag, lastModified: stored.lastModified })) {
    return Exit.succeed(full(stored, file))
  }
  const found = ByteRange.resolve(specs, size)
  if (found.length === 0) return Effect.fail(new HttpError.RangeNotSatisfiable({ size }))
  return Exit.succeed(partial(stored, file, ByteRange.coalesce(found, gap)))
}

// What the head of a part costs: bytes between ranges cost less than that (RFC 9110 §15.3.7.2).
const gap = 80

const full = (stored: StoredFile, file: OpenFile | undefined): HttpServerResponse => {
  if (file === undefined) stored.full ??= respondWith(stored, undefined, 200, [{ start: 0, end: sizeOf(stored) }])
  return stored.full ?? respondWith(stored, file, 200, [{ start: 0, end: sizeOf(stored) }])
}

const partial = (
  stored: StoredFile,
  file: OpenFile | undefined,
  ranges: ReadonlyArray<{ readonly start: number; readonly end: number }>
): HttpServerResponse => {
  const size = sizeOf(stored)
  const fieldOf = ({ end, start }: { readonly start: number; readonly end: number }) => ({
    "content-range": ByteRange.contentRange(start, end, size)
  })
  if (ranges.length === 1) return respondWith(stored, file, 206, ranges, fieldOf(ranges[0]!))
  const boundary = Multipart.randomBoundary()
  const type = { "content-type": stored.head.contentType }
  const frames = Multipart.frame(
    ranges.map((range) => ({ ...type, ...fieldOf(range) })),
    boundary
  )
  const segments = frames.flatMap((frame, at) => (ranges[at] === undefined ? [frame] : [frame, ranges[at]]))
  // Never more than the whole, however many ranges are asked for.
  if (FileBody.lengthOf(segments) >= size) return full(stored, file)
  return respondWith(stored, file, 206, segments, {}, Multipart.typeOf("byteranges", boundary))
}

const respondWith = (
  stored: StoredFile,
  file: OpenFile | undefined,
  status: number,
  segments: ReadonlyArray<FileBody.Segment>,
  fields: Readonly<Record<string, string>> = {},
  contentType = stored.head.contentType
): HttpServerResponse => {
  const headers = { ...headersOf(stored), ...fields }
  if (file !== undefined) {
    const contentLength = FileBody.lengthOf(segments)
    return Base.stream(FileBody.make(file, segments), { status, headers, contentType, contentLength })
  }
  const bytes = stored.bytes!
  const pieces = segments.map((segment) =>
    segment instanceof Uint8Array ? segment : bytes.subarray(segment.start, segment.end)
  )
  return Base.uint8Array(pieces.length === 1 ? pieces[0]! : Multipart.concat(pieces), { status, headers, contentType })
}
