/**
 * Handlers as they are declared: effects, responses, and functions of the parameters that give one or the other.
 *
 * ```ts
 * Route.get("/health", Response.text("ok"))
 * Route.get("/users/{id}", ({ params }) => Response.text(params.id))
 * ```
 *
 * What needs no effect needs no fiber: where no middleware is around it, the engine calls the function and writes what it gave. That
 * costs about a microsecond less, a third of what this library adds to a small answer of `node:http`.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type HttpServerResponse, isHttpServerResponse } from "effect/http/HttpServerResponse"
import { type Handler, RouteContext } from "../../Handler.ts"

const symbol = Symbol("effect-web/direct")

/** What a function handler is called with. */
export interface Input {
  readonly params: Readonly<Record<string, string>>
}

/** Gives the effect to run, or the Exit that it already is. */
export type Direct = (input: Input) => Handler<unknown, unknown>

type Given = HttpServerResponse | Handler<unknown, unknown>

// What is neither, forced through by a cast, is refused when it is about to be sent.
const asEffect = (given: Given): Handler<unknown, unknown> =>
  isHttpServerResponse(given) || !Effect.isEffect(given) ? Effect.succeed(given) : given

/** What was declared, as a handler. */
export const toHandler = (declared: Given | ((input: Input) => Given)): Handler<unknown, unknown> => {
  if (typeof declared !== "function") return asEffect(declared)
  const direct: Direct = (input) => asEffect(declared(input))
  return Object.assign(
    Effect.flatMapEager(RouteContext, (route) => direct(route as Input)),
    { [symbol]: direct }
  )
}

/** How a handler is called without a fiber, or undefined when it needs one. */
export const of = (handler: Handler<unknown, unknown> & { readonly [symbol]?: Direct }): Direct | undefined => {
  const direct = handler[symbol]
  if (direct === undefined) return Exit.isExit(handler) ? () => handler : undefined
  return (input) => {
    try {
      return direct(input)
    } catch (defect) {
      return Effect.die(defect)
    }
  }
}
