/**
 * Runs an app on a `node:http` server: one fiber per request, interrupted when its client leaves.
 *
 * ```ts
 * const engine = yield* Engine.make(compile(app), {})
 * engine.server.listen(8080)
 * ```
 *
 * The route is looked up before the fiber is made. Everything that a fiber needs is in one context made at the start.
 *
 * @source aiohttp.web.Server, RequestHandler
 * @spec RFC 9112
 */

import * as Http from "node:http"
import type { Duplex } from "node:stream"
import * as NodeHttpPlatform from "@effect/platform-node/NodeHttpPlatform"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Etag from "effect/http/Etag"
import * as HttpEffect from "effect/http/HttpEffect"
import { ClientAbort } from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as ErrorResponse from "../../ErrorResponse.ts"
import { RouteContext } from "../../Handler.ts"
import * as HttpError from "../../HttpError.ts"
import * as ByteLimit from "../../internal/byteLimit.ts"
import type { Compiled, Target } from "../../internal/compile.ts"
import { inside } from "../../internal/flatten.ts"
import { finished, split } from "../../internal/handling.ts"
import * as Connections from "./Connections.ts"
import * as Malformed from "./Malformed.ts"
import { NodeRequest } from "./NodeRequest.ts"
import * as Pipeline from "./Pipeline.ts"
import { announced, expectContinue } from "./RequestBody.ts"
import * as RequestTarget from "./RequestTarget.ts"
import * as ResponseWriter from "./ResponseWriter.ts"
import type * as ResponseHead from "./responseHead.ts"
import { discardRest } from "./Unread.ts"

/** What the engine may be told; defaults in DESIGN's table of defaults, said again in `Server.Options`. */
export interface Options {
  readonly keepAliveTimeout?: Duration.Input
  readonly headersTimeout?: Duration.Input
  readonly requestTimeout?: Duration.Input
  /** The most bytes of a header block; 16 KiB. More is 431. */
  readonly maxHeaderSize?: number
}

/** A server that is not listening yet, and how it stops. */
export interface Engine {
  readonly server: Http.Server
  readonly connections: Connections.Connections
  readonly state: ResponseHead.State
  /** Interrupts what is running and waits for it, with its finalizers. */
  readonly interruptAll: Effect.Effect<void>
  /** Waits for what is running. */
  readonly settled: Effect.Effect<void>
}

/** Effect's services of the platform. */
export const platform = Layer.mergeAll(NodeHttpPlatform.layer, Etag.layerWeak, NodeServices.layer)

/** Makes the engine of a compiled app with the services of the caller. */
export const make = Effect.fnUntraced(function* (
  compiled: Compiled,
  options: Options
): Effect.fn.Return<Engine, never, Scope.Scope> {
  const own = yield* Layer.build(platform)
  const services = yield* Effect.context<never>()
  // One flat map: a request adds to it without ever copying it.
  const base = Context.makeUnsafe<never>(
    new Map([...own.mapUnsafe, [HttpServerRequest.MaxBodySize.key, ByteLimit.standard], ...services.mapUnsafe])
  )
  const fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  const state: ResponseHead.State = { draining: false }
  const write = (request: HttpServerRequest.HttpServerRequest, response: HttpServerResponse.HttpServerResponse) => {
    // The engine makes every request itself.
    const own = request as NodeRequest
    const final = finished(response, own, own.target.renderer)
    return HttpServerResponse.isHttpServerResponse(final)
      ? ResponseWriter.write(own, final, state)
      : Effect.flatMap(final, (response) => ResponseWriter.write(own, response, state))
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
    fibers.add(fiber)
    fiber.addObserver((exit) => {
      fibers.delete(fiber)
      ended(request, exit)
    })
    response.once("close", () => {
      if (!response.writableFinished) fiber.interruptUnsafe(undefined, ClientAbort.annotation)
    })
  }

  // Writes what a handler gave without a fiber; false when that takes one.
  const done = (
    source: Http.IncomingMessage,
    response: Http.ServerResponse,
    url: string,
    target: Target,
    exit: Exit.Exit<unknown, unknown>
  ): boolean => {
    if (Exit.isFailure(exit) || !HttpServerResponse.isHttpServerResponse(exit.value)) return false
    if (exit.value.body._tag !== "Uint8Array") return false
    const request = new NodeRequest(source, response, url, target)
    const written = write(request, exit.value)
    if (!Exit.isExit(written)) Effect.runForkWith(base)(written)
    return true
  }

  const onRequest = (source: Http.IncomingMessage, response: Http.ServerResponse): void => {
    const wanted = RequestTarget.parse(source)
    let target: Target
    let url = "/"
    if (wanted instanceof RequestTarget.Refused) {
      // A head that was not understood leaves the connection in doubt (RFC 9112 §2.2).
      response.shouldKeepAlive = false
      target = compiled.failure(wanted.error)
    } else {
      url = wanted.url
      const [path, search] = split(url)
      target = compiled.dispatch(source.method as string, wanted.hostname, path, search)
    }
    const handler = announced(source) ? undefined : target.direct?.(target.context)
    if (handler === undefined) run(new NodeRequest(source, response, url, target))
    else if (!Exit.isExit(handler) || !done(source, response, url, target, handler)) {
      run(new NodeRequest(source, response, url, { ...target, ...inside(target, handler) }))
    }
  }

  const server = Http.createServer({
    keepAliveTimeout: Duration.toMillis(options.keepAliveTimeout ?? "75 seconds"),
    headersTimeout: Duration.toMillis(options.headersTimeout ?? "10 seconds"),
    requestTimeout: Duration.toMillis(options.requestTimeout ?? "300 seconds"),
    connectionsCheckingInterval: 1000,
    maxHeaderSize: options.maxHeaderSize ?? 16 * 1024,
    // A GET without a body pays for no stream of its own (Node 24.12 and later; ignored before).
    optimizeEmptyRequests: true,
    // Checked here, with a body that says what is wrong.
    requireHostHeader: false
  })
  server.maxHeadersCount = 0
  const connections = Connections.make(server)
  const refuse = Malformed.refuser(base, compiled.renderer)
  const inTurn = (handle: typeof onRequest) => (source: Http.IncomingMessage, response: Http.ServerResponse) => {
    const previous = connections.current(source.socket)
    connections.busy(source.socket, response)
    if (Pipeline.isTurn(source, response, previous)) handle(source, response)
    else Pipeline.wait(source, response, previous, () => handle(source, response))
  }
  const onExpectation = (source: Http.IncomingMessage, response: Http.ServerResponse): void => {
    if (RequestTarget.parse(source) instanceof RequestTarget.Refused) {
      onRequest(source, response)
      return
    }
    const text = `The expectation "${source.headers.expect}" is not known; only 100-continue is`
    const target = compiled.failure(new HttpError.ExpectationFailed({ text }))
    run(new NodeRequest(source, response, source.url ?? "/", target))
  }
  const request = inTurn(onRequest)
  server.on("request", request)
  server.on("checkContinue", (source: Http.IncomingMessage, response: Http.ServerResponse) => {
    expectContinue(source, response)
    request(source, response)
  })
  server.on("checkExpectation", inTurn(onExpectation))
  server.on("clientError", (error: Error, socket: Duplex) =>
    refuse.clientError(error, socket, connections.current(socket))
  )
  server.on("connect", (source: Http.IncomingMessage, socket: Duplex) =>
    refuse.connect(source, connections.current(socket))
  )

  return {
    server,
    connections,
    state,
    interruptAll: Effect.suspend(() => Fiber.interruptAll([...fibers])),
    settled: Effect.suspend(() => Fiber.awaitAll([...fibers]))
  }
})

// A fiber that ended without an answer must not leave its client waiting.
const unanswered = (response: Http.ServerResponse): void => {
  if (response.headersSent || response.destroyed) return
  try {
    response.writeHead(500, { "content-length": "0", connection: "close" })
    response.end()
  } catch {
    response.destroy()
  }
}
