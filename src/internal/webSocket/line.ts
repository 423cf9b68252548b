/**
 * Both directions of a connection, and how it comes to its end.
 *
 * ```ts
 * const { ended, inbox, outbox, shutting } = Line.open(wire, settings)
 * ```
 *
 * @spec RFC 6455 §7
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { closed } from "./failure.ts"
import * as Inbox from "./inbox.ts"
import * as Outbox from "./outbox.ts"
import type { CloseEvent } from "./socket.ts"
import type { Wire } from "./wire.ts"

/** A connection in use. */
export interface Line {
  readonly inbox: Inbox.Inbox
  readonly outbox: Outbox.Outbox
  /** Calls back whenever bytes have come. */
  readonly onAlive: (f: () => void) => void
  /** Waits until no more messages come. */
  readonly gone: Effect.Effect<void>
  /** Waits for the end of the connection. */
  readonly ended: Effect.Effect<CloseEvent>
  /** What the peer has said at last. */
  readonly last: () => CloseEvent | undefined
  /** Marks what is run as a wait of the handler for the end. */
  readonly awaiting: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>
  readonly isAwaited: () => boolean
  /** Waits until the peer is not wanted any more. */
  readonly unwanted: Effect.Effect<CloseEvent>
  /** Closes, and does not wait for the peer for ever. */
  readonly shutting: (code: number, reason: string) => Effect.Effect<CloseEvent>
}

/** Takes a connection into use. */
export const open = (wire: Wire, options: Outbox.Options & { readonly closeTimeout: Duration.Duration }): Line => {
  const gone = Deferred.makeUnsafe<void>()
  const end = Deferred.makeUnsafe<CloseEvent>()
  const slow = Deferred.makeUnsafe<CloseEvent>()
  const inbox = Inbox.make(wire)
  const outbox = Outbox.make(wire, options, (code, reason) => Deferred.doneUnsafe(slow, Exit.succeed({ code, reason })))
  let isAwaited = false
  let last: CloseEvent | undefined
  let alive: (() => void) | undefined
  const ending = (code: number, reason: string): void => {
    if (last !== undefined) return
    last = { code, reason }
    inbox.end(code, reason)
    outbox.end(closed(code, reason))
    Deferred.doneUnsafe(gone, Exit.void)
  }
  wire.listen({
    message: inbox.put,
    alive: () => alive?.(),
    ending,
    close: (code, reason) => {
      ending(code, reason)
      Deferred.doneUnsafe(end, Exit.succeed(last ?? { code, reason }))
    }
  })
  const ended = Deferred.await(end)
  const late = Effect.andThen(
    Effect.sync(() => wire.terminate()),
    ended
  )
  return {
    inbox,
    outbox,
    onAlive: (f) => {
      alive = f
    },
    gone: Deferred.await(gone),
    ended,
    last: () => last,
    awaiting: (effect) =>
      Effect.suspend(() => {
        isAwaited = true
        return effect
      }),
    isAwaited: () => isAwaited,
    unwanted: Deferred.await(slow),
    shutting: (code, reason) =>
      Effect.suspend(() => {
        inbox.shut()
        outbox.shut(closed(code, reason))
        wire.close(code, clipped(reason))
        return Effect.timeoutOrElse(ended, { duration: options.closeTimeout, orElse: () => late })
      })
  }
}

// A close frame has room for 123 bytes of reason (§5.5), and text may not break inside a character.
const clipped = (reason: string): string => {
  const bytes = new TextEncoder().encode(reason)
  return bytes.length <= 123 ? reason : new TextDecoder().decode(bytes.subarray(0, 123)).replace(/\uFFFD$/, "")
}
