/**
 * Runs the handlers of requests: a fiber each, interrupted when its client leaves; and no fiber where a handler is plain.
 *
 * ```ts
 * const handlers = Handlers.make(base, state)
 * handlers.answer(incoming, outgoing, "/users/42", target)
 * ```
 *
 * Everything that a fiber needs is in one context made at the start. No request is left without an answer, however its handler ends.
 */
import type * as Http from "node:http"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Tracer from "effect/Tracer"
import * as ErrorResponse from "../../ErrorResponse.ts"
import { type Handler, RouteContext } from "../../Handler.ts"
import { finished } from "../../internal/exchange/handling.ts"
import { Passage } from "../../internal/exchange/passage.ts"
import type { Target } from "../../internal/routing/compile.ts"
import { answered, noted } from "../../internal/routing/endpoint.ts"
import * as NodeExchange from "./exchange/NodeExchange.ts"
import * as Handover from "./Handover.ts"
import * as Lifecycle from "./Lifecycle.ts"
import { NodeRequest } from "./NodeRequest.ts"
import { announced } from "./RequestBody.ts"
import * as ResponseWriter from "./ResponseWriter.ts"
import type * as ResponseHead from "./responseHead.ts"
import { discardRest } from "./Unread.ts"

/** What the engine asks for. */
export interface Handlers {
  /** Answers a request by its target, without a fiber where that takes none. */
  readonly answer: (source: Http.IncomingMessage, response: Http.ServerResponse, url: string, target: Target) => void
  /** Answers a request in a fiber. */
  readonly run: (request: NodeRequest) => void
  /** The requests whose handlers are running. */
  readonly running: () => Iterable<NodeRequest>
  /** Interrupts what is running and waits for it, with its finalizers. */
  readonly interruptAll: Effect.Effect<void>
  /** Waits for what is running. */
  readonly settled: Effect.Effect<void>
}

/** Makes the handlers of an engine; `base` is the context of all its fibers. */
export const make = (base: Context.Context<never>, state: ResponseHead.State): Handlers => {
  const clock = Context.get(base, Clock.Clock)
  // A span is that of a fiber.
  const isTraced = Context.getOrUndefined(base, Tracer.Tracer) !== undefined
  const fibers = new Map<Fiber.Fiber<unknown, unknown>, NodeRequest>()
  const write = (request: HttpServerRequest.HttpServerRequest, response: HttpServerResponse.HttpServerResponse) => {
    // The engine makes every request itself.
    const own = request as NodeRequest
    const final = finished(response, own, own.target.renderer)
    const written = HttpServerResponse.isHttpServerResponse(final)
      ? ResponseWriter.write(own, final, state)
      : Effect.flatMap(final, (response) => ResponseWriter.write(own, response, state))
    if (Exit.isExit(written)) return written
    const requestId = NodeExchange.of(own.response)?.requestId
    return requestId === undefined ? written : Effect.annotateLogs(written, { requestId })
  }

  const handled = HttpEffect.toHandled(
    Effect.withFiber((fiber) => {
      const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest) as NodeRequest
      return request.target.answer
    }) as Effect.Effect<HttpServerResponse.HttpServerResponse>,
    write
  ) as Effect.Effect<void>

  // What failed outside of the handler, in a finalizer or in what changes every answer, is no more silent than what failed inside.
  const ended = (request: NodeRequest, exit: Exit.Exit<unknown, unknown>): void => {
    const { response, target } = request
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) {
      unanswered(response)
      return
    }
    const answer = ErrorResponse.answer(exit.cause, request, target.renderer)
    const written = Effect.flatMap(answer, (answer) => ResponseWriter.write(request, answer, state))
    Effect.runForkWith(base)(written).addObserver(() => unanswered(response))
  }

  const run = (request: NodeRequest): void => {
    const { response, source, target } = request
    if (announced(source)) discardRest(source, response)
    const context = Context.add(
      Context.add(base, HttpServerRequest.HttpServerRequest, request),
      RouteContext,
      target.context
    )
    const fiber = Effect.runForkWith(context)(handled)
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) {
      ended(request, exit)
      return
    }
    request.since = clock.currentTimeMillisUnsafe()
    fibers.set(fiber, request)
    fiber.addObserver((exit) => {
      fibers.delete(fiber)
      ended(request, exit)
    })
    Lifecycle.follow(fiber, request, base)
  }

  // Writes what a handler gave without a fiber; false when that takes one.
  const done = (request: NodeRequest, passage: Passage, given: Handler<unknown, unknown>): boolean => {
    if (!Exit.isExit(given) || Exit.isFailure(given) || !HttpServerResponse.isHttpServerResponse(given.value))
      return false
    if (given.value.body._tag !== "Uint8Array") return false
    let answer: HttpServerResponse.HttpServerResponse
    try {
      answer = passage.answer(given.value)
    } catch {
      // It throws in the fiber again, whose failures are answered.
      return false
    }
    const written = write(request, answer)
    if (!Exit.isExit(written)) Effect.runForkWith(base)(written)
    return true
  }

  return {
    run,
    answer: (source, response, url, target) => {
      const request = new NodeRequest(source, response, url, target)
      const { context, direct, renderer } = target
      if (direct === undefined || isTraced || announced(source)) {
        run(request)
        return
      }
      const passage = new Passage(request, context, base)
      const given =
        passage.enter(direct.steps) ??
        (passage.needsFiber ? Effect.suspend(() => direct.call(context)) : direct.call(context))
      if (done(request, passage, given)) return
      const rest = Effect.withFiber((fiber) => passage.around(noted(given), fiber.context))
      request.target = { ...target, answer: answered(rest, renderer) }
      run(request)
    },
    running: () => fibers.values(),
    interruptAll: Effect.suspend(() => {
      for (const { response } of fibers.values()) NodeExchange.of(response)?.drain()
      return Fiber.interruptAll([...fibers.keys()])
    }),
    settled: Effect.suspend(() => Fiber.awaitAll([...fibers.keys()]))
  }
}

// A fiber that ended without an answer must not leave its client waiting.
const unanswered = (response: Http.ServerResponse): void => {
  if (response.headersSent || response.destroyed || Handover.isTaken(response)) return
  try {
    response.writeHead(500, { "content-length": "0", connection: "close" })
    response.end()
  } catch {
    response.destroy()
  }
}
