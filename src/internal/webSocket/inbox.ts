/**
 * What has come and was not yet read. With so many messages, or bytes, nothing more is read from the connection.
 *
 * ```ts
 * const batch = yield* inbox.take // one or more messages, in order
 * ```
 *
 * What came before the end is given before it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { closed, isClean, type WebSocketError } from "./failure.ts"
import type { Data, Wire } from "./wire.ts"

type Batch = readonly [Data, ...Array<Data>]

/** What receives. */
export interface Inbox {
  /** Ends with Done after a clean close. */
  readonly take: Effect.Effect<Batch, WebSocketError | Cause.Done>
  readonly one: Effect.Effect<Data, WebSocketError | Cause.Done>
  readonly put: (data: Data) => void
  /** Tells that the connection has ended, and why. */
  readonly end: (code: number, reason: string) => void
  /** Whether anybody has ever asked for a message. */
  readonly isRead: () => boolean
  /** Calls back when the end has been given to a reader; at once when it was. */
  readonly onEnded: (f: () => void) => void
}

/** Reading stops with so many messages or bytes, and goes on when they are taken. */
const most = { messages: 64, bytes: 256 * 1024 }

type Exited = Exit.Exit<never, WebSocketError | Cause.Done>

/** Makes the inbox of a connection. */
export const make = (wire: Wire): Inbox => {
  let messages: Array<Data> = []
  let bytes = 0
  let paused = false
  let isRead = false
  let isGiven = false
  let over: Exited | undefined
  const watchers: Array<() => void> = []
  let readers: Array<() => void> = []

  const wake = (): void => {
    const all = readers
    readers = []
    for (const look of all) look()
  }

  const resumeReading = (): void => {
    if (!paused) return
    paused = false
    wire.resume()
  }

  const attempt = <A>(give: () => A): Exit.Exit<A, WebSocketError | Cause.Done> | undefined => {
    if (messages.length > 0) return Exit.succeed(give())
    if (over === undefined) return undefined
    isGiven = true
    for (const f of watchers.splice(0)) f()
    return over
  }

  const asking = <A>(give: () => A): Effect.Effect<A, WebSocketError | Cause.Done> =>
    Effect.suspend(() => {
      isRead = true
      const found = attempt(give)
      if (found !== undefined) return found
      return Effect.callback<A, WebSocketError | Cause.Done>((resume) => {
        const look = (): void => {
          const found = attempt(give)
          if (found === undefined) readers.push(look)
          else resume(found)
        }
        readers.push(look)
        return Effect.sync(() => {
          readers = readers.filter((other) => other !== look)
        })
      })
    })

  const all = (): Batch => {
    const batch = messages as unknown as Batch
    messages = []
    bytes = 0
    resumeReading()
    return batch
  }

  const first = (): Data => {
    const data = messages.shift() as Data
    bytes -= data.length
    if (messages.length === 0) resumeReading()
    return data
  }

  return {
    take: asking(all),
    one: asking(first),
    put: (data) => {
      messages.push(data)
      bytes += data.length
      if (!paused && (messages.length >= most.messages || bytes >= most.bytes)) {
        paused = true
        wire.pause()
      }
      wake()
    },
    end: (code, reason) => {
      over ??= Exit.fail(isClean(code) ? Cause.Done() : closed(code, reason))
      wake()
    },
    isRead: () => isRead,
    onEnded: (f) => {
      if (isGiven) f()
      else watchers.push(f)
    }
  }
}
