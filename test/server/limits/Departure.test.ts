/**
 * Answers that are watched while they go out.
 */
import type * as Http from "node:http"
import type * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Departure } from "../../../src/server/internal/limits/Departure.ts"

const pace = { timeout: 60_000, rate: 240 }

/** A stream: 100 kB are written, and as much waits. */
class Stream {
  bytesWritten = 100_000
  writableLength = 100_000
  isDestroyed = false

  destroy(): void {
    this.isDestroyed = true
  }
}

const watched = (step: (stream: Stream) => void, seconds: number): boolean => {
  const one = new Stream()
  const departure = new Departure(one as unknown as Net.Socket, {} as Http.ServerResponse)
  for (let second = 0; second < seconds; second++) {
    step(one)
    departure.look(pace, 1000)
  }
  return one.isDestroyed
}

describe("an answer on a stream", () => {
  it("is not too slow while what is written moves", () => {
    const steady = (one: Stream) => {
      one.bytesWritten += 1000
    }
    assert.isFalse(watched(steady, 100))
  })

  it("is too slow when nothing of it moves", () => {
    assert.isFalse(watched(() => {}, 59))
    assert.isTrue(watched(() => {}, 60))
  })

  it("is too slow when less of it goes out than the rate", () => {
    const trickle = (one: Stream) => {
      one.writableLength -= 1
    }
    // What was written, 100 kB, has 416 seconds.
    assert.isFalse(watched(trickle, 416))
    assert.isTrue(watched(trickle, 417))
  })
})
