/**
 * The transport of Node's engine to upstream servers: loaded when it is first used, closed with the server.
 *
 * ```ts
 * const transport = yield* UpstreamTransport.make
 * ```
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Transport } from "../../../internal/proxy/transport.ts"
import { NodeRequest } from "../NodeRequest.ts"
import type { Upstreams } from "./Dispatcher.ts"

/** Makes the transport. Its connections, and what it runs in the background, end with the scope. */
export const make: Effect.Effect<Transport, never, Scope.Scope> = Effect.gen(function* () {
  const services = yield* Effect.context<never>()
  const background = new Set<Fiber.Fiber<unknown>>()
  let upstreams: Upstreams | undefined
  // undici takes a tenth of a second to load: an app without a proxy does not pay for it.
  const load = Effect.map(
    Effect.promise(() => import("./Dispatcher.ts")),
    ({ make }) => (upstreams ??= make())
  )
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      Fiber.interruptAll(background),
      Effect.suspend(() => upstreams?.close ?? Effect.void)
    )
  )
  return {
    send: (outgoing) =>
      upstreams === undefined ? Effect.flatMap(load, ({ send }) => send(outgoing)) : upstreams.send(outgoing),
    canUpgrade: (request) => request instanceof NodeRequest && request.head !== undefined,
    background: (effect) => {
      const fiber = Effect.runForkWith(services)(effect)
      background.add(fiber)
      fiber.addObserver(() => background.delete(fiber))
    }
  }
})
