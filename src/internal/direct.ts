/**
 * Handlers that may be done without a fiber: a response that is there, and functions that give one at once.
 *
 * ```ts
 * Route.get("/health", Effect.succeed(Response.text("ok")))
 * Route.get("/users/{id}", ({ params }) => Effect.succeed(Response.text(params.id)))
 * ```
 *
 * Where no middleware is around such a handler, the engine calls it and writes what it gave; a fiber is made only for what is not
 * done yet. It costs about a microsecond less, a third of what this library adds to a small answer of `node:http`.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Handler, RouteContext } from "../Handler.ts"

const symbol = Symbol("effect-web/direct")

/** What a function handler is called with. */
export interface Input {
  readonly params: Readonly<Record<string, string>>
}

/** Gives the effect to run, or the Exit that it already is. */
export type Direct = (input: Input) => Handler<unknown, unknown>

/** A function of the parameters as a handler. */
export const fromFunction = (f: Direct): Handler<unknown, unknown> =>
  Object.assign(Effect.flatMapEager(RouteContext, f), { [symbol]: f })

/** How a handler is called without a fiber, or undefined when it needs one. */
export const of = (handler: Handler<unknown, unknown> & { readonly [symbol]?: Direct }): Direct | undefined => {
  const f = handler[symbol]
  if (f === undefined) return Exit.isExit(handler) ? () => handler : undefined
  return (input) => {
    try {
      return f(input)
    } catch (defect) {
      return Effect.die(defect)
    }
  }
}
