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
import * as Pull from "effect/Pull"
import type { Failure } from "../../Multipart.ts"
import { malformed } from "./limits.ts"
import type { Scanner } from "./scanner.ts"

/** The chunks of a body, until it is done. */
export type Chunks = Pull.Pull<readonly [Uint8Array, ...Array<Uint8Array>], Failure>

/** One body, on its way. */
export class Feed {
  readonly scanner: Scanner
  /** Gives the scanner more, or fails; at the end of the body too, where only the closing boundary would have been in order. */
  readonly more: Effect.Effect<void, Failure>
  /** The part whose content the scanner is in. */
  current: object | undefined
  /** What is broken stays broken, whoever asks. */
  broken: Exit.Exit<never, Failure> | undefined
  private isPulling = false

  constructor(scanner: Scanner, chunks: Chunks) {
    this.scanner = scanner
    const pulled = Pull.matchEffect(chunks, {
      onSuccess: (chunks) => Effect.sync(() => this.scanner.give(chunks)),
      onFailure: (cause) => this.fail(Exit.failCause(cause)),
      onDone: () => this.fail(Exit.fail(malformed("The body ends before its closing boundary")))
    })
    const ended = Effect.sync(() => {
      this.isPulling = false
    })
    this.more = Effect.suspend(() => {
      if (this.broken !== undefined) return this.broken
      if (this.isPulling) return Effect.die(new Error("Multipart: two fibers read one body at the same time"))
      this.isPulling = true
      return Effect.ensuring(pulled, ended)
    })
  }

  fail(exit: Exit.Exit<never, Failure>): Exit.Exit<never, Failure> {
    if (!Exit.hasInterrupts(exit)) this.broken = exit
    return exit
  }
}
