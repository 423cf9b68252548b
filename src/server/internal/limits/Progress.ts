/**
 * How a client gets on while it is waited for.
 *
 * ```ts
 * const progress = new Progress()
 * progress.isTooSlow({ timeout: 60_000, rate: 240 }, 1000, bytes)
 * ```
 *
 * @source Kestrel MinRequestBodyDataRate, MinResponseDataRate; nginx client_body_timeout, send_timeout
 */
import type { Pace } from "./Rules.ts"

/** So long it may take to get going, in milliseconds. */
export const grace = 5000

/** The time for which a client was waited for; not that in which it was not its turn. */
export class Progress {
  private waited = 0
  private silent = 0
  private seen = 0

  /** It was not its turn, or it has done all: its silence begins anew. */
  rest(): void {
    this.silent = 0
  }

  /**
   * True when it is too slow, after it was waited for so many milliseconds more. `seen` changes with every byte that moves, `due` are
   * the bytes that the rate is measured by.
   */
  isTooSlow({ rate, timeout }: Pace, elapsed: number, seen: number, due: number = seen): boolean {
    this.waited += elapsed
    this.silent = seen === this.seen ? this.silent + elapsed : 0
    this.seen = seen
    return this.silent >= timeout || (this.waited > grace && due * 1000 < rate * this.waited)
  }
}
