/**
 * A client of event streams over a raw connection, which reads as a browser does: by Effect's own decoder, with the id it was last told.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import type * as Scope from "effect/Scope"
import type * as Testing from "../src/testing/Testing.ts"
import { get, until } from "./server/both.ts"

/** A connection to an event stream. */
export interface Connection {
  /** What came, in its order. */
  readonly events: ReadonlyArray<Sse.Event>
  /** What a browser would give back as Last-Event-ID; it changes by blocks without data too. */
  readonly lastEventId: () => string
  /** Waits for so many events. */
  readonly count: (events: number) => Effect.Effect<ReadonlyArray<Sse.Event>>
  readonly isOver: () => boolean
  readonly pause: () => void
  readonly resume: () => void
  readonly leave: () => void
}

/** Connects, and waits until the stream is open. */
export const connect = Effect.fnUntraced(function* (
  client: Testing.Client,
  path: string,
  lastEventId?: string
): Effect.fn.Return<Connection, never, Scope.Scope> {
  const socket = yield* client.connect
  const events: Array<Sse.Event> = []
  const parser = Sse.makeParser((event) => event._tag === "Event" && events.push(event))
  const ids = idFollower(lastEventId)
  let head = ""
  let isOpen = false
  let isOver = false
  const feed = (piece: string): void => {
    if (piece === "") return
    isOpen = true
    parser.feed(piece)
    ids.feed(piece)
  }
  socket.setEncoding("utf8")
  socket.on("data", (piece: string) => {
    if (head.includes("\r\n\r\n")) {
      feed(piece)
      return
    }
    head += piece
    const end = head.indexOf("\r\n\r\n")
    if (end !== -1) feed(head.slice(end + 4))
  })
  for (const event of ["end", "close", "error"]) {
    socket.on(event, () => {
      isOver = true
    })
  }
  const header = lastEventId === undefined ? "" : `Last-Event-ID: ${lastEventId}\r\n`
  // By HTTP/1.0 there are no chunks around the bytes.
  socket.write(get(path, header).replace("HTTP/1.1", "HTTP/1.0"))
  yield* until(() => isOpen)
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
  return {
    events,
    lastEventId: ids.last,
    count: (count) =>
      Effect.as(
        until(() => events.length >= count),
        events
      ),
    isOver: () => isOver,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    leave: () => socket.destroy()
  }
})

// The id of the last block that was whole; Effect's decoder does not say it of blocks without data.
const idFollower = (first = "") => {
  let id = first
  let next = first
  let rest = ""
  return {
    last: () => id,
    feed: (piece: string): void => {
      const lines = (rest + piece).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) {
        if (line.startsWith("id: ")) next = line.slice(4)
        if (line === "") id = next
      }
    }
  }
}
