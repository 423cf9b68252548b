/**
 * What has come and was not yet read. With so many messages, or bytes, nothing more is read from the connection.
 *
 * ```ts
 * const data = yield* inbox.take // the next message
 * ```
 *
 * What came before the end is given before it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { closed, isClean, type WebSocketError } from "./failure.ts"
import type { Data, Wire } from "./wire.ts"

/** What receives. */
export interface Inbox {
  /** The next message; ends with Done after a clean close. A reader that is interrupted takes none away. */
  readonly take: Effect.Effect<Data, WebSocketError | Cause.Done>
  readonly put: (data: Data) => void
  /** Drops what comes from now on, so that the peer's close frame is found behind it. */
  readonly shut: () => void
  /** Tells that nothing more comes, and why. */
  readonly end: (code: number, reason: string) => void
  /** Whether nothing is read from the connection: silence means nothing then. */
  readonly isPaused: () => boolean
  /** Whether anybody has ever asked for a message. */
  readonly isRead: () => boolean
  /** Calls back when the end has been given to a reader; at once when it was. */
  readonly onEnded: (f: () => void) => void
}

/** Reading stops with so many messages or bytes, and goes on when they are taken. */
const most = { messages: 64, bytes: 256 * 1024 }

/** Makes the inbox of a connection. */
export const make = (wire: Wire): Inbox => {
  const messages: Array<Data> = []
  const watchers: Array<() => void> = []
  let bytes = 0
  let isPaused = false
  let isRead = false
  let isShut = false
  let isGiven = false
  let over: Exit.Exit<never, WebSocketError | Cause.Done> | undefined
  let readers: Array<() => void> = []

  const wake = (): void => {
    const all = readers
    readers = []
    for (const resume of all) resume()
  }

  const resumeReading = (): void => {
    if (!isPaused) return
    isPaused = false
    wire.resume()
  }

  const attempt = (): Exit.Exit<Data, WebSocketError | Cause.Done> | undefined => {
    const data = messages.shift()
    if (data !== undefined) {
      bytes -= data.length
      if (messages.length === 0) resumeReading()
      return Exit.succeed(data)
    }
    if (over === undefined) return undefined
    isGiven = true
    for (const f of watchers.splice(0)) f()
    return over
  }

  const more = Effect.callback<void>((resume) => {
    const wakened = () => resume(Exit.void)
    readers.push(wakened)
    return Effect.sync(() => {
      readers = readers.filter((other) => other !== wakened)
    })
  })
  // Taken by the fiber itself when it goes on: what is given to one that was interrupted meanwhile would be lost.
  const take: Inbox["take"] = Effect.suspend(() => {
    isRead = true
    return attempt() ?? Effect.flatMap(more, () => take)
  })

  return {
    take,
    put: (data) => {
      if (isShut) return
      messages.push(data)
      bytes += data.length
      if (!isPaused && (messages.length >= most.messages || bytes >= most.bytes)) {
        isPaused = true
        wire.pause()
      }
      wake()
    },
    shut: () => {
      isShut = true
      resumeReading()
    },
    end: (code, reason) => {
      over ??= Exit.fail(isClean(code) ? Cause.Done() : closed(code, reason))
      wake()
    },
    isPaused: () => isPaused,
    isRead: () => isRead,
    onEnded: (f) => {
      if (isGiven) f()
      else watchers.push(f)
    }
  }
}
