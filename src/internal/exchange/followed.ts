/**
 * Follows requests, whatever engine they come through.
 *
 * ```ts
 * const middleware = Passage.middleware((passage) => follow(passage).observe((outcome) => log(outcome)))
 * ```
 *
 * Under other engines than the server's the end is that of the request's scope, behind the last chunk of a stream.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpEffect from "effect/http/HttpEffect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Handler } from "../../Handler.ts"
import * as Exchange from "./exchange.ts"
import type { Passage } from "./passage.ts"

type AnyHandler = Handler<unknown, unknown>

/** The exchange of a request that goes through a step; followed from now on, if it was not. */
export const follow = (passage: Passage): Exchange.Exchange => {
  const { outer, route } = passage
  const request: HttpServerRequest.HttpServerRequest & Exchange.Followed = passage.request
  const clock = Context.get(outer, Clock.Clock)
  const known = request[Exchange.symbol]?.(clock) ?? Exchange.portables.get(request.source)
  if (known !== undefined) return known
  const exchange = new Portable(request, route, clock)
  Exchange.portables.set(request.source, exchange)
  passage.surround((handler) => observed(handler, exchange))
  return exchange
}

// Handlers that change the response later in the chain have run before this one, which is added last.
const observed = (handler: AnyHandler, exchange: Portable): AnyHandler =>
  Effect.flatMap(Effect.scope, (scope) => {
    const ended = Scope.addFinalizerExit(scope, (exit) => Effect.sync(() => exchange.end(exit)))
    const answered = HttpEffect.appendPreResponseHandler((request, response) =>
      Effect.sync(() => exchange.answer(request.method, response))
    )
    return Effect.andThen(
      ended,
      Effect.onExit(handler, () => answered)
    )
  })

/** As much as can be known of a request of another engine. */
class Portable extends Exchange.Exchange {
  private readonly request: HttpServerRequest.HttpServerRequest
  private headers: Readonly<Record<string, string | undefined>> = {}
  readonly httpVersion = "1.1"

  constructor(request: HttpServerRequest.HttpServerRequest, route: Exchange.Route, clock: Clock.Clock) {
    super(route, clock)
    this.request = request
    this.remoteAddress = Option.getOrUndefined(request.remoteAddress)
    this.status = 499
  }

  get method(): string {
    return this.request.method
  }

  get url(): string {
    return this.request.url
  }

  requestHeader(name: string): string | undefined {
    return this.request.headers[name]
  }

  responseHeader(name: string): string | undefined {
    return this.headers[name]
  }

  /** Takes the answer on its way out; the chunks of a stream are counted. */
  answer(method: string, response: HttpServerResponse.HttpServerResponse): HttpServerResponse.HttpServerResponse {
    const { body, headers, status } = response
    this.status = status
    this.headers = headers
    if (method === "HEAD") return response
    if (body._tag !== "Stream") {
      this.bodyBytes = ("contentLength" in body ? body.contentLength : 0) ?? 0
      return response
    }
    const counted = Stream.mapArray(body.stream, (chunks) => {
      for (const chunk of chunks) this.bodyBytes += chunk.length
      return chunks
    })
    const { contentLength, contentType } = body
    return HttpServerResponse.setBody(response, HttpBody.stream(counted, contentType, contentLength))
  }

  /** The scope of the request has closed. */
  end(exit: Exit.Exit<unknown, unknown>): void {
    if (Exit.isSuccess(exit)) {
      this.settle(false)
      return
    }
    const isLost = Cause.hasInterruptsOnly(exit.cause)
    if (!isLost) this.fail("defect", undefined)
    this.settle(isLost)
  }

  protected measure(): void {
    this.bytes = this.bodyBytes
  }
}
