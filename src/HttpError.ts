/**
 * HTTP failures as typed errors: every 4xx and 5xx of the IANA registry as a tagged class, and `define` for your own.
 *
 * ```ts
 * yield* new HttpError.NotFound({ text: "No such user" })
 * class EmailTaken extends HttpError.define<EmailTaken>()("EmailTaken", { status: 409 }, { email: Schema.String }) {}
 * handler.pipe(Effect.catchIf(HttpError.isClientError, (error) => Effect.succeed(Response.text(error.title))))
 * ```
 *
 * `text` is for the client, `cause` for the log only. `headers` and `cookies` go onto the answer.
 *
 * @source aiohttp.web.HTTPException
 * @spec RFC 9110 §15.5, §15.6; IANA HTTP Status Code Registry
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { define, type HttpError, symbol } from "./internal/errors/httpErrorClass.ts"

export { type Class, type Common, define, type HttpError } from "./internal/errors/httpErrorClass.ts"

/** One thing that is wrong with the input: where (`in`, `path`) and what (`message`). */
export class Issue extends Schema.Class<Issue>("effect-web/HttpError/Issue")({
  in: Schema.Literals(["params", "query", "headers", "cookies", "body"]),
  path: Schema.Array(Schema.Union([Schema.String, Schema.Number])),
  message: Schema.String
}) {}

/** True for every error made by this module or by `define`. */
export const isHttpError = (u: unknown): u is HttpError => typeof u === "object" && u !== null && symbol in u

/** True for an HTTP error with a status from 400 to 499. */
export const isClientError = (u: unknown): u is HttpError => isHttpError(u) && u.status < 500

/** True for an HTTP error with a status from 500 to 599. */
export const isServerError = (u: unknown): u is HttpError => isHttpError(u) && u.status >= 500

const issues = { issues: Schema.optionalKey(Schema.Array(Issue)) }
const challenges = { challenges: Schema.optionalKey(Schema.Array(Schema.String)) }

const isDelay = (u: unknown): u is Duration.Input | Date =>
  u instanceof Date || Option.isSome(Duration.fromInput(u as Duration.Input))

/** When to come back: a duration or a date. Never part of a body, only the `Retry-After` header. */
const retryAfter = { retryAfter: Schema.optionalKey(Schema.declare(isDelay)) }

const withRetryAfter = (error: { readonly retryAfter?: Duration.Input | Date }): Record<string, string> => {
  const after = error.retryAfter
  if (after === undefined) return {}
  if (after instanceof Date) return { "retry-after": after.toUTCString() }
  return { "retry-after": String(Math.ceil(Duration.toSeconds(after))) }
}

const withChallenges =
  (name: string) =>
  (error: { readonly challenges?: ReadonlyArray<string> }): Record<string, string> =>
    error.challenges === undefined || error.challenges.length === 0 ? {} : { [name]: error.challenges.join(", ") }

/** The request is malformed; `issues` say where. */
export class BadRequest extends define<BadRequest>()("BadRequest", { status: 400 }, issues) {}

/** Who asks is not known; `challenges` become `WWW-Authenticate` (RFC 9110 §11.6.1). */
export class Unauthorized extends define<Unauthorized>()(
  "Unauthorized",
  { status: 401, headers: withChallenges("www-authenticate"), hidden: ["challenges"] },
  challenges
) {}

export class PaymentRequired extends define<PaymentRequired>()("PaymentRequired", { status: 402 }) {}
export class Forbidden extends define<Forbidden>()("Forbidden", { status: 403 }) {}
export class NotFound extends define<NotFound>()("NotFound", { status: 404 }) {}

/** The path exists, the method does not; `allowed` becomes `Allow` (RFC 9110 §15.5.6). */
export class MethodNotAllowed extends define<MethodNotAllowed>()(
  "MethodNotAllowed",
  { status: 405, headers: (error) => ({ allow: error.allowed.join(", ") }) },
  { method: Schema.String, allowed: Schema.Array(Schema.String) }
) {}

export class NotAcceptable extends define<NotAcceptable>()("NotAcceptable", { status: 406 }) {}

/** The proxy wants credentials; `challenges` become `Proxy-Authenticate`. */
export class ProxyAuthenticationRequired extends define<ProxyAuthenticationRequired>()(
  "ProxyAuthenticationRequired",
  { status: 407, headers: withChallenges("proxy-authenticate"), hidden: ["challenges"] },
  challenges
) {}

/** The request did not arrive in time; the connection is closed. */
export class RequestTimeout extends define<RequestTimeout>()("RequestTimeout", {
  status: 408,
  headers: () => ({ connection: "close" })
}) {}

export class Conflict extends define<Conflict>()("Conflict", { status: 409 }) {}
export class Gone extends define<Gone>()("Gone", { status: 410 }) {}
export class LengthRequired extends define<LengthRequired>()("LengthRequired", { status: 411 }) {}
export class PreconditionFailed extends define<PreconditionFailed>()("PreconditionFailed", { status: 412 }) {}

/** The body is larger than `limit` bytes. */
export class ContentTooLarge extends define<ContentTooLarge>()(
  "ContentTooLarge",
  { status: 413 },
  { limit: Schema.optionalKey(Schema.Number) }
) {}

export class UriTooLong extends define<UriTooLong>()("UriTooLong", { status: 414 }) {}

/** The media type or content coding is not supported; `accepts` lists media types that are. */
export class UnsupportedMediaType extends define<UnsupportedMediaType>()(
  "UnsupportedMediaType",
  {
    status: 415,
    headers: (error): Record<string, string> => ({
      ...(error.accepts === undefined ? undefined : { accept: error.accepts.join(", ") }),
      ...(error.acceptsEncodings === undefined ? undefined : { "accept-encoding": error.acceptsEncodings.join(", ") })
    })
  },
  {
    accepts: Schema.optionalKey(Schema.Array(Schema.String)),
    acceptsEncodings: Schema.optionalKey(Schema.Array(Schema.String))
  }
) {}

/** No part of the range exists; `size` in bytes becomes `Content-Range` (RFC 9110 §15.5.17). */
export class RangeNotSatisfiable extends define<RangeNotSatisfiable>()(
  "RangeNotSatisfiable",
  {
    status: 416,
    headers: (error): Record<string, string> =>
      error.size === undefined ? {} : { "content-range": `bytes */${error.size}` }
  },
  { size: Schema.optionalKey(Schema.Number) }
) {}

export class ExpectationFailed extends define<ExpectationFailed>()("ExpectationFailed", { status: 417 }) {}
export class MisdirectedRequest extends define<MisdirectedRequest>()("MisdirectedRequest", { status: 421 }) {}

/** The request is well formed and still wrong; `issues` say where. */
export class UnprocessableContent extends define<UnprocessableContent>()(
  "UnprocessableContent",
  { status: 422 },
  issues
) {}

export class Locked extends define<Locked>()("Locked", { status: 423 }) {}
export class FailedDependency extends define<FailedDependency>()("FailedDependency", { status: 424 }) {}
export class TooEarly extends define<TooEarly>()("TooEarly", { status: 425 }) {}

/** The client must switch to `protocol`, which becomes `Upgrade` (RFC 9110 §15.5.22). */
export class UpgradeRequired extends define<UpgradeRequired>()(
  "UpgradeRequired",
  { status: 426, headers: (error) => ({ upgrade: error.protocol, connection: "upgrade" }) },
  { protocol: Schema.String }
) {}

export class PreconditionRequired extends define<PreconditionRequired>()("PreconditionRequired", { status: 428 }) {}

/** Too many requests; `retryAfter` becomes `Retry-After`, rounded up to seconds. */
export class TooManyRequests extends define<TooManyRequests>()(
  "TooManyRequests",
  { status: 429, headers: withRetryAfter, hidden: ["retryAfter"] },
  retryAfter
) {}

export class RequestHeaderFieldsTooLarge extends define<RequestHeaderFieldsTooLarge>()("RequestHeaderFieldsTooLarge", {
  status: 431
}) {}

/** Blocked by law; `link` names who demanded it (RFC 7725). */
export class UnavailableForLegalReasons extends define<UnavailableForLegalReasons>()(
  "UnavailableForLegalReasons",
  {
    status: 451,
    headers: (error): Record<string, string> =>
      error.link === undefined ? {} : { link: `<${new URL(error.link).href}>; rel="blocked-by"` }
  },
  { link: Schema.optionalKey(Schema.String) }
) {}

export class InternalServerError extends define<InternalServerError>()("InternalServerError", { status: 500 }) {}
export class NotImplemented extends define<NotImplemented>()("NotImplemented", { status: 501 }) {}
export class BadGateway extends define<BadGateway>()("BadGateway", { status: 502 }) {}

/** Not now; `retryAfter` becomes `Retry-After`, rounded up to seconds. */
export class ServiceUnavailable extends define<ServiceUnavailable>()(
  "ServiceUnavailable",
  { status: 503, headers: withRetryAfter, hidden: ["retryAfter"] },
  retryAfter
) {}

export class GatewayTimeout extends define<GatewayTimeout>()("GatewayTimeout", { status: 504 }) {}
export class HttpVersionNotSupported extends define<HttpVersionNotSupported>()("HttpVersionNotSupported", {
  status: 505
}) {}
export class VariantAlsoNegotiates extends define<VariantAlsoNegotiates>()("VariantAlsoNegotiates", { status: 506 }) {}
export class InsufficientStorage extends define<InsufficientStorage>()("InsufficientStorage", { status: 507 }) {}
export class LoopDetected extends define<LoopDetected>()("LoopDetected", { status: 508 }) {}
export class NotExtended extends define<NotExtended>()("NotExtended", { status: 510 }) {}
export class NetworkAuthenticationRequired extends define<NetworkAuthenticationRequired>()(
  "NetworkAuthenticationRequired",
  { status: 511 }
) {}
