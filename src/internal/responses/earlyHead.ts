/**
 * The chunk of a stream that says: send the head of the response now, the content takes time.
 *
 * ```ts
 * Stream.concat(Stream.succeed(earlyHead), slow)
 * ```
 *
 * Without it the head waits for the first byte, so that a stream that fails before it can still be answered as any failure. It is
 * empty, so to other engines it is nothing.
 */

/** The chunk: this value, and no other that is empty. */
export const earlyHead = new Uint8Array(0)
