// A server for production: settings from the environment, logs as JSON, probes, ids, limits, workers. `deploy/` has what runs it.
//   curl -i localhost:8080/health/ready        # 200 and "status":"pass"
//   curl -i localhost:8080/                    # 200 and x-request-id: and hello
//   curl -i localhost:8080/slow                # 200 and done
import { Config, Duration, Effect, Layer, Logger } from "effect"
import { App, Health, RequestId, Response, Route, SecurityHeaders, Server, Site, TrustedProxies } from "effect-web"

const slow = Effect.delay(Effect.succeed(Response.text("done")), "2 seconds")

export const app = App.make({
  home: Route.get("/", Response.text("hello")),
  slow: Route.get("/slow", slow),
  health: Route.mount("/health", Health.make({ checks: {} }))
}).pipe(
  App.policy(Route.timeout("10 seconds")),
  App.use(SecurityHeaders.make()),
  App.use(RequestId.make({ accept: true })),
  // nginx on this machine; elsewhere the networks of the proxies.
  App.use(TrustedProxies.make({ trusted: ["unix", "127.0.0.1", "10.0.0.0/8"] }))
)

const settings = Config.all({
  port: Config.Int("PORT").pipe(Config.withDefault(8080)),
  socket: Config.option(Config.String("SOCKET")),
  drainDelay: Config.Duration("DRAIN_DELAY").pipe(Config.withDefault(Duration.zero))
})

const server = Layer.unwrap(
  Effect.map(settings, ({ drainDelay, port, socket }) =>
    Server.layer(app, {
      sites: [socket._tag === "Some" ? Site.unix({ path: socket.value, mode: 0o660 }) : Site.tcp({ port })],
      drainDelay,
      accessLog: { skip: ["health.ready", "health.live"] }
    })
  )
)

const logging = Logger.layer([Logger.consoleJson])

// One process for each core. SIGHUP replaces them one by one: a new build without a request that is refused.
const main = server.pipe(Layer.provide(logging))

if (import.meta.main) main.pipe(Server.launch({ workers: { logger: logging } }))
