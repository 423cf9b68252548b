/**
 * What a handler wants done, or checked, before its app serves.
 *
 * ```ts
 * const handler = atStart(serveFiles, Effect.suspend(() => checkRoot))
 * ```
 *
 * Under `Server` it runs once, before the first request; what it dies of ends the start. Other engines do not run it.
 */
import type * as Effect from "effect/Effect"
import type { Handler } from "../../Handler.ts"

const symbol = Symbol("effect-web/starting")

/** The handler, with what is to be done. It has to be one's own: it is marked in place. */
export const atStart = <H extends Handler<unknown, unknown>>(handler: H, effect: Effect.Effect<void>): H =>
  Object.assign(handler, { [symbol]: effect })

/** What is to be done for a handler. */
export const of = (handler: object & { readonly [symbol]?: Effect.Effect<void> }): Effect.Effect<void> | undefined =>
  handler[symbol]
