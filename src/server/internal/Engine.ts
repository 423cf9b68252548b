/**
 * An app on a `node:http` server: what comes in on its connections is looked up and handed to its handler.
 *
 * ```ts
 * const engine = yield* Engine.make(compile(app), {})
 * engine.server.listen(8080)
 * ```
 *
 * The route is looked up before anything runs.
 *
 * @source aiohttp.web.Server, RequestHandler
 * @spec RFC 9112
 */

import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as HttpError from "../../HttpError.ts"
import type { Log } from "../../internal/accessLog/log.ts"
import { split } from "../../internal/exchange/handling.ts"
import type { Compiled, Target } from "../../internal/routing/compile.ts"
import * as Connections from "./Connections.ts"
import * as Departures from "./drain/Departures.ts"
import type * as DrainAccount from "./drain/DrainAccount.ts"
import * as UnderWay from "./drain/UnderWay.ts"
import * as Followers from "./exchange/Followers.ts"
import * as Handlers from "./Handlers.ts"
import * as Session from "./http2/Session.ts"
import * as Limits from "./limits/Limits.ts"
import * as Malformed from "./Malformed.ts"
import { NodeRequest } from "./NodeRequest.ts"
import * as Pipeline from "./Pipeline.ts"
import { expectContinue } from "./RequestBody.ts"
import * as RequestTarget from "./RequestTarget.ts"
import type * as ResponseHead from "./responseHead.ts"
import { services } from "./services.ts"
import * as SecureServer from "./sites/SecureServer.ts"
import { time } from "./time.ts"
import * as Upgrade from "./Upgrade.ts"

/** What the engine may be told; defaults in DESIGN's table of defaults, said again in `Server.Options`. */
export interface Options {
  readonly keepAliveTimeout?: Duration.Input
  readonly headersTimeout?: Duration.Input
  readonly requestTimeout?: Duration.Input
  /** The most bytes of a header block; 16 KiB. More is 431. */
  readonly maxHeaderSize?: number
  /** Speaks HTTPS. */
  readonly secure?: SecureServer.Secure | undefined
  /** Speaks HTTP/2 without TLS too. */
  readonly h2c?: boolean
  /** Is told of every outcome. */
  readonly accessLog?: Log | undefined
  /** For slow and for many clients; the same for all engines of a server. */
  readonly limits?: Limits.Limits
}

/** A server that is not listening yet, and how it stops. */
export interface Engine {
  readonly server: Http.Server
  readonly connections: Connections.Connections
  /** The stop begins: answers close their connections, and what is under way and what comes is put on the account. */
  readonly begin: (account: DrainAccount.DrainAccount) => void
  /** Event streams and sockets take their leave. */
  readonly drain: () => void
  /** The handlers that are running. */
  readonly running: () => ReadonlyArray<DrainAccount.Stuck>
  /** Interrupts what is running and waits for it, with its finalizers. */
  readonly interruptAll: Effect.Effect<void>
  /** Waits for what is running. */
  readonly settled: Effect.Effect<void>
}

/** Makes the engine of a compiled app with the services of the caller. */
export const make = Effect.fnUntraced(function* (
  compiled: Compiled,
  options: Options
): Effect.fn.Return<Engine, never, Scope.Scope> {
  const state: ResponseHead.State = { draining: false }
  const own = options.limits ?? Limits.make({})
  const { rules } = own
  const departures = Departures.make()
  const base = yield* services(compiled, state, departures)
  const handlers = Handlers.make(base, state)
  const followers = yield* Followers.make(base, options.accessLog)
  const underWay = UnderWay.make(base, handlers, followers.follow)

  const find = (
    source: Http.IncomingMessage
  ): { readonly url: string; readonly target: Target; readonly bad: boolean } => {
    const excess = limits.refusal?.(source.socket)
    if (excess !== undefined) {
      // As the connection of HTTP/1.1 closes behind its answer.
      Session.of(source.socket)?.close()
      return { url: "/", target: compiled.failure(excess), bad: true }
    }
    const wanted = RequestTarget.parse(source, rules)
    if (wanted instanceof RequestTarget.Refused) return { url: "/", target: compiled.failure(wanted.error), bad: true }
    const { hostname, url } = wanted
    const [path, search] = split(url)
    return { url, target: compiled.dispatch(source.method as string, hostname, path, search), bad: false }
  }

  const onRequest = (source: Http.IncomingMessage, response: Http.ServerResponse): void => {
    const { bad, target, url } = find(source)
    // A head that was not understood leaves the connection in doubt (RFC 9112 §2.2).
    if (bad) response.shouldKeepAlive = false
    underWay.follow(source, response, target.context)
    handlers.answer(source, response, url, target)
  }

  const settings = {
    keepAliveTimeout: milliseconds("keepAliveTimeout", options.keepAliveTimeout ?? "75 seconds"),
    headersTimeout: milliseconds("headersTimeout", options.headersTimeout ?? "10 seconds"),
    requestTimeout: milliseconds("requestTimeout", options.requestTimeout ?? 0),
    maxHeaderSize: options.maxHeaderSize ?? 16 * 1024
  }
  const server = SecureServer.make(options.secure, {
    ...settings,
    connectionsCheckingInterval: 1000,
    keepAlive: rules.keepAlive !== undefined,
    keepAliveInitialDelay: rules.keepAlive ?? 0,
    // A GET without a body pays for no stream of its own (Node 24.12 and later; ignored before).
    optimizeEmptyRequests: true,
    // Checked here, with a body that says what is wrong.
    requireHostHeader: false
  })
  server.maxHeadersCount = 0
  const connections = Connections.make(server)
  const limits = Limits.install(server, own, base, connections)
  Upgrade.listen(server, {
    previous: connections.current,
    setIdle: connections.setIdle,
    handle: (source, response, head) => {
      const { bad, target, url } = find(source)
      if (bad) response.shouldKeepAlive = false
      connections.busy(source.socket, response)
      underWay.follow(source, response, target.context)
      const request = new NodeRequest(source, response, url, target)
      request.head = head
      handlers.run(request)
    }
  })
  const refuse = Malformed.refuser(base, compiled.renderer, followers.refused)
  const inTurn = (handle: typeof onRequest) => (source: Http.IncomingMessage, response: Http.ServerResponse) => {
    const previous = connections.current(source.socket)
    connections.busy(source.socket, response)
    if (Pipeline.isTurn(source, response, previous)) handle(source, response)
    else Pipeline.wait(source, response, previous, () => handle(source, response))
  }
  const onExpectation = (source: Http.IncomingMessage, response: Http.ServerResponse): void => {
    // An empty list expects nothing (RFC 9110 §5.6.1).
    const isNothing = /^[\s,]*$/.test(source.headers.expect ?? "")
    if (isNothing || RequestTarget.parse(source, rules) instanceof RequestTarget.Refused) {
      onRequest(source, response)
      return
    }
    const text = `The expectation "${source.headers.expect}" is not known; only 100-continue is`
    const target = compiled.failure(new HttpError.ExpectationFailed({ text }))
    underWay.follow(source, response, target.context)
    handlers.run(new NodeRequest(source, response, source.url ?? "/", target))
  }
  const onStream = (source: Http.IncomingMessage, response: Http.ServerResponse): void => {
    const { expect } = source.headers
    if (expect !== undefined && !/^100-continue$/i.test(expect)) {
      onExpectation(source, response)
      return
    }
    if (expect !== undefined) expectContinue(source, response)
    onRequest(source, response)
  }
  const sessions: Session.Settings = { ...settings, isDraining: () => state.draining, onRequest: onStream }
  SecureServer.speakHttp2(server, (socket) => Session.open(socket, sessions), options.h2c === true)
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
    begin: (account) => {
      state.draining = true
      underWay.begin(account, connections.answering(), (source) => find(source).target.context)
    },
    running: underWay.running,
    drain: departures.begin,
    interruptAll: handlers.interruptAll,
    settled: handlers.settled
  }
})

// Node takes whole numbers, and 0 for ever.
const milliseconds = (name: string, input: Duration.Input): number => {
  const value = Math.ceil(Duration.toMillis(time(name, input)))
  return Number.isFinite(value) ? value : 0
}
