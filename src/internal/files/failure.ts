/**
 * Why a file cannot be had: one of three reasons, whatever the system calls it.
 *
 * ```ts
 * toHttpError(new FileFailure(reasonOf("ENOENT"), error)) // fails with NotFound
 * ```
 *
 * @spec RFC 9110 §15.5.4, §15.5.5
 */
import * as Effect from "effect/Effect"
import * as HttpError from "../../HttpError.ts"

/** Why a file cannot be had. */
export class FileFailure {
  readonly reason: "NotFound" | "Forbidden" | "Unknown"
  readonly cause: unknown
  constructor(reason: "NotFound" | "Forbidden" | "Unknown", cause: unknown) {
    this.reason = reason
    this.cause = cause
  }
}

/** Why, by the code of a system's error. */
export const reasonOf = (code: unknown): FileFailure["reason"] => {
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
    case "ENAMETOOLONG":
    case "ELOOP":
    case "EINVAL":
    case "EILSEQ":
    case "ERR_INVALID_ARG_VALUE":
      return "NotFound"
    case "EACCES":
    case "EPERM":
      return "Forbidden"
    default:
      return "Unknown"
  }
}

const notFound = Effect.fail(Object.freeze(new HttpError.NotFound()))
const forbidden = Effect.fail(Object.freeze(new HttpError.Forbidden()))

/** The failure as a client sees it: 404, 403, or a defect with its cause. */
export const toHttpError = (failure: FileFailure): Effect.Effect<never, HttpError.NotFound | HttpError.Forbidden> => {
  switch (failure.reason) {
    case "NotFound":
      return notFound
    case "Forbidden":
      return forbidden
    case "Unknown":
      return Effect.die(failure.cause)
  }
}
