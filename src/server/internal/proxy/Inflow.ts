/**
 * The bytes of an upstream server's answer, between undici, which pushes them, and who takes them.
 *
 * ```ts
 * const inflow = new Inflow(() => controller.resume())
 * if (inflow.push(chunk)) controller.pause()
 * ```
 *
 * So much is held as came before the sender could be told to stop. Nothing of a fiber runs while undici is at work: it would be
 * called again inside.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Failure } from "../../../internal/proxy/failure.ts"
import { earlyHead } from "../../../internal/responses/earlyHead.ts"

/** So many bytes may wait. */
const most = 64 * 1024

type Pull = Effect.Effect<readonly [Uint8Array, ...Array<Uint8Array>], Failure["error"] | Cause.Done>

/** The bytes. */
export class Inflow {
  private readonly onEmptied: () => void
  private chunks: Array<Uint8Array> = []
  private size = 0
  private end: Effect.Effect<never, Failure["error"] | Cause.Done> | undefined
  private wake: (() => void) | undefined

  /** `onEmptied` is called when all has been taken after there was too much. */
  constructor(onEmptied: () => void) {
    this.onEmptied = onEmptied
  }

  /** True when nothing has come. */
  get isEmpty(): boolean {
    return this.chunks.length === 0
  }

  /** All that has come, as one piece. */
  get bytes(): Uint8Array {
    return this.chunks.length === 1 ? (this.chunks[0] as Uint8Array) : Buffer.concat(this.chunks)
  }

  /** The chunks as they come. When none has come, the head of the response is not to wait for the first. */
  stream(): Stream.Stream<Uint8Array, Failure["error"]> {
    if (this.isEmpty) this.chunks.push(earlyHead)
    return Stream.fromPull(Effect.succeed(this.pull))
  }

  /** True when it is too much: no more before `onEmptied`. */
  push(chunk: Uint8Array): boolean {
    this.chunks.push(chunk)
    this.size += chunk.length
    this.notify()
    return this.size >= most
  }

  /** No more will come. */
  close(failure: Failure | undefined): void {
    this.end = failure === undefined ? Cause.done() : Effect.fail(failure.error)
    this.notify()
  }

  private notify(): void {
    if (this.wake !== undefined) queueMicrotask(() => this.wake?.())
  }

  private readonly pull: Pull = Effect.suspend((): Pull => {
    const [first, ...rest] = this.chunks
    if (first !== undefined) {
      const isFull = this.size >= most
      this.chunks = []
      this.size = 0
      if (isFull) this.onEmptied()
      return Effect.succeed([first, ...rest])
    }
    return (
      this.end ??
      Effect.callback((resume) => {
        this.wake = () => {
          this.wake = undefined
          resume(this.pull)
        }
        return Effect.sync(() => {
          this.wake = undefined
        })
      })
    )
  })
}
