/**
 * Clients for tests: the same one in memory, where TestClock rules and no socket is opened, and on a real port.
 *
 * ```ts
 * const client = yield* Testing.client(app)
 * const response = yield* client.get("/")
 * assert.strictEqual(response.status, 200)
 * ```
 *
 * In memory the bytes run through the real parser and the real engine over a pair of streams: framing, HEAD, limits and
 * disconnects are those of a socket. Interrupting a request is the client leaving.
 *
 * @source aiohttp.test_utils.TestClient, TestServer
 */

import * as Http from "node:http"
import * as Https from "node:https"
import type { Duplex } from "node:stream"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Cookies from "effect/http/Cookies"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { ServeError } from "effect/http/HttpServerError"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import type * as App from "../App.ts"
import type { Report } from "../server/internal/drain/DrainAccount.ts"
import * as DrainReport from "../server/internal/drain/DrainReport.ts"
import * as Shutdown from "../server/internal/drain/Shutdown.ts"
import * as Engine from "../server/internal/Engine.ts"
import * as Prepare from "../server/internal/Prepare.ts"
import * as Server from "../server/Server.ts"
import { duplexPair } from "./internal/duplexPair.ts"
import * as WebSocketClient from "./WebSocketClient.ts"

/** An `HttpClient` for one app: paths are enough, cookies are kept, redirects are not followed. */
export interface Client extends HttpClient.HttpClient {
  /** The origin of the app: "http://127.0.0.1:49152", or "http://app.test" in memory. */
  readonly url: string
  /** The cookies that the app has set. */
  readonly cookies: Ref.Ref<ReadonlyArray<Cookies.Cookie>>
  /** A raw connection: bytes in, bytes out, for what a client would hide. */
  readonly connect: Effect.Effect<Duplex, never, Scope.Scope>
  /** Opens a WebSocket, with the cookies that were kept; it breaks when the scope closes. */
  readonly webSocket: (
    path: string,
    options?: WebSocketClient.Options
  ) => Effect.Effect<WebSocketClient.Peer, WebSocketClient.WebSocketRefused, Scope.Scope>
  /**
   * Stops the server, as the end of the scope does: with the `shutdownTimeout`, 0 here unless given, and the other options of a stop.
   * Gives what became of what was under way.
   */
  readonly stop: Effect.Effect<Report>
}

export type { Report } from "../server/internal/drain/DrainAccount.ts"

/** Options of the server under test; requests that are still running when the scope closes are interrupted at once. */
export type Options = Omit<Server.Options, "host" | "port" | "sites">

/** A client of the app in memory. It lives as long as the scope. The app's hooks run; an `onStart` that fails is a defect. */
export const client = <E, R, T extends App.Routes, Added>(
  app: App.Servable<E, R, T, Added>,
  options: Options = {}
): Effect.Effect<Client, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const { stop, value: connect } = yield* stoppable(inMemory(app as unknown as App.Any, options), options)
    return yield* make("http://app.test", stop, connect)
    // The services R are those of the engine's context.
  }) as Effect.Effect<Client, never, R | Scope.Scope>

const inMemory = Effect.fnUntraced(function* (app: App.Any, options: Options) {
  const prepared = yield* Effect.orDie(Prepare.prepare(app, options))
  const engine = yield* Engine.make(prepared.compiled, Prepare.engineOptions(options))
  let isListening = true
  const drain = () => {
    isListening = false
    engine.drain()
  }
  const running = { engines: [{ ...engine, drain }], prepared, isServing: () => true }
  yield* Effect.addFinalizer(() => Shutdown.stop(running, { ...impatient, ...options }))
  // Node begins to follow connections, their timeouts and which are idle, when it listens.
  engine.server.emit("listening")
  return () => (isListening ? pair(engine.server) : refused())
})

const refused = (): Duplex => {
  const [near] = duplexPair()
  near.once("error", () => {})
  return near.destroy(new Error("The server has stopped: connection refused"))
}

/** A client of the app on a free port of 127.0.0.1. It lives as long as the scope. */
export const socketClient = <E, R, T extends App.Routes, Added>(
  app: App.Servable<E, R, T, Added>,
  options: Options = {}
): Effect.Effect<Client, ServeError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const all = { ...impatient, ...options, host: "127.0.0.1", port: 0 }
    const { stop, value: server } = yield* stoppable(Server.start<E, R, T, Added>(app, all), options)
    return yield* make(server.url, stop, undefined)
  })

const impatient = { shutdownTimeout: Duration.zero, interruptGrace: Duration.seconds(5) }

// A server in a scope of its own, which may end before that of the client.
const stoppable = Effect.fnUntraced(function* <A, E, R>(
  start: Effect.Effect<A, E, R | Scope.Scope>,
  { shutdownTimeout }: Options
) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const reports: Array<Report> = []
  const value = yield* start.pipe(
    Scope.provide(scope),
    Effect.provideService(DrainReport.Told, (report) => void reports.push(report)),
    // That what is running is interrupted surprises nobody, unless the test gave it time.
    Effect.provideService(DrainReport.Audience, shutdownTimeout === undefined ? "test" : "server")
  )
  const stop = Effect.map(Scope.close(scope, Exit.void), () => reports[0] as Report)
  return { value, stop }
})

const make = Effect.fnUntraced(function* (url: string, stop: Client["stop"], connect: (() => Duplex) | undefined) {
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Http.Agent({ keepAlive: true })),
    (agent) => Effect.sync(() => agent.destroy())
  )
  if (connect !== undefined) agent.createConnection = connect
  const cookies = yield* Ref.make<ReadonlyArray<Cookies.Cookie>>([])
  const base = yield* Effect.provideService(NodeHttpClient.makeNodeHttp, NodeHttpClient.HttpAgent, {
    http: agent,
    https: Https.globalAgent
  })
  const client = base.pipe(
    HttpClient.mapRequest((request) =>
      /^https?:/.test(request.url) ? request : HttpClientRequest.prependUrl(request, url)
    ),
    HttpClient.withCookiesRef(cookies)
  )
  const { hostname, port } = new URL(url)
  const open = connect ?? (() => agent.createConnection({ host: hostname, port: Number(port) }) as Duplex)
  const raw = Effect.acquireRelease(Effect.sync(open), (socket) => Effect.sync(() => socket.destroy()))
  const webSocket: Client["webSocket"] = Effect.fnUntraced(function* (path, options = {}) {
    const { href } = new URL(path, url)
    const kept = yield* Ref.get(cookies)
    const cookie = Cookies.toRequestCookieHeader(kept, href, yield* Clock.currentTimeMillis)
    const headers = { ...(cookie === undefined ? undefined : { cookie }), ...options.headers }
    return yield* WebSocketClient.open(href.replace(/^http/, "ws"), raw, { ...options, headers })
  })
  return Object.assign(client, { url, cookies, connect: raw, webSocket, stop }) satisfies Client
})

// What Node's server wants to know of a socket and a plain stream cannot tell.
const pair = (server: Http.Server): Duplex => {
  const [near, far] = duplexPair()
  Object.assign(far, { remoteAddress: "127.0.0.1", remoteFamily: "IPv4", remotePort: 1 })
  server.emit("connection", far)
  return near
}
