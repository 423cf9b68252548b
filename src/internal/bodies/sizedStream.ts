/**
 * A stream of so many bytes: one that has fewer or more breaks off.
 *
 * ```ts
 * sized(Stream.make(encoder.encode("abc")), 4) // dies: Content-Length says "4", the stream has 3 bytes
 * ```
 *
 * Engines compare what they write with the length. Behind a middleware that compresses there is none to compare with, and what is
 * missing would look like the end.
 *
 * @spec RFC 9110 §8.6
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"

/** The same stream, counted. */
export const sized = <E>(stream: Stream.Stream<Uint8Array, E>, length: number): Stream.Stream<Uint8Array, E> =>
  Stream.transformPull(stream, (pull) =>
    Effect.sync(() => {
      let size = 0
      const wrong = (has: string) =>
        Effect.die(new RangeError(`Content-Length says "${length}", the stream has ${has} bytes`))
      return Pull.matchEffect(pull, {
        onSuccess: (chunks): typeof pull => {
          for (const chunk of chunks) size += chunk.length
          return size > length ? wrong(`at least ${size}`) : Effect.succeed(chunks)
        },
        onFailure: (cause) => Effect.failCause(cause),
        onDone: () => (size === length ? Cause.done() : wrong(String(size)))
      })
    })
  )
