/**
 * A server that a test starts and stops by hand.
 */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { ServeError } from "effect/http/HttpServerError"
import * as Scope from "effect/Scope"
import type * as App from "../../src/App.ts"
import * as Server from "../../src/server/Server.ts"
import * as Wire from "../conformance/wire.ts"
import { until } from "./both.ts"

/** The server, the way to stop it, and raw connections to it. */
export interface Started {
  readonly server: Server.Server["Service"]
  /** Begins to stop: the fiber ends when nothing is left. */
  readonly stop: Effect.Effect<Fiber.Fiber<void>>
  readonly connect: Effect.Effect<Wire.Wire, never, Scope.Scope>
  /** Waits until the server has read so many bytes from the connections that it has. */
  readonly received: (bytes: number) => Effect.Effect<void>
}

/** Starts a server on a free port of 127.0.0.1. */
export const start = <E, R, T extends App.Routes, Added>(
  app: App.Servable<E, R, T, Added>,
  options: Server.Options = {}
): Effect.Effect<Started, ServeError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const server = yield* Scope.provide(
      Server.start<E, R, T, Added>(app, options.sites ? options : { host: "127.0.0.1", port: 0, ...options }),
      scope
    )
    const sockets = new Set<Net.Socket>()
    server.node.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
    })
    return {
      server,
      received: (bytes) => until(() => [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0) >= bytes),
      stop: Effect.forkDetach(Scope.close(scope, Exit.void), { startImmediately: true }),
      connect: connectTo(server.addresses[0]?.port ?? 0)
    }
  })

/** A raw connection to a port of 127.0.0.1, once it is established. */
export const connectTo = (port: number): Effect.Effect<Wire.Wire, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(tryConnect(port), (socket) => Effect.sync(() => socket.destroy())),
    Wire.over
  ).pipe(Effect.orDie)

/** A connection, or the code of the error. */
export const tryConnect = (port: number): Effect.Effect<Net.Socket, string> =>
  Effect.callback((resume) => {
    const socket = Net.connect(port, "127.0.0.1")
    socket.once("connect", () => resume(Effect.succeed(socket)))
    socket.once("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(error.code ?? String(error))))
  })

/** Waits for a fiber and says how many milliseconds it took. */
export const took = (fiber: Fiber.Fiber<void>): Effect.Effect<number> =>
  Effect.suspend(() => {
    const begin = performance.now()
    return Effect.map(Fiber.join(fiber), () => performance.now() - begin)
  })
