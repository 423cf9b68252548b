/**
 * Answers that are watched while they go out.
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Departure } from "../../../src/server/internal/limits/Departure.ts"

const pace = { timeout: 60_000, rate: 240 }

/** A stream of a session that has sent so much before; 100 kB of its own are written, and as much waits. */
class Stream {
  bytesWritten = 100_000
  writableLength = 100_000
  moved: number
  isDestroyed = false

  constructor(before: number) {
    this.moved = before
  }

  destroy(): void {
    this.isDestroyed = true
  }
}

const watched = (before: number, step: (stream: Stream) => void, seconds: number): boolean => {
  const one = new Stream(before)
  const departure = new Departure(one as unknown as Net.Socket, {} as Http.ServerResponse)
  for (let second = 0; second < seconds; second++) {
    step(one)
    departure.look(pace, 1000)
  }
  return one.isDestroyed
}

describe("an answer on a stream", () => {
  const steady = (one: Stream) => {
    one.bytesWritten += 1000
    one.moved += 1000
  }

  it("is not too slow because its session has sent much before", () => {
    assert.isFalse(watched(0, steady, 100))
    assert.isFalse(watched(1_000_000_000, steady, 100))
  })

  it("is too slow when nothing of its session moves, whatever was sent before", () => {
    for (const before of [0, 1_000_000_000]) {
      assert.isFalse(watched(before, () => {}, 59))
      assert.isTrue(watched(before, () => {}, 60))
    }
  })

  it("is too slow when less of it goes out than the rate", () => {
    const trickle = (one: Stream) => {
      one.moved += 1
    }
    // What was written, 100 kB, has 416 seconds.
    assert.isFalse(watched(1_000_000_000, trickle, 416))
    assert.isTrue(watched(1_000_000_000, trickle, 417))
  })
})
