/**
 * Runs a test of an app on raw connections, in memory and on a socket, with what was logged.
 */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type * as App from "../../src/App.ts"
import * as Testing from "../../src/testing/Testing.ts"
import * as Wire from "../conformance/wire.ts"

/** What a test is given. */
export interface Given {
  /** A first connection. */
  readonly wire: Wire.Wire
  readonly client: Testing.Client
  /** Opens another connection. */
  readonly connect: Effect.Effect<Wire.Wire, never, Scope.Scope>
  /** What was logged: level and message, with method and path where they are known. */
  readonly logs: ReadonlyArray<string>
}

/** A logger that writes down everything. */
export const recorder = () => {
  const logs: Array<string> = []
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    const { "http.method": method, "http.path": path } = fiber.getRef(References.CurrentLogAnnotations)
    const place = method === undefined ? "" : ` (${method} ${path})`
    logs.push(`${logLevel} ${[message].flat().join(" ")}${place}`)
  })
  const layer = Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "All"))
  return { logs, layer }
}

/** Declares a test twice. */
export const both = <E, T extends App.Routes, Added, E2>(
  name: string,
  app: App.Servable<E, never, T, Added>,
  test: (given: Given) => Effect.Effect<unknown, E2, Scope.Scope>,
  options?: Testing.Options
): void => {
  const run = (client: Effect.Effect<Testing.Client, never, Scope.Scope>) => {
    const { layer, logs } = recorder()
    return Effect.gen(function* () {
      const made = yield* client
      const connect = Wire.open(made)
      return yield* test({ wire: yield* connect, client: made, connect, logs })
    }).pipe(Effect.scoped, Effect.provide(layer))
  }
  describe(name, () => {
    it.live("in memory", () => run(Testing.client<E, never, T, Added>(app, options)))
    it.live("on a socket", () => run(Effect.orDie(Testing.socketClient<E, never, T, Added>(app, options))))
  })
}

/** A GET of a path. */
export const get = (path: string, head = ""): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${head}\r\n`

/** A POST of a body. */
export const post = (path: string, body: string, head = ""): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n${head}\r\n${body}`

/** Waits until it is true, looking after each turn of the event loop; fails after five seconds. */
export const until = (isTrue: () => boolean): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const end = performance.now() + 5000
    const look = () => {
      if (isTrue()) resume(Effect.void)
      else if (performance.now() > end) resume(Effect.die(new Error(`It never came true: ${isTrue}`)))
      else setImmediate(look)
    }
    look()
  })

/** Waits until a count has not changed for 50 milliseconds: nothing tells that something will not happen. */
export const standstill = (count: () => number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    let last = count()
    const timer = setInterval(() => {
      if (count() > 0 && count() === last) {
        clearInterval(timer)
        resume(Effect.void)
      }
      last = count()
    }, 50)
  })

/** Twenty turns of the event loop: what is there by now has come through. */
export const turns: Effect.Effect<void> = Effect.callback((resume) => {
  const next = (left: number): void => {
    if (left === 0) resume(Effect.void)
    else setImmediate(next, left - 1)
  }
  next(20)
})
