/**
 * What is known of the request, each part as an Effect that is computed when it is yielded.
 *
 * ```ts
 * const hello = Effect.gen(function* () {
 *   const { name = "Anonymous" } = yield* Request.params
 *   const { lang } = yield* Request.decodeQuery(Schema.Struct({ lang: Schema.Literals(["en", "de"]) }))
 *   return Response.text(lang === "de" ? `Hallo, ${name}` : `Hello, ${name}`)
 * })
 * ```
 *
 * Records made from the wire have a null prototype. The body is read by `Body`.
 *
 * @source aiohttp.web.Request
 * @spec RFC 9110 §7, §8, §12, §13
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Headers } from "effect/http/Headers"
import * as HttpHeaders from "effect/http/Headers"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Result from "effect/Result"
import { RouteContext } from "./Handler.ts"
import * as HttpError from "./HttpError.ts"
import * as Accept from "./http/Accept.ts"
import * as ByteRange from "./http/ByteRange.ts"
import * as Conditional from "./http/Conditional.ts"
import * as Cookie from "./http/Cookie.ts"
import * as EntityTag from "./http/EntityTag.ts"
import * as Forwarded from "./http/Forwarded.ts"
import * as MediaType from "./http/MediaType.ts"
import * as Pattern from "./http/Pattern.ts"
import * as Query from "./http/Query.ts"
import { type Client, clientAddress } from "./internal/requests/clientAddress.ts"
import * as target from "./internal/requests/target.ts"

export type { Client } from "./internal/requests/clientAddress.ts"
export { decodeCookies, decodeHeaders, decodeParams, decodeQuery } from "./internal/requests/decodeRequest.ts"

const read = <A>(f: (request: HttpServerRequest) => A): Effect.Effect<A, never, HttpServerRequest> =>
  Effect.map(HttpServerRequest, f)

/** The request itself, as Effect knows it. */
export const current: Effect.Effect<HttpServerRequest, never, HttpServerRequest> = HttpServerRequest

/** The method, in upper case. */
export const method = read((request) => request.method)

/**
 * The absolute URL, from the scheme and the Host field; the authority of an absolute-form target wins. Where no valid host
 * is known, it is "localhost".
 *
 * @spec RFC 9112 §3.2, §3.3
 */
export const url = read(target.url)

/** The path, percent-decoded once; as received when its encoding is malformed. */
export const path = read((request) => {
  const raw = target.split(request.url).path
  return Pattern.decodeValue(Pattern.decode(raw) ?? raw)
})

/** The path as received. Unlike aiohttp's `raw_path`, without the query string. */
export const rawPath = read((request) => target.split(request.url).path)

/** The query string as received, without the "?". Unlike aiohttp's, not decoded: then it could not be parsed. */
export const queryString = read((request) => target.split(request.url).search)

/** "https" when the connection is encrypted or a trusted-proxy middleware says so; never from a header by itself. */
export const protocol = read(target.protocol)

/** The host as `hostname[:port]`, in lower case; "" when it is not known. */
export const host = read(target.host)

/** The parameters of the path, decoded. */
export const params: Effect.Effect<{ readonly [name: string]: string | undefined }, never, RouteContext> = Effect.map(
  RouteContext,
  (route) => route.params
)

/** The query as a multi-map: duplicates and blank values are kept, "+" is a space. */
export const query = read((request) => Query.parse(target.split(request.url).search))

/** The header fields, by lower-case names; the lines of one name are joined by ", ". */
export const headers: Effect.Effect<Headers, never, HttpServerRequest> = read((request) => request.headers)

/** A header field, by a name in any case. */
export const header = (name: string) => read((request) => field(request, name.toLowerCase()))

const field = (request: HttpServerRequest, name: string): string | undefined =>
  Object.hasOwn(request.headers, name) ? request.headers[name] : undefined

/** The cookies; of two with one name the last wins. */
export const cookies = read((request) => Cookie.parse(request.headers.cookie))

/** A cookie. */
export const cookie = (name: string) => Effect.map(cookies, (all) => all[name])

const mediaType = (request: HttpServerRequest) => MediaType.parse(request.headers["content-type"] ?? "")

/** The media type of the body in lower case, without parameters; "application/octet-stream" if missing or invalid. */
export const contentType = read((request) => mediaType(request)?.essence ?? "application/octet-stream")

/** The charset that Content-Type states, as it is written. */
export const charset = read((request) => mediaType(request)?.parameters.charset)

/** The length of the body in bytes, as the client states it; undefined where the engine undoes a content coding. */
export const contentLength = read((request) => {
  const length = request.headers["content-length"]
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined
})

/**
 * Whether a body comes with the request; one of length 0 is none.
 *
 * @spec RFC 9112 §6; RFC 9113 §8.1
 */
export const hasBody = read(target.hasBody)

/** The tags of If-Match, "*", or undefined without the field. */
export const ifMatch = read((request) => tags(request.headers["if-match"]))

/** The tags of If-None-Match, "*", or undefined without the field. */
export const ifNoneMatch = read((request) => tags(request.headers["if-none-match"]))

/** The date of If-Modified-Since; undefined when it is missing or malformed. */
export const ifModifiedSince = read((request) => date(request.headers["if-modified-since"]))

/** The date of If-Unmodified-Since; undefined when it is missing or malformed. */
export const ifUnmodifiedSince = read((request) => date(request.headers["if-unmodified-since"]))

/** The tag or the date of If-Range; undefined when it is missing or malformed. */
export const ifRange = read((request): EntityTag.EntityTag | Date | undefined => {
  const value = request.headers["if-range"]
  return value === undefined ? undefined : (EntityTag.parse(value) ?? date(value))
})

/** The ranges of bytes that are asked for; "invalid" when malformed, undefined without a field or in other units. */
export const range = read((request) => ByteRange.parse(request.headers.range))

/** What the proxies have written into Forwarded, the nearest to the client first. Anyone can write it: see `client`. */
export const forwarded = read((request) => Forwarded.parse(request.headers.forwarded))

/**
 * The address of the client: below `TrustedProxies` what a trusted proxy says, else that of the direct peer. Undefined on a socket
 * without one. An IPv4 address is never written as IPv6.
 */
export const remote = read(target.remote)

/**
 * The client's address, scheme and host, behind proxies. The hops are walked from the last to the first: past those whose
 * address is in `trusted` (addresses and CIDR networks), to the first that is not. No field counts when the direct peer is
 * not trusted. Only the one field counts that `header` names, "x-forwarded-for" (with -proto and -host) by default: what
 * the proxies do not write, the client can. "unix" trusts a peer without an address, on a unix socket. Throws a TypeError when an entry
 * of `trusted` is malformed.
 *
 * @spec RFC 7239
 */
export const client = (options: {
  readonly trusted: ReadonlyArray<string>
  readonly header?: "forwarded" | "x-forwarded-for" | undefined
}): Effect.Effect<Client, never, HttpServerRequest> => {
  const find = clientAddress(options.trusted, options.header ?? "x-forwarded-for")
  return read((request) => {
    const direct = { address: target.peer(request), protocol: target.protocol(request), host: target.host(request) }
    return find(direct, request.headers).client
  })
}

/**
 * The media type, of those offered, that the client likes best. The answer varies by Accept: say so in `Vary`.
 *
 * @errors NotAcceptable (406) when it accepts none
 * @spec RFC 9110 §12.5.1
 */
export const accepts = <const Offer extends string>(
  offers: ReadonlyArray<Offer>
): Effect.Effect<Offer, HttpError.NotAcceptable, HttpServerRequest> =>
  Effect.flatMap(HttpServerRequest, (request) => {
    const picked = Accept.mediaType(request.headers.accept, offers)
    const offer = offers.find((each) => each === picked)
    return offer === undefined
      ? Effect.fail(new HttpError.NotAcceptable({ text: `Available: ${offers.join(", ")}` }))
      : Effect.succeed(offer)
  })

/**
 * The language, of those offered, that the client likes best; the first when it likes none: a foreign language is better
 * than no answer. The answer varies by Accept-Language: say so in `Vary`.
 *
 * @spec RFC 9110 §12.5.4; RFC 4647 §3.4
 */
export const language = <const Offer extends string>(
  offers: readonly [Offer, ...ReadonlyArray<Offer>]
): Effect.Effect<Offer, never, HttpServerRequest> =>
  read((request) => {
    const picked = Accept.language(request.headers["accept-language"], offers)
    return offers.find((each) => each === picked) ?? offers[0]
  })

/**
 * Refuses a change that is based on another state than the current one, which is given: to be yielded before the change.
 * `exists` (default true) says whether there is a current state; `If-None-Match: *` asks for none.
 *
 * @errors PreconditionFailed (412) when If-Match, If-Unmodified-Since or If-None-Match does not hold
 * @spec RFC 9110 §13.1, §13.2
 */
export const precondition = (state: {
  readonly etag?: EntityTag.EntityTag | string | undefined
  readonly lastModified?: Date | undefined
  readonly exists?: boolean | undefined
}): Effect.Effect<void, HttpError.PreconditionFailed, HttpServerRequest> =>
  Effect.flatMap(HttpServerRequest, ({ method, headers }) =>
    Conditional.evaluate({
      ...state,
      etag: typeof state.etag === "string" ? EntityTag.make(state.etag) : state.etag,
      method,
      headers
    }) === "precondition-failed"
      ? Effect.fail(
          new HttpError.PreconditionFailed({ text: "The resource is not in the state that the request expects" })
        )
      : Effect.void
  )

const tags = (header: string | undefined) => (header === undefined ? undefined : EntityTag.parseList(header))

const date = (header: string | undefined): Date | undefined =>
  header === undefined
    ? undefined
    : Result.getOrUndefined(Result.map(HttpHeaders.parseHttpDate(header.trim()), DateTime.toDateUtc))
