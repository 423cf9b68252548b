/**
 * Conditional requests for dynamic responses: 304 or 412 where the request's conditions say so.
 *
 * ```ts
 * apply(request, Response.json(user).pipe(Response.etag(user.version))) // 304 for If-None-Match: "7"
 * ```
 *
 * Unlike aiohttp, which does this for files only.
 *
 * @source aiohttp.web.FileResponse
 * @spec RFC 9110 §13, §15.4.5, §15.5.13
 */
import * as DateTime from "effect/DateTime"
import * as Headers from "effect/http/Headers"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import * as HttpError from "../../HttpError.ts"
import * as Conditional from "../../http/Conditional.ts"
import * as EntityTag from "../../http/EntityTag.ts"

const forwarded = new WeakSet<HttpServerResponse.HttpServerResponse["body"]>()

/** Marks a response of another server: the conditions are for that one to evaluate (§13.2.1). */
export const markForwarded = ({ body, headers }: HttpServerResponse.HttpServerResponse): void => {
  if (headers.etag !== undefined || headers["last-modified"] !== undefined) forwarded.add(body)
}

/**
 * The response itself, its 304, or PreconditionFailed. Only GET and HEAD with a 2xx response that has `ETag` or `Last-Modified`
 * are evaluated; any other response costs two reads.
 */
export const apply = (
  request: HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse | HttpError.PreconditionFailed => {
  const { etag, "last-modified": modified } = response.headers
  if (etag === undefined && modified === undefined) return response
  if (request.method !== "GET" && request.method !== "HEAD") return response
  if (response.status < 200 || response.status > 299 || !Conditional.isConditional(request.headers)) return response
  if (forwarded.has(response.body)) return response
  const outcome = Conditional.evaluate({
    method: request.method,
    headers: request.headers,
    etag: etag === undefined ? undefined : EntityTag.parse(etag),
    lastModified: toDate(modified)
  })
  if (outcome === "proceed") return response
  discard(response.body)
  if (outcome === "not-modified") return notModified(response)
  return new HttpError.PreconditionFailed({ headers: { ...own(response) }, cookies: response.cookies })
}

// Metadata of the content that a 304 and a 412 do not carry (§15.4.5). What is none stays: it is for this answer (CORS, security,
// X-Request-Id), and a cache puts it in place of the stored fields.
const dropped = [
  "accept-ranges",
  "content-digest",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-range",
  "content-type",
  "digest",
  "repr-digest",
  "trailer",
  "transfer-encoding"
]

const own = ({ headers }: HttpServerResponse.HttpServerResponse): Headers.Headers =>
  Headers.removeMany(headers, dropped)

/** The 304 in place of a response. */
export const notModified = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({
    status: 304,
    headers: own(response),
    cookies: response.cookies
  })

const toDate = (header: string | undefined): Date | undefined =>
  header === undefined
    ? undefined
    : Result.getOrUndefined(Result.map(Headers.parseHttpDate(header), DateTime.toDateUtc))

/** Closes a body that is open already and will not be read: a web stream, or a Node Readable. */
export const discard = (body: HttpServerResponse.HttpServerResponse["body"]): void => {
  const source = body._tag === "Raw" ? body.body : undefined
  if (source instanceof ReadableStream) source.cancel().catch(() => {})
  else if (source instanceof Response) source.body?.cancel().catch(() => {})
  else if (
    typeof source === "object" &&
    source !== null &&
    "destroy" in source &&
    typeof source.destroy === "function"
  ) {
    source.destroy()
  }
}
