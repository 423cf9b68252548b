/**
 * The chunks of a body as they come, within a limit, for readers to which a stream would cost too much.
 *
 * ```ts
 * const { pull } = yield* fiber.getRef(BodyChunks)(undefined)
 * const chunks = yield* pull
 * ```
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Body from "../../Body.ts"
import type { Failure } from "./readBody.ts"

/** What there is, one pull after the other, until it is done. */
export interface Chunks {
  readonly pull: Pull.Pull<readonly [Uint8Array, ...Array<Uint8Array>], Failure>
  /** Frees a chunk that nobody reads again, where the engine knows that nobody does. It leaves parts of chunks as they are. */
  readonly release: (chunk: Uint8Array) => void
}

/** Chunks that are left to the garbage collector. */
export const make = (pull: Chunks["pull"]): Chunks => ({ pull, release: () => {} })

/** Begins to read the body of the request, within the limit, or else that of the route. */
export interface Open {
  (limit: bigint | undefined): Effect.Effect<Chunks, never, HttpServerRequest | Scope.Scope>
}

/** As every engine can. */
export const portable: Open = (limit) =>
  // Who pulls is a fiber of the request, so that the request is there
  Effect.map(Stream.toPull(Body.stream({ limit })), (pull) => make(pull as Chunks["pull"]))

/** The way of the engine. */
export const BodyChunks = Context.Reference<Open>("effect-web/BodyChunks", { defaultValue: () => portable })

/** Runs an effect for each array of chunks. */
export const forEach = <E>(
  chunks: Chunks,
  f: (array: ReadonlyArray<Uint8Array>) => Effect.Effect<void, E>
): Effect.Effect<void, E | Failure> =>
  Pull.catchDone(Effect.forever(Effect.flatMap(chunks.pull, f), { disableYield: true }), () => Effect.void)

/** What is there already, as chunks. */
export const once = (bytes: Uint8Array): Chunks => {
  let isTaken = false
  const pull = Effect.suspend(() => {
    if (isTaken) return Cause.done()
    isTaken = true
    return Exit.succeed([bytes] as const)
  })
  return make(pull)
}
