/**
 * An HTTP error as JSON, and the same again: of its own class where that is known here, and else of one that looks the same.
 *
 * ```ts
 * const kept = yield* keepError(new EmailTaken({ email }), classes)
 * const error = yield* restore(kept, classes) // an EmailTaken
 * ```
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { HttpError } from "../../HttpError.ts"
import type { ErrorClass } from "../../Middleware.ts"
import { define, symbol } from "../errors/httpErrorClass.ts"

/** Says that an answer is not the first; Stripe's. */
export const replayed = { "idempotent-replayed": "true" } as const

/** The classes that are known, by their tags. */
export type Classes = Map<string, Schema.Top>

/** An error as it is kept. */
export interface KeptError {
  readonly tag: string
  readonly status: number
  readonly text: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** What the client sees of it. */
  readonly members: Readonly<Record<string, unknown>>
  /** All of its fields, where its class can encode them. */
  readonly encoded?: unknown
}

/** Knows the classes that are given. */
export const known = (errors: ReadonlyArray<ErrorClass>): Classes =>
  // Every class of HttpError is a schema of its errors.
  new Map(errors.map((each) => [tagOf(each.prototype as object), each as unknown as Schema.Top]))

const tagOf = (u: object): string =>
  "_tag" in u && typeof u._tag === "string" ? u._tag : "name" in u ? String(u.name) : ""

/** The error to be kept; its class is known from now on. */
export const keepError = Effect.fnUntraced(function* (error: HttpError, classes: Classes): Effect.fn.Return<KeptError> {
  const tag = tagOf(error)
  const Class = error.constructor as unknown as Schema.Top
  if (Schema.isSchema(Class)) classes.set(tag, Class)
  const { headers, members } = error[symbol]
  const encoded = yield* Effect.exit(encode(Class, error))
  return {
    tag,
    status: error.status,
    text: error.text,
    headers: headers(),
    members: yield* members(),
    ...(encoded._tag === "Success" ? { encoded: encoded.value } : undefined)
  }
})

// A field of a class of one's own may have no way to JSON.
const encode = (Class: Schema.Top, error: HttpError): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() => Schema.encodeUnknownEffect(Schema.toCodecJson(Class))(error)) as Effect.Effect<unknown, unknown>

/** The error again. */
export const restore = (kept: KeptError, classes: Classes): Effect.Effect<HttpError> => {
  const Class = classes.get(kept.tag)
  if (Class === undefined || kept.encoded === undefined) return Effect.sync(() => alike(kept))
  const decoded = Effect.suspend(() => Schema.decodeUnknownEffect(Schema.toCodecJson(Class))(kept.encoded))
  return Effect.catchCause(
    Effect.map(decoded as Effect.Effect<HttpError, unknown>, (error) => Object.assign(error, { headers: again(kept) })),
    () => Effect.sync(() => alike(kept))
  )
}

const again = ({ headers }: KeptError) => ({ ...headers, ...replayed })

const alike = (kept: KeptError): HttpError => {
  const { members, status, tag, text } = kept
  class Alike extends define<Alike>()(tag, { status }) {}
  const error = new Alike(text === undefined ? {} : { text })
  Object.defineProperty(error, symbol, {
    value: { headers: () => again(kept), members: () => Effect.succeed(members) }
  })
  return error
}
