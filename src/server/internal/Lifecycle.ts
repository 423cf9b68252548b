/**
 * The fiber of a request when its client leaves, and when the server begins to stop, by the policies of its route.
 *
 * ```ts
 * Lifecycle.follow(fiber, request, base)
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { ClientAbort } from "effect/http/HttpServerError"
import { OnDrain } from "../../internal/lifecycle/draining.ts"
import * as NodeExchange from "./exchange/NodeExchange.ts"
import type { NodeRequest } from "./NodeRequest.ts"

/** Follows a fiber that is running. */
export const follow = (
  fiber: Fiber.Fiber<unknown, unknown>,
  { response, target }: NodeRequest,
  base: Context.Context<never>
): void => {
  const { onDisconnect = "interrupt", onDrain } = target.policies
  const abort = () => fiber.interruptUnsafe(undefined, ClientAbort.annotation)
  response.once("close", () => {
    if (response.writableFinished) return
    // Once the head was sent nobody is left for what is still to come.
    if (onDisconnect === "interrupt" || response.headersSent) abort()
    else if (onDisconnect !== "finish") later(fiber, onDisconnect.finishWithin, abort, base)
  })
  if (onDrain !== "interrupt") return
  const forget = Context.get(
    base,
    OnDrain
  )(() => {
    NodeExchange.of(response)?.drain()
    fiber.interruptUnsafe()
  })
  fiber.addObserver(forget)
}

const later = (
  fiber: Fiber.Fiber<unknown, unknown>,
  patience: Parameters<typeof Effect.sleep>[0],
  abort: () => void,
  base: Context.Context<never>
): void => {
  const timer = Effect.runForkWith(base)(Effect.andThen(Effect.sleep(patience), Effect.sync(abort)))
  fiber.addObserver(() => timer.interruptUnsafe())
}
