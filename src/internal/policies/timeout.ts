/**
 * `Route.timeout` and `Route.bodyLimit`.
 */
import type * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Handler } from "../../Handler.ts"
import { ContentTooLarge } from "../../HttpError.ts"
import * as ByteLimit from "../byteLimit.ts"
import * as Deadline from "../exchange/deadline.ts"
import * as Policy from "./policy.ts"

/** A duration above zero. Throws a TypeError for what is none. */
export const positive = (input: Duration.Input, what: string): Duration.Duration => {
  const duration = Duration.fromInput(input)
  if (duration._tag === "Some" && Duration.isPositive(duration.value)) return duration.value
  throw new TypeError(`${what}: ${JSON.stringify(input)} is no time; write more than zero, as "5 seconds"`)
}

/**
 * Limits how long the answer may take, with what is inside of this policy: middleware applied before it, the handler, and the last chunk
 * of a stream. Then all of it is interrupted, queries and child fibers too, and once its finalizers have run the client gets
 * `Deadline.Exceeded`; a stream whose head was sent is cut, and the request's outcome is `timedOut`. A file has the limits of the
 * connection in its place, and so has a WebSocket once it is open. It sets the `Deadline` of the request.
 *
 * Child fibers (`Effect.forkChild`) end with the handler; what feeds a stream is forked into the scope of the request.
 *
 * @errors Deadline.Exceeded (503)
 */
export const timeout = (duration: Duration.Input): Policy.Policy<Deadline.Exceeded> => {
  const time = positive(duration, "Route.timeout")
  const limited = <E, R>(handler: Handler<E, R>): Handler<E | Deadline.Exceeded, R> =>
    Effect.flatMap(Deadline.earliest(time), (until) =>
      until === undefined ? handler : Deadline.answer(handler, until)
    )
  return Policy.make("timeout", time, limited, [Deadline.Exceeded])
}

/**
 * Limits the body of a request, decompressed, in place of the app's limit.
 *
 * @errors ContentTooLarge (413) for a larger one, when it is read
 */
export const bodyLimit = (limit: ByteSize.Input): Policy.Policy<ContentTooLarge> => {
  const bytes = ByteLimit.parse(limit)
  return Policy.make("bodyLimit", bytes, ByteLimit.declare(bytes), [ContentTooLarge])
}
