/**
 * Serves an app on Node: as a whole program, as a scoped resource, or as a Layer.
 *
 * ```ts
 * Server.run(app)
 * const server = yield* Server.start(app, { port: 0 }) // server.url
 * Layer.launch(Server.layer(app).pipe(Layer.provide(Users.layer)))
 * ```
 *
 * Closing the scope is the graceful stop: after `drainDelay` listeners close, idle connections close, requests in flight finish within
 * `shutdownTimeout` and answer with `Connection: close`, the rest is interrupted and awaited for `interruptGrace`. One line says what
 * became of all that was under way.
 *
 * @source aiohttp.web.run_app, AppRunner, TCPSite
 */

import type * as Http from "node:http"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as App from "../App.ts"
import type * as AccessLog from "../middleware/AccessLog.ts"
import * as DrainReport from "./internal/drain/DrainReport.ts"
import * as Shutdown from "./internal/drain/Shutdown.ts"
import * as Engine from "./internal/Engine.ts"
import type * as Rules from "./internal/limits/Rules.ts"
import * as Prepare from "./internal/Prepare.ts"
import * as Program from "./internal/Program.ts"
import * as Listener from "./internal/sites/Listener.ts"
import * as Notify from "./internal/sites/Notify.ts"
import * as Seat from "./internal/workers/Seat.ts"
import * as Supervisor from "./internal/workers/Supervisor.ts"
import * as Worker from "./internal/workers/Worker.ts"
import * as WorkerOptions from "./internal/workers/WorkerOptions.ts"
import * as Site from "./Site.ts"

/** Options of a server. */
export interface Options extends Site.TcpOptions, Shutdown.Options, Rules.Options {
  /** Where to listen; in place of `host`, `port` and what else is said of one TCP site. */
  readonly sites?: readonly [Site.Site, ...Array<Site.Site>]
  /** How long a connection may be idle between requests; 75 seconds, longer than a proxy's 60. */
  readonly keepAliveTimeout?: Duration.Input
  /** How long a head may take to arrive; 10 seconds, then 408. */
  readonly headersTimeout?: Duration.Input
  /** How long a whole request may take to arrive, however large, then 408; none unless given: its body has `minBodyRate`. */
  readonly requestTimeout?: Duration.Input
  /** The most bytes of a header block; 16384. More is 431. */
  readonly maxHeaderSize?: number
  /** A line for each request, those that never became one too; none unless given. True is `{}`. */
  readonly accessLog?: boolean | AccessLog.Options | AccessLog.Format
  /** Shows browsers the cause of a 5xx, with source frames. On when NODE_ENV is "development". Never in production. */
  readonly development?: boolean
}

/** A server that runs. */
export class Server extends Context.Service<
  Server,
  {
    /** The addresses it is bound to, in the order of its sites. */
    readonly addresses: ReadonlyArray<Site.Address>
    /** The first address as a URL for clients on this machine. */
    readonly url: string
    /** How many connections are open. */
    readonly connections: () => number
    /** Node's own server of the first site, for what is not offered here. */
    readonly node: Http.Server
  }
>()("effect-web/Server") {}

const startUntyped = Effect.fnUntraced(function* (
  app: App.Any,
  options: Options
): Effect.fn.Return<Server["Service"], ServeError, Scope.Scope> {
  const longest = Shutdown.longest(options)
  ;(yield* Seat.CurrentWorker)?.patience(longest)
  const prepared = yield* Prepare.prepare(app, options)
  const engineOptions = Prepare.engineOptions(options)
  const places = yield* Listener.places(sitesOf(options))
  const engines = yield* Effect.forEach(places, ({ h2c, secure }) =>
    Engine.make(prepared.compiled, { ...engineOptions, h2c, secure })
  )
  const addresses: Array<Site.Address> = []
  const isServing = () => addresses.length === places.length
  yield* Effect.addFinalizer(() => Shutdown.stop({ engines, prepared, isServing }, options))
  for (const [index, { server }] of engines.entries()) addresses.push(yield* Listener.listen(server, places[index]!))
  const [{ server: node }] = engines as [Engine.Engine]
  const [{ url }] = addresses as [Site.Address]
  const connections = () => engines.reduce((sum, { connections }) => sum + connections.size(), 0)
  return { addresses, url, connections, node }
})

const sitesOf = ({ sites, ...options }: Options): ReadonlyArray<Site.Site> => {
  if (sites === undefined) return [Site.tcp(options)]
  const beside = (["host", "port", "backlog", "reusePort", "ipv6Only", "h2c", "tls"] as const).find(
    (name) => options[name] !== undefined
  )
  if (beside === undefined) return sites
  throw new TypeError(`${beside} beside sites says nothing: give it to one of them, as Site.tcp({ ${beside}: ... })`)
}

/**
 * Starts a server that lives as long as the scope; interrupting its fiber is its graceful stop. Listens when it returns.
 *
 * @errors ServeError when it cannot listen
 */
export const start = <E, R, T extends App.Routes, Added>(
  app: App.Servable<E, R, T, Added>,
  options: Options = {}
): Effect.Effect<Server["Service"], ServeError, R | Scope.Scope> =>
  startUntyped(app as unknown as App.Any, options) as Effect.Effect<Server["Service"], ServeError, R | Scope.Scope>

/** A server as a Layer; it needs the services that the app's handlers need. */
export const layer = <E, R, T extends App.Routes, Added>(
  app: App.Servable<E, R, T, Added>,
  options: Options = {}
): Layer.Layer<Server, ServeError, R> =>
  Layer.effect(Server, startUntyped(app as unknown as App.Any, options)) as unknown as Layer.Layer<
    Server,
    ServeError,
    R
  >

/** The options of `Server.run` and `Server.launch` as a program. */
export interface ProgramOptions {
  /** Takes the banner's lines; standard output unless given, `false` for silence. */
  readonly print?: ((line: string) => void) | false
  /** Whether SIGINT and SIGTERM stop the server; true. */
  readonly handleSignals?: boolean
  /**
   * Processes that serve the app, under a supervisor that serves nothing: a number, "auto" for one per core, or their options. SIGHUP
   * replaces them one by one, by what the program's files say then; one that ends is replaced. One process alone unless given.
   */
  readonly workers?: number | "auto" | WorkerOptions.Options
}

/** The options of `Server.run`. */
export interface RunOptions extends Options, ProgramOptions {}

/** The message for an app that still needs services, or for what is no app. */
export type Missing<R> = unknown extends R
  ? "This is no app, or a handler in it has no type: make it with App.make, and annotate handlers that only throw"
  : `${R extends { readonly key: infer Key extends string } ? Key : "A service"} is missing: provide it by a middleware (App.use), or by a layer (Server.layer(app) with Layer.provide)`

/**
 * Runs the app as the whole program until a signal comes. All its failures have to be answered and all its services provided.
 * Exits with 0 after a graceful stop, with 1 and the reason when it cannot start; a second signal exits at once with 130 or 143.
 * With `workers` the program's file runs in each process, the supervisor's too, which builds nothing of the app.
 */
export const run = <E, R, T extends App.Routes, Added>(
  app: [R] extends [never] ? App.Servable<E, R, T, Added> : Missing<R>,
  options: RunOptions = {}
): void => program(startUntyped(app as unknown as App.Any, options), options)

/**
 * Runs a server that is a Layer with all it needs, as `run` runs an app: with its banner, signals and exit codes.
 *
 * ```ts
 * Server.layer(app).pipe(Layer.provide(Users.layer), Server.launch())
 * ```
 */
export const launch =
  (options: ProgramOptions = {}) =>
  <E, R>(layer: [R] extends [never] ? Layer.Layer<Server, E, R> : Missing<R>): void =>
    program(
      Effect.map(Layer.build(layer as Layer.Layer<Server, E>), (context) => Context.get(context, Server)),
      options
    )

const program = <E>(start: Effect.Effect<Server["Service"], E, Scope.Scope>, options: ProgramOptions): void => {
  const { handleSignals = true, print = (line) => process.stdout.write(`${line}\n`), workers } = options
  const settings = workers === undefined ? undefined : WorkerOptions.parse(workers)
  const onReady = (addresses: ReadonlyArray<Site.Address>) => {
    if (print !== false) for (const line of banner(addresses)) print(line)
  }
  if (settings !== undefined && Supervisor.isPossible()) {
    Supervisor.main(settings, { handleSignals, onReady })
    return
  }
  const seat = Seat.take()
  const alone = Effect.gen(function* () {
    const { addresses } = yield* start
    onReady(addresses)
    yield* Notify.serving(`serving ${addresses.map(({ url }) => url).join(", ")}`)
    return yield* Effect.never
  })
  const serve = seat && settings ? Worker.serve(seat, settings, start) : Effect.scoped(alone)
  Program.main(Effect.provideService(serve, DrainReport.Audience, "program"), handleSignals)
}

const banner = (addresses: ReadonlyArray<Site.Address>): ReadonlyArray<string> => [
  ...addresses.map(({ host, port, url }) => {
    const name = host === "::" ? "0.0.0.0" : host?.includes(":") ? `[${host}]` : host
    const where = name === undefined ? url : `${url.slice(0, url.indexOf(":"))}://${name}:${port}`
    return `======== Running on ${where} ========`
  }),
  "(Press CTRL+C to quit)"
]
