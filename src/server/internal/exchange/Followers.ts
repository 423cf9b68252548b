/**
 * Follows every request of an engine where it has an access log; where it has none, none.
 *
 * ```ts
 * const followers = yield* Followers.make(base, log)
 * followers.follow?.(source, response, target.context)
 * ```
 */
import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Pending } from "../../../internal/accessLog/lines.ts"
import type { Log } from "../../../internal/accessLog/log.ts"
import type { Observer, Route } from "../../../internal/exchange/exchange.ts"
import * as NodeExchange from "./NodeExchange.ts"
import { RefusedExchange } from "./RefusedExchange.ts"

/** What begins to follow. */
export interface Followers {
  readonly follow: ((source: Http.IncomingMessage, response: Http.ServerResponse, route: Route) => void) | undefined
  /** For what never became a request. */
  readonly refused: (socket: Duplex, source?: Http.IncomingMessage) => RefusedExchange | undefined
}

/** Makes it; what a log has not written yet is written when the scope closes. */
export const make = Effect.fnUntraced(function* (
  context: Context.Context<never>,
  log: Log | undefined
): Effect.fn.Return<Followers, never, Scope.Scope> {
  const pending = Context.get(context, Pending)
  const flush = Effect.callback<void>((resume) => {
    // The outcomes of the last connections come in the turn in which they close.
    setImmediate(() => {
      for (const write of pending) write()
      resume(Effect.void)
    })
  })
  yield* Effect.addFinalizer(() => flush)
  if (log === undefined) return { follow: undefined, refused: () => undefined }
  const clock = Context.get(context, Clock.Clock)
  const observers: ReadonlyArray<Observer> = [(outcome) => log(outcome, context)]
  return {
    follow: (source, response, route) => {
      NodeExchange.follow(source, response, route, clock).observeAll(observers)
    },
    refused: (socket, source) => {
      const exchange = new RefusedExchange(socket, source, clock)
      exchange.observeAll(observers)
      return exchange
    }
  }
})
