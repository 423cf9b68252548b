/**
 * The class that every redirect is made by: a typed failure with a status and a location.
 *
 * ```ts
 * class Found extends define("Found", 302) {}
 * ```
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ErrorReporter from "effect/ErrorReporter"
import type * as Cookies from "effect/http/Cookies"
import type * as Headers from "effect/http/Headers"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Status from "../../http/Status.ts"
import * as Response from "../../Response.ts"
import { toLocation } from "../responses/responseHead.ts"

/** What marks a redirect at run time; its value is the answer. */
export const symbol = "~effect-web/Redirect"

/** What every redirect has. */
export interface Redirect<Tag extends string = string, Status extends number = number>
  extends Cause.YieldableError,
    HttpServerRespondable.Respondable {
  readonly _tag: Tag
  readonly status: Status
  readonly [symbol]: HttpServerResponse
}

/** A redirect that says where to. */
export interface Located<Tag extends string, Status extends number> extends Redirect<Tag, Status> {
  /** As it is sent: what a URI cannot have is percent-encoded. */
  readonly location: string
}

/** Headers and cookies of the answer. */
export interface Options {
  readonly headers?: Headers.Input
  readonly cookies?: Cookies.Cookies
}

/** The class of redirects with a location; making one throws a TypeError when the location is empty. */
export interface Class<Tag extends string, Status extends number> {
  readonly status: Status
  new (options: Options & { readonly location: string | URL }): Located<Tag, Status>
}

/** A tagged error that is answered by what `respond` makes of its options; never reported as an error. */
export const make = <Input>(
  tag: string,
  status: number,
  respond: (input: Input) => HttpServerResponse
): { readonly status: number; new (input: Input): Redirect & { readonly location: string | undefined } } =>
  class extends Data.TaggedError(tag)<{}> {
    static readonly status = status
    readonly status = status
    readonly #response: HttpServerResponse
    constructor(input: Input) {
      super()
      this.#response = respond(input)
    }
    get location(): string | undefined {
      return this.#response.headers.location
    }
    override get message(): string {
      return `${status} ${Status.reason(status)}${this.location === undefined ? "" : `: ${this.location}`}`
    }
    override get [ErrorReporter.ignore](): boolean {
      return true
    }
    get [symbol](): HttpServerResponse {
      return this.#response
    }
    [HttpServerRespondable.symbol](): Effect.Effect<HttpServerResponse> {
      return Effect.succeed(this[symbol])
    }
  }

/** Makes the class of a redirect with a location. The answer has no body (RFC 9110 §15.4 only suggests one). */
export const define = <const Tag extends string, const Status extends number>(
  tag: Tag,
  status: Status
): Class<Tag, Status> =>
  // The members are there; that the tag and the status are these literals, and that it has a location, only we know.
  make(tag, status, ({ cookies, headers, location }: Options & { readonly location: string | URL }) =>
    Response.setHeader(Response.empty({ status, headers, cookies }), "location", toLocation(location))
  ) as unknown as Class<Tag, Status>
