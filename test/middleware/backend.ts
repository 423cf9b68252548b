/**
 * A backend in test time, that is slower the more it has to do, and clients that ask it.
 *
 * ```ts
 * const backend = new Backend(20, 20) // 20 at a time take 20 milliseconds each
 * yield* clients(200, asking(app, "/"))
 * ```
 */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as App from "../../src/App.ts"
import { RouteContext } from "../../src/Handler.ts"
import { compile } from "../../src/internal/routing/compile.ts"
import * as Response from "../../src/Response.ts"

export class Backend {
  inFlight = 0
  served = 0
  /** How many at a time it can do, and how many milliseconds each takes then. */
  capacity: number
  base: number

  constructor(capacity: number, base: number) {
    this.capacity = capacity
    this.base = base
  }

  /** A handler that uses it. */
  readonly work = Effect.suspend(() => {
    this.inFlight++
    const time = this.base * Math.max(1, this.inFlight / this.capacity)
    const done = Effect.sync(() => {
      this.inFlight--
    })
    const served = Effect.sync(() => {
      this.served++
      return Response.text("done")
    })
    return Effect.ensuring(Effect.andThen(Effect.sleep(time), served), done)
  })
}

/** Asks for a path, with nothing between but the app: all of it happens in test time. */
export const asking = (
  app: App.Any,
  path: string,
  headers: Record<string, string> = {}
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const target = compile(app).dispatch("GET", "app.test", path, "")
  const request = HttpServerRequest.fromWeb(new Request(`http://app.test${path}`, { headers }))
  return target.answer.pipe(
    Effect.provideService(HttpServerRequest.HttpServerRequest, request),
    Effect.provideService(RouteContext, target.context)
    // The apps of these tests need nothing else.
  ) as Effect.Effect<HttpServerResponse.HttpServerResponse>
}

/** So many clients that ask again as soon as they are answered, and wait for a moment when they are refused. */
export const clients = <E, R>(count: number, ask: Effect.Effect<{ readonly status: number }, E, R>) =>
  Effect.forEach(
    Array.from({ length: count }),
    () => {
      const pause = ({ status }: { readonly status: number }) =>
        status === 503 ? Effect.sleep("400 millis") : Effect.void
      return Effect.forkChild(Effect.forever(Effect.flatMap(ask, pause)), { startImmediately: true })
    },
    { discard: true }
  )
