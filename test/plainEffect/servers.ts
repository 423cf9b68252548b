/**
 * Two servers for a comparison: one of plain Effect, as its documents say to make it, and one of effect-web.
 */
import * as Http from "node:http"
import type * as Net from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type * as App from "../../src/App.ts"
import type * as Server from "../../src/server/Server.ts"
import type * as Wire from "../conformance/wire.ts"
import { recorder } from "../server/both.ts"
import { connectTo, start } from "../server/started.ts"

/** A server that a test asks on raw connections. */
export interface Subject {
  readonly node: Http.Server
  readonly connect: Effect.Effect<Wire.Wire, never, Scope.Scope>
  /** One request on a connection of its own, with the answer to it. */
  readonly ask: (bytes: string, method?: string) => Effect.Effect<Wire.Answer>
  /** Begins to stop: the fiber ends when the scope of the server is closed. */
  readonly stop: Effect.Effect<Fiber.Fiber<void>>
  /** What the server logged: level and message. */
  readonly logs: ReadonlyArray<string>
}

/** For `HttpRouter.serve`: it says nothing of its own. */
export const quiet = { disableLogger: true, disableListenLog: true } as const

/** Serves what `HttpRouter.serve` gives on a free port of 127.0.0.1. */
export const plain = (
  served: Layer.Layer<never, never, HttpServer.HttpServer>,
  options: { readonly gracefulShutdownTimeout?: Duration.Input } = {}
): Effect.Effect<Subject, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const { layer, logs } = recorder()
    const node = Http.createServer()
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) =>
      Effect.andThen(
        Effect.sync(() => node.closeAllConnections()),
        Scope.close(scope, Exit.void)
      )
    )
    const server = NodeHttpServer.layer(() => node, { host: "127.0.0.1", port: 0, ...options })
    yield* Layer.buildWithScope(served.pipe(Layer.provide(server), Layer.provideMerge(layer)), scope)
    return subject(node, connectTo((node.address() as Net.AddressInfo).port), close(scope), logs)
  })

/** Serves an app of effect-web on a free port of 127.0.0.1. */
export const ours = <E, R, T extends App.Routes, Added>(
  app: App.Servable<E, R, T, Added>,
  options: Server.Options = {}
): Effect.Effect<Subject, ServeError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const { layer, logs } = recorder()
    const { connect, server, stop } = yield* start<E, R, T, Added>(app, options).pipe(Effect.provide(layer))
    return subject(server.node, connect, stop, logs)
  })

const close = (scope: Scope.Closeable): Subject["stop"] =>
  Effect.forkDetach(Scope.close(scope, Exit.void), { startImmediately: true })

const subject = (
  node: Http.Server,
  connect: Subject["connect"],
  stop: Subject["stop"],
  logs: ReadonlyArray<string>
): Subject => ({
  node,
  connect,
  stop,
  logs,
  ask: (bytes, method) =>
    Effect.scoped(
      Effect.gen(function* () {
        const wire = yield* connect
        yield* wire.send(bytes)
        return yield* wire.answer(method)
      })
    )
})
