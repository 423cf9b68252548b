/**
 * Responses as immutable values: constructors, and combinators that give a changed copy.
 *
 * ```ts
 * Response.json({ id: 42 }, { status: 201, headers: { location: "/users/42" } })
 * Response.html(html`<h1>${user.name}</h1>`).pipe(Response.setCookie("seen", "1", { maxAge: "1 day" }))
 * Response.bytes(report).pipe(Response.attachment("report.pdf"), Response.etag(version))
 * ```
 *
 * They are Effect's own `HttpServerResponse`. What no client could be sent (CR, LF or NUL in a header, a status of 999) is a
 * TypeError where it is made, so the client gets a 500. Unlike aiohttp, which then closes the connection.
 *
 * @source aiohttp.web.StreamResponse, Response, json_response
 * @spec RFC 9110 §6, §8, §15
 */
import { dual } from "effect/Function"
import type * as Cookies from "effect/http/Cookies"
import type * as Headers from "effect/http/Headers"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import * as Html from "./Html.ts"
import * as ContentDisposition from "./http/ContentDisposition.ts"
import * as EntityTag from "./http/EntityTag.ts"
import * as Status from "./http/Status.ts"
import { hasBody, isContentType, prepared, withHeaders, withType } from "./internal/bodies/responseBody.ts"
import { sized } from "./internal/bodies/sizedStream.ts"
import { varied } from "./internal/responses/overlay.ts"
import { type CookieOptions, withCookie, withoutCookie } from "./internal/responses/responseCookie.ts"
import { checkHeader, checkStatus, toLocation } from "./internal/responses/responseHead.ts"

export { ndjson, type SchemaStream, textStream } from "./internal/bodies/schemaStream.ts"
export { type FileOptions, file } from "./internal/files/file.ts"
export { type MultipartOptions, multipart, type Part } from "./internal/multipart/writer.ts"
export { type Described, schema } from "./internal/responses/describedResponse.ts"
export type { CookieOptions } from "./internal/responses/responseCookie.ts"

/** The status (200 unless said), the reason phrase, headers, cookies, and a content type in place of the usual one. */
export interface Options extends Base.Options.WithContentType {}

/** A change to a response, for `pipe` or for a call with the response first. */
export interface Combinator<Args extends ReadonlyArray<unknown>> {
  (...args: Args): (self: HttpServerResponse) => HttpServerResponse
  (self: HttpServerResponse, ...args: Args): HttpServerResponse
}

const types = {
  text: { contentType: "text/plain; charset=utf-8" },
  html: { contentType: "text/html; charset=utf-8" },
  json: { contentType: "application/json" },
  bytes: { contentType: "application/octet-stream" }
} as const

/** Text, as `text/plain; charset=utf-8`. */
export const text = (body: string, options?: Options): HttpServerResponse =>
  Base.text(body, options === undefined ? types.text : prepared(options, types.text.contentType))

/** Markup, as `text/html; charset=utf-8`. A string is refused: it would not be escaped. */
export const html = <A>(
  markup: A extends Html.Html ? A : "no escaped HTML: write html`...`, or Html.raw(text) for text that is trusted",
  options?: Options
): HttpServerResponse => {
  if (!Html.isHtml(markup)) throw new TypeError("Response.html: no escaped HTML: write html`...`, or Html.raw(text)")
  return Base.text(
    Html.toString(markup),
    options === undefined ? types.html : prepared(options, types.html.contentType)
  )
}

/** A value as JSON. Throws a TypeError for what JSON has no form for: a BigInt, a cycle, undefined, a function, a symbol. */
export const json = (value: unknown, options?: Options): HttpServerResponse => {
  const body: string | undefined = JSON.stringify(value)
  if (body === undefined)
    throw new TypeError(`Response.json: ${typeof value} has no JSON; give null, or Response.empty()`)
  return Base.text(body, options === undefined ? types.json : prepared(options, types.json.contentType))
}

/** Bytes, as `application/octet-stream`. They are not copied. */
export const bytes = (body: Uint8Array, options?: Options): HttpServerResponse =>
  Base.uint8Array(body, options === undefined ? types.bytes : prepared(options, types.bytes.contentType))

/**
 * A stream of bytes or text (as UTF-8), as `application/octet-stream`; chunked unless `contentLength` is given, which has to be what
 * it has. A stream that needs services takes them by `Stream.provideContext`.
 */
export const stream = <E>(
  body: Stream.Stream<Uint8Array | string, E>,
  options?: Options & { readonly contentLength?: number | undefined }
): HttpServerResponse => {
  const encoded = Stream.map(body, (chunk) => (typeof chunk === "string" ? encoder.encode(chunk) : chunk))
  if (options === undefined) return Base.stream(encoded, types.bytes)
  const { contentLength } = options
  const counted = contentLength === undefined ? encoded : sized(encoded, contentLength)
  return Base.stream(counted, prepared(options, types.bytes.contentType))
}

/** No body: 204 unless said; with another status `Content-Length: 0` where the status allows it. */
export const empty = (options?: Base.Options.WithContent): HttpServerResponse => {
  if (options === undefined) return Base.empty()
  const response = Base.empty(prepared(options))
  const whole = !hasBody(response.status) || response.headers["content-length"] !== undefined
  return whole ? response : Base.setHeader(response, "content-length", "0")
}

/** Sends the client elsewhere, with 302 unless said. What a URI cannot have is percent-encoded. Throws when it is empty. */
export const redirect = (
  location: string | URL,
  options?: {
    readonly status?: 300 | 301 | 302 | 303 | 307 | 308
    readonly headers?: Headers.Input
    readonly cookies?: Cookies.Cookies
  }
): HttpServerResponse => setHeader(empty({ status: 302, ...options }), "location", toLocation(location))

/** A body of the platform, as it is: a web `Response`, a `Blob`, a `ReadableStream`, a Node `Readable`. */
export const raw = Base.raw

const combinator = <Args extends ReadonlyArray<unknown>>(
  change: (self: HttpServerResponse, ...args: Args) => HttpServerResponse
): Combinator<Args> => dual((args) => Base.isHttpServerResponse(args[0]), change)

/** Sets a header in place of any that it has by the name. */
export const setHeader: Combinator<[name: string, value: string]> = dual(
  3,
  (self: HttpServerResponse, name: string, value: string): HttpServerResponse => {
    if (isContentType(name)) return withType(self, value)
    checkHeader(name, value)
    return Base.setHeader(self, name, value)
  }
)

/** Sets several headers. */
export const setHeaders = combinator(withHeaders)

/** Removes a header; the content type and length of a body stay. */
export const removeHeader: Combinator<[name: string]> = Base.removeHeader

/** Sets the content type of the body. */
export const type = combinator(withType)

/** Sets the status; the reason phrase is the registered one unless said. */
export const setStatus = combinator((self, status: number, statusText?: string) => {
  checkStatus(status, statusText)
  return Base.setStatus(self, status, statusText ?? (self.statusText === undefined ? undefined : Status.reason(status)))
})

/**
 * Sets a cookie in place of any that it has by the name. Throws a TypeError for an invalid one.
 *
 * @source aiohttp.web.StreamResponse.set_cookie
 * @spec RFC 6265 §4.1
 */
export const setCookie = combinator((self, name: string, value: string, options?: CookieOptions) =>
  Base.updateCookies(self, (cookies) => withCookie(cookies, name, value, options))
)

/**
 * Makes the client forget a cookie: path and domain have to be those it was set with.
 *
 * @source aiohttp.web.StreamResponse.del_cookie
 */
export const expireCookie = combinator((self, name: string, options?: Omit<CookieOptions, "expires" | "maxAge">) =>
  Base.updateCookies(self, (cookies) => withoutCookie(cookies, name, options))
)

/** Makes the client save the body as a file. */
export const attachment = combinator((self, filename?: string) =>
  Base.setHeader(self, "content-disposition", ContentDisposition.format("attachment", filename))
)

/** Makes the client show the body, and names the file for when it is saved. */
export const inline = combinator((self, filename?: string) =>
  Base.setHeader(self, "content-disposition", ContentDisposition.format("inline", filename))
)

/** Sets `ETag`, strong unless it is a weak EntityTag; conditional requests are then answered with 304 or 412. */
export const etag = combinator((self, tag: string | EntityTag.EntityTag) => {
  const made = typeof tag === "string" ? EntityTag.make(tag) : EntityTag.make(tag.value, tag)
  return setHeader(self, "etag", EntityTag.format(made))
})

/** Sets `Last-Modified`, in whole seconds; conditional requests are then answered with 304 or 412. */
export const lastModified = combinator((self, date: Date) => {
  if (Number.isNaN(date.getTime())) throw new TypeError("Response.lastModified: the date is invalid")
  return Base.setHeader(self, "last-modified", date.toUTCString())
})

/** Adds header names to `Vary`, each once. */
export const vary = combinator((self, names: string) => {
  const value = varied(self.headers.vary, names)
  return value === undefined || value === self.headers.vary ? self : setHeader(self, "vary", value)
})

const encoder = new TextEncoder()
