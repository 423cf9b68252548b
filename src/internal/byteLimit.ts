/**
 * Limits in bytes, checked when they are declared.
 *
 * ```ts
 * parse("1 MiB") // 1048576n
 * ```
 */
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import { MaxBodySize } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Middleware } from "../Middleware.ts"
import * as Passage from "./exchange/passage.ts"
import * as FileBody from "./files/body.ts"

/** The limit of a request body where none is declared: 1 MiB, as aiohttp's `client_max_size`. */
export const standard: ByteSize.ByteSize = ByteSize.mebibytes(1)

/** Throws a TypeError when the text is no size. */
export const parse = (input: ByteSize.Input): ByteSize.ByteSize =>
  Option.getOrThrowWith(
    ByteSize.fromInput(input),
    () => new TypeError(`"${String(input)}" is no size; write "64 kB", "1 MiB" or a count of bytes`)
  )

/** Whether an app or a route has declared the limit: what passes bodies on has no other one. */
export const Declared = Context.Reference<boolean>("effect-web/BodyLimitDeclared", { defaultValue: () => false })

/** Declares the limit of handlers, and of the streams that they answer with. */
export const declare = (limit: ByteSize.ByteSize): Middleware => {
  const limited = (context: Context.Context<never>) =>
    Context.add(Context.add(context, MaxBodySize, limit), Declared, true)
  // A stream runs when its handler has ended, and may pass the body on.
  const answer = (response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse => {
    const { body } = response
    if (body._tag !== "Stream" || FileBody.of(body.stream) !== undefined) return response
    const stream = Stream.updateContext(body.stream, limited)
    return HttpServerResponse.setBody(response, HttpBody.stream(stream, body.contentType, body.contentLength))
  }
  return Passage.middleware((passage) => {
    passage.provide(limited)
    passage.surround(Effect.map(answer))
  }) as Middleware
}
