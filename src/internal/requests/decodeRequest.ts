/**
 * The parts of a request decoded by Schema. `Request` exports them; a described route decodes by them.
 *
 * ```ts
 * const { page } = yield* decodeQuery(Schema.Struct({ page: Schema.FiniteFromString }))
 * ```
 */
import * as Effect from "effect/Effect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import { RouteContext } from "../../Handler.ts"
import type * as HttpError from "../../HttpError.ts"
import * as Cookie from "../../http/Cookie.ts"
import * as Query from "../../http/Query.ts"
import { decoder, recorder } from "./decode.ts"
import * as target from "./target.ts"

/**
 * Decodes the parameters of the path. As with the query, headers and cookies, numbers, booleans and dates are read from their texts.
 *
 * @errors BadRequest (400) with the issues
 */
export const decodeParams = <A, R>(
  schema: Schema.ConstraintDecoder<A, R>
): Effect.Effect<A, HttpError.BadRequest, R | RouteContext> => {
  const decode = decoder<A, R>(Schema.toCodecStringTree(schema), "params")
  return Effect.flatMap(RouteContext, (route) => decode(route.params))
}

/**
 * Decodes the query. A name that occurs once is a string, or always an array where the schema wants one.
 *
 * @errors BadRequest (400) with the issues
 */
export const decodeQuery = <A, R>(
  schema: Schema.ConstraintDecoder<A, R>
): Effect.Effect<A, HttpError.BadRequest, R | HttpServerRequest> => {
  const codec = Schema.toCodecStringTree(schema)
  const [decode, record] = [decoder<A, R>(codec, "query"), recorder(codec)]
  return Effect.flatMap(HttpServerRequest, (request) => decode(record(Query.parse(target.split(request.url).search))))
}

/**
 * Decodes the header fields, by lower-case names.
 *
 * @errors BadRequest (400) with the issues
 */
export const decodeHeaders = <A, R>(
  schema: Schema.ConstraintDecoder<A, R>
): Effect.Effect<A, HttpError.BadRequest, R | HttpServerRequest> => {
  const decode = decoder<A, R>(Schema.toCodecStringTree(schema), "headers")
  return Effect.flatMap(HttpServerRequest, (request) => decode(request.headers))
}

/**
 * Decodes the cookies.
 *
 * @errors BadRequest (400) with the issues
 */
export const decodeCookies = <A, R>(
  schema: Schema.ConstraintDecoder<A, R>
): Effect.Effect<A, HttpError.BadRequest, R | HttpServerRequest> => {
  const decode = decoder<A, R>(Schema.toCodecStringTree(schema), "cookies")
  return Effect.flatMap(HttpServerRequest, (request) => decode(Cookie.parse(request.headers.cookie)))
}
