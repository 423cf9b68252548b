/**
 * Hands the connection of a request over to what speaks another protocol on it.
 *
 * ```ts
 * yield* Handover.hand(request, response, takeover)
 * ```
 *
 * @spec RFC 9110 §7.8
 */
import * as Http from "node:http"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Cookies from "effect/http/Cookies"
import { ClientAbort } from "effect/http/HttpServerError"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as FailureLog from "../../internal/errors/failureLog.ts"
import type { Connection, Takeover } from "../../internal/exchange/takeover.ts"
import * as NodeExchange from "./exchange/NodeExchange.ts"
import type { NodeRequest } from "./NodeRequest.ts"

const watchers = new WeakMap<Http.ServerResponse, () => void>()

/** Calls back when the connection of a response is taken over. */
export const onTaken = (response: Http.ServerResponse, f: () => void): void => void watchers.set(response, f)

// With the protocol that is spoken now.
const taken = new WeakMap<Http.ServerResponse, string>()

/** True when the connection of a response was taken over: nothing is written to it any more. */
export const isTaken = (response: Http.ServerResponse): boolean => taken.has(response)

/** The protocol that a connection was taken over for. */
export const protocolOf = (response: Http.ServerResponse): string | undefined => taken.get(response)

/**
 * Hands the connection over; ends when `run` has ended and destroys it then. Its failures are logged: nobody is left to be told.
 */
export const hand = (
  request: NodeRequest,
  response: HttpServerResponse,
  { options, run }: Takeover
): Effect.Effect<unknown> =>
  Effect.withFiber((fiber) => {
    const { socket } = request.source
    const connection = take(request, lines(response), options.protocol)
    const leave = () => fiber.interruptUnsafe(undefined, ClientAbort.annotation)
    if (options.watches !== true) socket.once("close", leave)
    return Effect.interruptible(Effect.suspend(() => run(connection))).pipe(
      Effect.catchCause((cause) => {
        if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
        FailureLog.broke(request, cause)
        return FailureLog.annotated(Effect.logError("A connection that was taken over broke off", cause), request)
      }),
      Effect.ensuring(
        Effect.sync(() => {
          socket.off("close", leave)
          socket.destroy()
          NodeExchange.of(request.response)?.end()
        })
      )
    )
  })

/**
 * Takes the connection from its request; `headers` go into the 101. Throws for what would break out of a line, as Node does for
 * ordinary answers.
 */
export const take = (
  { head, response, source }: NodeRequest,
  headers: Connection["headers"],
  protocol: string
): Connection => {
  for (const [name, value] of headers) {
    Http.validateHeaderName(name)
    Http.validateHeaderValue(name, value)
  }
  watchers.get(response)?.()
  response.detachSocket(source.socket)
  taken.set(response, protocol)
  const exchange = NodeExchange.of(response)
  exchange?.take(protocol)
  const note: Connection["note"] = (fields) => exchange?.note(fields)
  return { request: source, socket: source.socket, head: head as Uint8Array, headers, note }
}

const lines = ({ cookies, headers }: HttpServerResponse): Connection["headers"] => [
  ...Object.entries(headers).filter(([name]) => !framing.has(name)),
  ...Cookies.toSetCookieHeaders(cookies).map((value) => ["set-cookie", value] as const)
]

// What a 101 does not have, or the protocol says itself.
const framing: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "content-type",
  "transfer-encoding",
  "upgrade"
])
