/**
 * What is under way on an engine: followed by its access log, and from the begin of a stop on by the drain report.
 *
 * ```ts
 * const underWay = UnderWay.make(base, handlers, followers.follow)
 * underWay.follow(source, response, target.context)
 * ```
 */
import type * as Http from "node:http"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type { Target } from "../../../internal/routing/compile.ts"
import type { Followers } from "../exchange/Followers.ts"
import * as NodeExchange from "../exchange/NodeExchange.ts"
import type { Handlers } from "../Handlers.ts"
import * as Handover from "../Handover.ts"
import * as DrainAccount from "./DrainAccount.ts"

type Route = Target["context"]

/** What is under way. */
export interface UnderWay {
  /** Told of every request before it is handled. */
  readonly follow: (source: Http.IncomingMessage, response: Http.ServerResponse, route: Route) => void
  /** Puts what is under way on the account, and what comes from now on; `answering` is what has no handler any more. */
  readonly begin: (
    account: DrainAccount.DrainAccount,
    answering: ReadonlyArray<Http.ServerResponse>,
    routeOf: (source: Http.IncomingMessage) => Route
  ) => void
  /** The handlers that are running. */
  readonly running: () => ReadonlyArray<DrainAccount.Stuck>
}

/** Follows the requests of an engine. */
export const make = (base: Context.Context<never>, handlers: Handlers, log: Followers["follow"]): UnderWay => {
  const clock = Context.get(base, Clock.Clock)
  let account: DrainAccount.DrainAccount | undefined
  const count = (source: Http.IncomingMessage, response: Http.ServerResponse, route: Route, since: number): void => {
    if (response.closed) return
    const exchange = NodeExchange.late(source, response, route, clock, Handover.protocolOf(response))
    account?.add(exchange, DrainAccount.nameOf(route, exchange.method), since)
  }
  return {
    follow: (source, response, route) => {
      log?.(source, response, route)
      if (account !== undefined) count(source, response, route, clock.currentTimeMillisUnsafe())
    },
    begin: (begun, answering, routeOf) => {
      account = begun
      for (const { response, since, source, target } of handlers.running()) {
        count(source, response, target.context, since)
      }
      // How long the client has been taking its answer nobody knows.
      for (const response of answering) count(response.req, response, routeOf(response.req), begun.begun)
    },
    running: () => {
      const now = clock.currentTimeMillisUnsafe()
      return Array.from(handlers.running(), ({ method, since, target }) => ({
        route: DrainAccount.nameOf(target.context, method),
        age: now - since
      }))
    }
  }
}
