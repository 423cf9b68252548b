/**
 * The WebSocket of a handler that asks for it as Effect has it, by `request.upgrade`: RPC and whatever else is mounted.
 *
 * ```ts
 * const socket = yield* request.upgrade
 * ```
 *
 * It is open at once, and read when its reader is acquired. It closes with the fiber that asked for it, which is interrupted ten
 * seconds after the peer has left, and with 1001 when the server stops. A message has at most 4 MiB. There is no subprotocol, no
 * compression, no check of the origin and no limit of what waits to be sent: `WebSocket.make` has all that.
 *
 * @source effect/http/HttpServerRequest.upgrade
 */
import type * as NodeWS from "@effect/platform-node/NodeWS"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Headers from "effect/http/Headers"
import { ClientAbort, HttpServerError, RequestParseError } from "effect/http/HttpServerError"
import * as Socket from "effect/socket/Socket"
import { isHttpError } from "../../../HttpError.ts"
import { Draining } from "../../../internal/lifecycle/draining.ts"
import * as Handshake from "../../../internal/webSocket/handshake.ts"
import * as NodeExchange from "../exchange/NodeExchange.ts"
import * as Handover from "../Handover.ts"
import type { NodeRequest } from "../NodeRequest.ts"
import * as NodeWebSocket from "./NodeWebSocket.ts"

const maxMessage = 4 * 1024 * 1024
const patience = "10 seconds"

/** Opens it with more headers of the 101; a request that asks for none, or for its second, fails. */
export const open = (request: NodeRequest, headers?: Headers.Input): Effect.Effect<Socket.Socket, HttpServerError> =>
  Effect.withFiber((fiber) => {
    const agreed = Handshake.agree(request, [], () => true)
    const isOpen = request.head !== undefined && !Handover.isTaken(request.response)
    if (!isOpen || isHttpError(agreed)) {
      const cause = isHttpError(agreed) ? agreed : new Error("The connection cannot be taken over")
      return Effect.fail(new HttpServerError({ reason: new RequestParseError({ request, cause }) }))
    }
    const connection = Handover.take(request, Object.entries(Headers.fromInput(headers)), "websocket")
    request.source.socket.once("close", () => NodeExchange.of(request.response)?.end())
    const opened = NodeWebSocket.open(connection, { protocol: undefined, offer: undefined, maxMessage })
    if (opened === undefined) return Effect.interrupt
    // What comes before there is a reader waits.
    opened.pause()
    opened.on("error", () => {})
    lookAfter(opened, fiber)
    return Socket.fromWebSocket(
      Effect.acquireRelease(Effect.succeed(opened), (opened) => Effect.sync(() => opened.close()))
    )
  })

const lookAfter = (opened: NodeWS.WebSocket, fiber: Fiber.Fiber<unknown, unknown>): void => {
  const run = Effect.runForkWith(fiber.context)
  const closed = Effect.callback<void>((resume) => {
    if (opened.readyState === opened.CLOSED) resume(Effect.void)
    else opened.once("close", () => resume(Effect.void))
  })
  const stopped = Effect.andThen(
    Effect.flatten(Draining),
    Effect.sync(() => opened.close(1001, "The server stops"))
  )
  const watching = run(
    Effect.gen(function* () {
      yield* Effect.raceFirst(closed, Effect.andThen(stopped, Effect.never))
      yield* Effect.sleep(patience)
      fiber.interruptUnsafe(undefined, ClientAbort.annotation)
    })
  )
  fiber.addObserver(() => {
    watching.interruptUnsafe()
    opened.resume()
    opened.close()
    run(Effect.timeoutOrElse(closed, { duration: patience, orElse: () => Effect.sync(() => opened.terminate()) }))
  })
}
