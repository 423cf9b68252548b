/**
 * The last events of a channel, and the clients that read them: each at its own place, none with a queue of its own.
 *
 * ```ts
 * const log = new Log(1000, "a-0")
 * log.append(event("hello", { id: "a-1" }))
 * const events = read(log, "a-0", "dropOldest") // hello, and what comes
 * ```
 *
 * What is kept for those that come again is what is kept for those that are slow. Between the two nothing is lost and nothing comes
 * twice, for it is one list. A reader that is behind it, or whose id is not in it, is told so by an event named "reset".
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { Cut } from "./body.ts"
import { type Event, event } from "./event.ts"

/** What a reader that has fallen behind gets: the oldest events that are left, or the end of its connection. */
export type Slow = "dropOldest" | "disconnect"

interface Reader {
  /** The index of the next event that it gets. */
  at: number
  /** Says that there is something to read. */
  wake: (() => void) | undefined
  /** Says that it has fallen behind. */
  readonly behind: () => void
}

/** The events from `first` to before `end`, by indexes that only grow. */
export class Log {
  readonly readers = new Set<Reader>()
  readonly capacity: number
  private readonly kept: Array<Event> = []
  /** The id of what was before the first. */
  private before: string
  first = 0
  end = 0
  isClosed = false

  constructor(capacity: number, before: string) {
    this.capacity = capacity
    this.before = before
  }

  /** The id of the last event. */
  get last(): string {
    return this.end === this.first ? this.before : (this.at(this.end - 1).id as string)
  }

  /** Adds an event, which has an id. */
  append(event: Event): void {
    this.push(event)
    this.changed()
  }

  /** Puts events in place of all, after a gap: every reader is behind. */
  replace(before: string, events: ReadonlyArray<Event>): void {
    this.end += 1
    this.first = this.end
    this.before = before
    for (const event of events) this.push(event)
    this.changed()
  }

  /** Ends all readers when they have read what there is. */
  close(): void {
    this.isClosed = true
    this.changed()
  }

  /** The index behind the id; undefined where nothing has it. */
  indexAfter(id: string): number | undefined {
    for (let index = this.end - 1; index >= this.first; index--) if (this.at(index).id === id) return index + 1
    return id === this.before ? this.first : undefined
  }

  /** What there is from an index, up to so many. */
  from(index: number, most: number): ReadonlyArray<Event> {
    return Array.from({ length: Math.min(most, this.end - index) }, (_, offset) => this.at(index + offset))
  }

  /** Tells a client that something is missing, and where it is now. */
  get reset(): Event {
    return event("", { event: "reset", id: this.before })
  }

  private at(index: number): Event {
    return this.kept[index % this.capacity] as Event
  }

  private push(event: Event): void {
    if (this.end - this.first === this.capacity) {
      this.before = this.at(this.first).id as string
      this.first++
    }
    this.kept[this.end % this.capacity] = event
    this.end++
  }

  private changed(): void {
    for (const reader of this.readers) {
      reader.wake?.()
      if (reader.at < this.first) reader.behind()
    }
  }
}

// So many at once: what a client has not taken yet is in memory, once for each.
const batch = 64

/**
 * The events behind an id, and those to come; without an id only these. It begins with the id of where it is, so that a client knows
 * it before the first event. With an id that is not known it begins with a "reset", and with all that is kept.
 */
export const read = (log: Log, id: string | undefined, slow: Slow): Stream.Stream<Event> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const cut = yield* Cut
      const place = id === undefined ? log.end : log.indexAfter(id)
      const reader: Reader = {
        at: place ?? log.first,
        wake: undefined,
        behind: () => slow === "disconnect" && cut()
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => log.readers.add(reader)),
        () => Effect.sync(() => log.readers.delete(reader))
      )
      const start = place === undefined ? log.reset : event(undefined, { id: id ?? log.last })
      return Stream.fromPull(Effect.succeed(pull(log, reader, slow, start)))
    })
  )

const pull = (log: Log, reader: Reader, slow: Slow, start: Event): Pull.Pull<Arr.NonEmptyReadonlyArray<Event>> => {
  const woken = Effect.callback<void>((resume) => {
    const isReady = () => reader.at !== log.end || log.isClosed
    reader.wake = () => {
      reader.wake = undefined
      resume(Effect.void)
    }
    if (isReady()) reader.wake()
  })
  let first: Event | undefined = start
  const step: Pull.Pull<Arr.NonEmptyReadonlyArray<Event>> = Effect.suspend(() => {
    if (reader.at < log.first) {
      if (slow === "disconnect") return Effect.interrupt
      first = log.reset
      reader.at = log.first
    }
    const kept = log.from(reader.at, batch)
    const events = first === undefined ? kept : [first, ...kept]
    first = undefined
    reader.at += kept.length
    if (Arr.isReadonlyArrayNonEmpty(events)) return Effect.succeed(events)
    return log.isClosed ? Cause.done() : Effect.flatMap(woken, () => step)
  })
  return step
}
