/**
 * The multipart body of the request: its media type and length are checked before it is read.
 *
 * ```ts
 * const reader = yield* open("multipart/*", limits)
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { HttpServerRequest, MaxBodySize } from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import * as HttpError from "../../HttpError.ts"
import * as MediaType from "../../http/MediaType.ts"
import type { Failure, Reader } from "../../Multipart.ts"
import { BodyChunks } from "../bodies/bodyChunks.ts"
import { announcesMore, tooLarge } from "../bodies/readBody.ts"
import { collect, type Entry } from "./form.ts"
import type { Limits } from "./limits.ts"
import { make } from "./reader.ts"

/** Opens it, if it is of the kind. */
export const open = (
  kind: "multipart/*" | "multipart/form-data",
  limits: Limits
): Effect.Effect<Reader, Failure, HttpServerRequest | Scope.Scope> =>
  Effect.withFiber((fiber) => {
    const request = Context.getUnsafe(fiber.context, HttpServerRequest)
    const type = MediaType.parse(request.headers["content-type"] ?? "")
    if (type === undefined || !fits(type.essence, kind)) {
      const text = `Expected ${kind}, got ${type?.essence ?? "no valid Content-Type"}`
      return Exit.fail(new HttpError.UnsupportedMediaType({ text, accepts: [kind] }))
    }
    const limit = limits.body ?? fiber.getRef(MaxBodySize)
    if (announcesMore(request, limit)) return Exit.fail(tooLarge(limit))
    return Effect.flatMap(fiber.getRef(BodyChunks)(limit), (chunks) => make(chunks, type, limits))
  })

const read = new WeakMap<object, Exit.Exit<ReadonlyArray<Entry>, Failure>>()

/** All entries of a form, read once: who asks again, after a failure too, gets the same. */
export const entries = (
  kind: "multipart/form-data",
  limits: Limits,
  knows: (name: string) => boolean
): Effect.Effect<ReadonlyArray<Entry>, Failure, HttpServerRequest | Scope.Scope> =>
  Effect.flatMap(HttpServerRequest, ({ source }) => {
    const collected = Effect.flatMap(open(kind, limits), (reader) => collect(reader, limits, knows))
    const keep = (exit: Exit.Exit<ReadonlyArray<Entry>, Failure>) =>
      Effect.sync(() => {
        if (!Exit.hasInterrupts(exit)) read.set(source, exit)
      })
    return read.get(source) ?? Effect.onExit(collected, keep)
  })

const fits = (essence: string, kind: string): boolean =>
  kind === "multipart/*" ? essence.startsWith("multipart/") : essence === kind
