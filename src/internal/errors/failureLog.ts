/**
 * What is logged of a failure, and what its request's outcome is told.
 *
 * ```ts
 * FailureLog.note(found, cause, request)
 * yield* FailureLog.annotated(FailureLog.log(found, cause), request)
 * ```
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Predicate from "effect/Predicate"
import type { Answer } from "../../ErrorResponse.ts"
import * as HttpError from "../../HttpError.ts"
import * as Status from "../../http/Status.ts"
import * as Exchange from "../exchange/exchange.ts"
import { isShed } from "../overload/shed.ts"
import { isUpstream } from "../proxy/failure.ts"

/** Defects as errors always, failures of 500 and above by whether they have a cause; redirects and interruptions never. */
export const log = (
  { answer, defect, interrupted }: Answer,
  cause: Cause.Cause<unknown>
): Effect.Effect<void> | undefined => {
  if (interrupted) return undefined
  if (defect) return Effect.andThen(Effect.logError("The handler died", cause), ErrorReporter.report(cause))
  // Whoever sheds requests says so for all of them.
  if (answer.status < 400 || isShed(answer)) return undefined
  const caused = causeOf(HttpError.isHttpError(answer) ? answer : failureOf(cause)) !== undefined
  const message = `The handler failed with ${answer.status} ${Status.reason(answer.status)}`.trimEnd()
  // 501 and 505 are the client's doing: what it asked for is not spoken here.
  const own = answer.status >= 500 && answer.status !== 501 && answer.status !== 505
  if (!own) return caused ? Effect.logDebug(message, cause) : undefined
  const logged = isUpstream(answer) ? Effect.logWarning(message, cause) : Effect.logError(message, cause)
  return Effect.andThen(caused ? logged : Effect.logWarning(message + said(answer, cause)), ErrorReporter.report(cause))
}

// Without a cause nothing else says which failure of the status it was.
const said = (answer: Answer["answer"], cause: Cause.Cause<unknown>): string => {
  const failure = HttpError.isHttpError(answer) ? answer : failureOf(cause)
  const tag = tagOf(failure)
  const isOwn = tag !== Status.reason(answer.status).replaceAll(" ", "") && tag !== `Status${answer.status}`
  const text = Predicate.hasProperty(failure, "text") && typeof failure.text === "string" ? failure.text : undefined
  const parts = [isOwn ? tag : undefined, text].filter((part) => part !== undefined)
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`
}

/** Notes an answered failure in the outcome of its request. */
export const note = (
  { answer, defect, interrupted }: Answer,
  cause: Cause.Cause<unknown>,
  request: HttpServerRequest | undefined
): void => {
  const exchange = Exchange.peek(request)
  if (exchange === undefined) return
  if (interrupted) exchange.fail("interrupted", "ServiceUnavailable")
  else if (defect) exchange.fail("defect", undefined)
  else if (answer.status >= 400) {
    exchange.fail(
      isShed(answer) ? "shed" : "failed",
      tagOf(HttpError.isHttpError(answer) ? answer : failureOf(cause)) ?? String(answer.status)
    )
  }
}

/** Notes that an answer broke off, and why. */
export const broke = (request: HttpServerRequest, cause: Cause.Cause<unknown>): void => {
  const exchange = Exchange.peek(request)
  if (exchange === undefined) return
  const tag = cause.reasons.some(Cause.isDieReason) ? undefined : tagOf(failureOf(cause))
  if (Cause.hasInterruptsOnly(cause)) exchange.broke("interrupted", undefined)
  else exchange.broke(tag === undefined ? "defect" : "failed", tag)
}

/** A log with the method, the path and the id of its request. */
export const annotated = (logged: Effect.Effect<void>, request: HttpServerRequest | undefined): Effect.Effect<void> => {
  if (request === undefined) return logged
  const requestId = Exchange.peek(request)?.requestId
  return Effect.annotateLogs(logged, {
    "http.method": request.method,
    "http.path": request.url.split("?", 1)[0],
    ...(requestId === undefined ? undefined : { requestId })
  })
}

/** The tag of an error. */
export const tagOf = (u: unknown): string | undefined =>
  Predicate.hasProperty(u, "_tag") && typeof u._tag === "string" ? u._tag : undefined

const failureOf = (cause: Cause.Cause<unknown>): unknown => {
  const reason = cause.reasons.find(Cause.isFailReason) ?? cause.reasons.find(Cause.isDieReason)
  return reason?._tag === "Fail" ? reason.error : reason?.defect
}

/** What caused an error; Effect's own errors have theirs in their reason. */
export const causeOf = (u: unknown): unknown => {
  if (Predicate.hasProperty(u, "cause") && u.cause !== undefined) return u.cause
  return Predicate.hasProperty(u, "reason") && Predicate.hasProperty(u.reason, "cause") ? u.reason.cause : undefined
}
