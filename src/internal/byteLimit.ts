/**
 * Limits in bytes, checked when they are declared.
 *
 * ```ts
 * parse("1 MiB") // 1048576n
 * ```
 */
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import { MaxBodySize } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import type { Middleware } from "../Middleware.ts"
import * as Passage from "./exchange/passage.ts"

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

/** Declares the limit of handlers. */
export const declare = (limit: ByteSize.ByteSize): Middleware =>
  Passage.middleware((passage) => {
    passage.provide((context) => Context.add(Context.add(context, MaxBodySize, limit), Declared, true))
  }) as Middleware
