/**
 * The options and the body of a response, checked before it is made.
 *
 * ```ts
 * prepared({ status: 201 }, "text/plain") // { status: 201, contentType: "text/plain" }
 * ```
 */
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import type { HttpServerResponse, Options } from "effect/http/HttpServerResponse"
import * as Base from "effect/http/HttpServerResponse"
import { checked, checkHeader, checkStatus } from "../responses/responseHead.ts"

/** Whether a status has a body (RFC 9110 §6.4.1; 205: §15.3.6). */
export const hasBody = (status: number): boolean => status !== 204 && status !== 205 && status !== 304

/**
 * The options with the content type they have, else that of their headers, else the usual one. Throws a TypeError for what
 * cannot be written. Checked here and not on the response made of them: that took 500 ns for a JSON of 600, this takes 80.
 */
export const prepared = (options: Options, usual?: string): Options => {
  const { contentLength, contentType, cookies, headers, status = 200, statusText } = options
  checkStatus(status, statusText)
  if (contentType !== undefined) checkHeader("content-type", contentType)
  let record = headers
  let type = contentType ?? usual
  if (headers !== undefined) {
    // An iterator can be read once only.
    record = Symbol.iterator in headers ? Headers.fromInput(headers) : headers
    for (const name of Object.keys(record)) {
      const value = record[name]
      if (value === undefined) continue
      checkHeader(name, typeof value === "string" ? value : value.join(", "))
      if (isContentType(name)) type = contentType
    }
  }
  return { status: options.status, statusText, headers: record, cookies, contentType: type, contentLength }
}

/** Whether a name is Content-Type, in any case. */
export const isContentType = (name: string): boolean => name.length === 12 && name.toLowerCase() === "content-type"

/**
 * The body with another content type; undefined when it has none of its own. The body has to know it: Effect's combinators take
 * the header from the body again, so a type set as a header only is lost at the next `setStatus` or `setCookie`.
 */
const retyped = (body: HttpBody.HttpBody, contentType: string): HttpBody.HttpBody | undefined => {
  switch (body._tag) {
    case "Uint8Array":
      return body.text === undefined
        ? HttpBody.uint8Array(body.body, contentType)
        : new HttpBody.Uint8Array(undefined, contentType, body.contentLength, body.text)
    case "Stream":
      return HttpBody.stream(body.stream, contentType, body.contentLength)
    case "Raw":
      return HttpBody.raw(body.body, { contentType, contentLength: body.contentLength })
    default:
      return undefined
  }
}

/** The response with another content type. Throws a TypeError for one that cannot be written. */
export const withType = (self: HttpServerResponse, contentType: string): HttpServerResponse => {
  checkHeader("content-type", contentType)
  const body = retyped(self.body, contentType)
  return body === undefined ? Base.setHeader(self, "content-type", contentType) : Base.setBody(self, body)
}

/** The response with more headers, checked; a content type becomes that of the body. */
export const withHeaders = (self: HttpServerResponse, headers: Headers.Input): HttpServerResponse => {
  const changed = checked(Base.setHeaders(self, headers))
  const contentType = changed.headers["content-type"]
  return contentType === undefined || contentType === self.headers["content-type"]
    ? changed
    : withType(changed, contentType)
}
