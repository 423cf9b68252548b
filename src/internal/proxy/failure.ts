/**
 * What can go wrong on the way to another server, and what the client is told of it: never an address.
 *
 * ```ts
 * failure("unreachable", "nobody", new Error("connect ECONNREFUSED 10.0.0.7:9000")).error // BadGateway (502)
 * ```
 *
 * @spec RFC 9110 §15.6.3, §15.6.5
 */
import * as HttpError from "../../HttpError.ts"

const reasons = {
  unreachable: [HttpError.BadGateway, "The upstream server cannot be reached"],
  connectTimeout: [HttpError.GatewayTimeout, "The upstream server did not accept the connection in time"],
  responseTimeout: [HttpError.GatewayTimeout, "The upstream server did not answer in time"],
  idle: [HttpError.GatewayTimeout, "The upstream server stopped in the middle of its answer"],
  broken: [HttpError.BadGateway, "The upstream server broke off"],
  malformed: [HttpError.BadGateway, "The upstream server gave no valid answer"]
} as const

/** What is wrong with the upstream server, or that the request itself is ("request"). */
export type Reason = keyof typeof reasons | "request"

/** What went wrong. */
export interface Failure {
  readonly _tag: "UpstreamFailure"
  readonly reason: Reason
  /** Who may know of the request: nobody yet, an upstream server that has said nothing, or one that has answered. */
  readonly reached: "nobody" | "upstream" | "answered"
  /** What the client gets. */
  readonly error: HttpError.BadGateway | HttpError.GatewayTimeout | HttpError.BadRequest | HttpError.ContentTooLarge
}

/** A failure of the upstream server. */
export const failure = (reason: keyof typeof reasons, reached: Failure["reached"], cause: unknown): Failure => {
  const [Class, text] = reasons[reason]
  return {
    _tag: "UpstreamFailure",
    reason,
    reached,
    error: new Class(cause === undefined ? { text } : { text, cause })
  }
}

/** A failure of the request. */
export const badRequest = (error: HttpError.BadRequest | HttpError.ContentTooLarge): Failure => ({
  _tag: "UpstreamFailure",
  reason: "request",
  reached: "upstream",
  error
})

/** A body that ends before its end. */
export const incomplete = (cause: unknown): Failure =>
  badRequest(new HttpError.BadRequest({ text: "The body cannot be read to its end", cause }))

/** True for what another server has done, or does not do for now: it is a warning, where a failure of this one is an error. */
export const isUpstream = (error: unknown): boolean =>
  HttpError.isHttpError(error) && error.status >= 502 && error.status <= 504
