/**
 * The scanner of a body with what fills it: the chunks of the body, one pull after the other.
 *
 * ```ts
 * const feed = new Feed(scanner, chunks)
 * const head = feed.scanner.head()
 * if (head === "more") yield* feed.more
 * ```
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import type { Failure } from "../../Multipart.ts"
import type { Chunks } from "../bodies/bodyChunks.ts"
import { malformed } from "./limits.ts"
import type { Scanner } from "./scanner.ts"

/** One body, on its way. */
export class Feed {
  readonly scanner: Scanner
  readonly chunks: Chunks
  /** Gives the scanner more, or fails; at the end of the body too, where only the closing boundary would have been in order. */
  readonly more: Effect.Effect<void, Failure>
  /** The part whose content the scanner is in. */
  current: object | undefined
  /** What is broken stays broken, whoever asks. */
  broken: Exit.Exit<never, Failure> | undefined
  private reader: Fiber.Fiber<unknown, unknown> | undefined

  constructor(scanner: Scanner, chunks: Chunks) {
    this.scanner = scanner
    this.chunks = chunks
    const pulled = Pull.matchEffect(chunks.pull, {
      onSuccess: (chunks) => {
        this.reader = undefined
        this.scanner.give(chunks)
        return Exit.void
      },
      onFailure: (cause) => this.fail(Exit.failCause(cause)),
      onDone: () => this.fail(Exit.fail(malformed("The body ends before its closing boundary")))
    })
    this.more = Effect.withFiber((fiber) => {
      const { broken, reader } = this
      if (broken !== undefined) return broken
      // One that was interrupted while it waited is over
      if (reader !== undefined && reader !== fiber && reader.pollUnsafe() === undefined) {
        return Effect.die(new Error("Multipart: two fibers read one body at the same time"))
      }
      this.reader = fiber
      return pulled
    })
  }

  fail(exit: Exit.Exit<never, Failure>): Exit.Exit<never, Failure> {
    if (!Exit.hasInterrupts(exit)) this.broken = exit
    return exit
  }
}
