/**
 * Both directions of a connection, and how it comes to its end.
 *
 * ```ts
 * const { ended, inbox, outbox } = new Line(wire, settings)
 * ```
 *
 * One of these is kept for each connection, so that it is as small as it can be: what is seldom needed is made when it is.
 *
 * @spec RFC 6455 §7
 */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { closed } from "./failure.ts"
import { Inbox } from "./inbox.ts"
import * as Outbox from "./outbox.ts"
import type { CloseEvent } from "./socket.ts"
import type { Data, Listener, Wire } from "./wire.ts"

/** A connection in use. */
export class Line implements Listener {
  readonly inbox: Inbox
  readonly outbox: Outbox.Outbox
  /** What the peer has said at last; undefined while messages may come. */
  last: CloseEvent | undefined
  /** What the handler has died of. */
  died: Cause.Cause<never> | undefined
  /** Whether the handler waits for the end. */
  isAwaited = false
  /** Called when no more messages come, and when the peer is not wanted any more. */
  onGone: (() => void) | undefined
  onUnwanted: ((code: number, reason: string) => void) | undefined
  /** Called when the heartbeat looks whether it is alive. */
  onLook: (() => void) | undefined
  /** The clock of a heartbeat, when bytes came at last, and how often. */
  clock: Clock.Clock | undefined
  heard = 0
  signs = 0
  readonly wire: Wire
  private readonly closeTimeout: Duration.Duration
  private readonly end = Deferred.makeUnsafe<CloseEvent>()

  constructor(wire: Wire, options: Outbox.Options & { readonly closeTimeout: Duration.Duration }) {
    this.wire = wire
    this.closeTimeout = options.closeTimeout
    this.inbox = new Inbox(wire)
    this.outbox = new Outbox.Outbox(wire, options, (code, reason) => this.onUnwanted?.(code, reason))
    wire.listen(this)
  }

  message(data: Data): void {
    this.inbox.put(data)
  }

  alive(): void {
    if (this.clock === undefined) return
    this.heard = this.clock.currentTimeMillisUnsafe()
    this.signs++
  }

  ending(code: number, reason: string): void {
    if (this.last !== undefined) return
    this.last = { code, reason }
    this.inbox.end(code, reason)
    this.outbox.end(closed(code, reason))
    this.onGone?.()
  }

  close(code: number, reason: string): void {
    this.ending(code, reason)
    Deferred.doneUnsafe(this.end, Exit.succeed(this.last ?? { code, reason }))
  }

  /** Waits for the end of the connection. */
  get ended(): Effect.Effect<CloseEvent> {
    return Deferred.await(this.end)
  }

  /** Marks what is run as a wait of the handler for the end. */
  awaiting<A>(effect: Effect.Effect<A>): Effect.Effect<A> {
    return Effect.suspend(() => {
      this.isAwaited = true
      return effect
    })
  }

  /** Closes, and does not wait for the peer for ever: only for as long as it goes on taking what waits, and then for its answer. */
  shutting(code: number, reason: string): Effect.Effect<CloseEvent> {
    return Effect.suspend(() => {
      this.inbox.shut()
      this.outbox.shut(closed(code, reason))
      this.wire.close(code, clipped(reason))
      return this.waiting(this.wire.taken())
    })
  }

  private waiting(before: number | undefined): Effect.Effect<CloseEvent> {
    const late = Effect.suspend(() => {
      const taken = this.wire.taken()
      if (before !== undefined && taken !== before) return this.waiting(taken)
      this.wire.terminate()
      return this.ended
    })
    return Effect.timeoutOrElse(this.ended, { duration: this.closeTimeout, orElse: () => late })
  }
}

// A close frame has room for 123 bytes of reason (§5.5), and text may not break inside a character.
const clipped = (reason: string): string => {
  const bytes = new TextEncoder().encode(reason)
  return bytes.length <= 123 ? reason : new TextDecoder().decode(bytes.subarray(0, 123)).replace(/\uFFFD$/, "")
}
