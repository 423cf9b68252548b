/**
 * The body of a response, as far as its content type goes.
 *
 * ```ts
 * typed({ status: 201 }, "text/plain") // { status: 201, contentType: "text/plain" }
 * ```
 */
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import type { Options } from "effect/http/HttpServerResponse"

/** Whether a status has a body (RFC 9110 §6.4.1; 205: §15.3.6). */
export const hasBody = (status: number): boolean => status !== 204 && status !== 205 && status !== 304

/** The options with the content type they have, else that of their headers, else the usual one. */
export const typed = <O extends Options>(options: O, usual: string): O => {
  if (options.contentType !== undefined) return options
  const headers = options.headers
  if (headers === undefined) return { ...options, contentType: usual }
  // An iterator can be read once only.
  const record = Symbol.iterator in headers ? Headers.fromInput(headers) : headers
  const named = Object.keys(record).some((name) => name.length === 12 && name.toLowerCase() === "content-type")
  return { ...options, headers: record, contentType: named ? undefined : usual }
}

/**
 * The body with another content type; undefined when it has none of its own. The body has to know it: Effect's combinators take
 * the header from the body again, so a type set as a header only is lost at the next `setStatus` or `setCookie`.
 */
export const retyped = (body: HttpBody.HttpBody, contentType: string): HttpBody.HttpBody | undefined => {
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
