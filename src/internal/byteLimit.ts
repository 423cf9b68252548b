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
import { MaxBodySize } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"

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

/** Declares the limit of a handler. */
export const declare = (limit: ByteSize.ByteSize) => {
  const declared = Context.add(Context.make(MaxBodySize, limit), Declared, true)
  return <A, E, R>(handler: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideContext(handler, declared) as Effect.Effect<A, E, R>
}
