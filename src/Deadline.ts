/**
 * The time that a request has left: a value of its fibers, which what it calls inherits.
 *
 * ```ts
 * const report = Route.get("/report", slow).pipe(Route.timeout("5 seconds")) // sets it
 * const rows = yield* Deadline.within(query, { reserve: "200 millis" }) // ends before it, as a failure that can be caught
 * const client = Deadline.propagate(yield* HttpClient.HttpClient) // tells the next server
 * ```
 *
 * Every effect inside of a limit is interrupted when that is over: queries of SQL, commands of Redis, fetches, child fibers. What that
 * stops elsewhere is up to the client: `@effect/sql-pg` cancels the query in the database, a `fetch` is aborted, SQLite runs on the
 * program's own thread and ends its statement first, and a command that Redis has received is carried out.
 *
 * @spec https://grpc.io/docs/guides/deadlines/ (the idea)
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Handler } from "./Handler.ts"
import { isToken } from "./http/Syntax.ts"
import * as internal from "./internal/exchange/deadline.ts"
import type { Middleware } from "./Middleware.ts"

export { Exceeded, remaining } from "./internal/exchange/deadline.ts"

/** How a limit is kept. */
export interface Within {
  /** How much of the time is kept for what comes after, as a page that says what went wrong; 0. */
  readonly reserve?: Duration.Input
}

/** Gives an effect so much time, or what the request has left where that is less. Then it is interrupted, and its finalizers awaited. */
export const limit = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  duration: Duration.Input
): Effect.Effect<A, E | internal.Exceeded, R> =>
  Effect.flatMap(internal.earliest(Duration.fromInputUnsafe(duration)), (until) =>
    until === undefined ? effect : internal.cut(effect, until)
  )

/** Gives an effect the time that the request has left, less `reserve`; where there is no limit, all the time it takes. */
export const within = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: Within = {}
): Effect.Effect<A, E | internal.Exceeded, R> =>
  Effect.flatMap(internal.Until, (until) =>
    until === undefined
      ? effect
      : internal.cut(effect, until - Duration.toNanosUnsafe(options.reserve ?? Duration.zero))
  )

/** The name of a header, and how much is kept back. */
export interface Propagate extends Within {
  /** The header that says how many milliseconds are left; `x-request-timeout-ms` unless given. */
  readonly header?: string
}

const standard = "x-request-timeout-ms"

/**
 * A client whose requests have the time that is left, less `reserve`, and say so in a header where that is not there yet. No request is
 * sent when the time is over. A response's body, which is read later, is ended by the limit itself.
 *
 * @errors Deadline.Exceeded (503)
 */
export const propagate = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  options: Propagate = {}
): HttpClient.HttpClient.With<E | internal.Exceeded, R> => {
  const header = named(options.header ?? standard)
  return client.pipe(
    HttpClient.mapRequestEffect((request) =>
      Effect.map(internal.remaining, (left) => {
        if (left === undefined || request.headers[header] !== undefined) return request
        return HttpClientRequest.setHeader(request, header, String(Math.floor(Duration.toMillis(left))))
      })
    ),
    // Around the above: what is left there is less by the reserve.
    HttpClient.transformResponse((effect) => within(effect, options))
  )
}

/** Whom to believe. */
export interface Accept {
  /** The header that says how many milliseconds are left; `x-request-timeout-ms` unless given. */
  readonly header?: string
  /** Whether what this request says is taken; always unless given. */
  readonly when?: (request: HttpServerRequest) => boolean
}

/**
 * A middleware that takes the time a request has left from its header, as `propagate` sends it. It can only be shortened by that: a
 * `Route.timeout` holds besides. What is no whole number of milliseconds, of at most nine digits, is ignored.
 *
 * @errors Deadline.Exceeded (503), at once where the header says 0
 */
export const accept = (options: Accept = {}): Middleware<never, internal.Exceeded> => {
  const header = named(options.header ?? standard)
  const { when = () => true } = options
  const middleware = <E, R>(handler: Handler<E, R>): Handler<E | internal.Exceeded, R | HttpServerRequest> =>
    Effect.flatMap(HttpServerRequest, (request) => {
      const value = request.headers[header]
      if (value === undefined || !/^\d{1,9}$/.test(value) || !when(request)) return handler
      return Effect.flatMap(internal.earliest(Duration.millis(Number(value))), (until) =>
        until === undefined ? handler : internal.answer(handler, until)
      )
    })
  return Object.assign(middleware, { errors: [internal.Exceeded] })
}

const named = (header: string): string => {
  if (isToken(header)) return header.toLowerCase()
  throw new TypeError(`${JSON.stringify(header)} is no name of a header; write one as "${standard}"`)
}
