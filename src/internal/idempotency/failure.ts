/**
 * What is wrong with a request that has, or lacks, an Idempotency-Key.
 *
 * ```ts
 * yield* new KeyReused({ text: "The key was used for another request" })
 * ```
 *
 * @spec draft-ietf-httpapi-idempotency-key-header-07 §2.7
 */
import * as HttpError from "../../HttpError.ts"

/** The key is missing where it is required, or malformed (400). */
export class KeyInvalid extends HttpError.define<KeyInvalid>()("IdempotencyKeyInvalid", { status: 400 }) {}

/** The key was used for a request with another method, target or body (422). */
export class KeyReused extends HttpError.define<KeyReused>()("IdempotencyKeyReused", { status: 422 }) {}

/** The first request with this key is still being carried out (409, with `Retry-After`). */
export class InProgress extends HttpError.define<InProgress>()("IdempotencyInProgress", {
  status: 409,
  headers: () => ({ "retry-after": "1" })
}) {}

/** The first request was carried out, and its answer could not be kept: it was a stream, a file, or too large (409). */
export class NotKept extends HttpError.define<NotKept>()("IdempotencyNotKept", { status: 409 }) {}

/** Their classes. */
export const errors = [KeyInvalid, KeyReused, InProgress, NotKept] as const
