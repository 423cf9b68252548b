/**
 * The limit finds itself, for backends that are slower the more they have to do: requests as numbers, with no fiber in between.
 */
import { assert, describe, it } from "@effect/vitest"
import { Limit, type Settings } from "../../../src/internal/overload/limit.ts"
import * as Seeded from "../../seeded.ts"

/** So many at a time take so many milliseconds each, and more take longer. `noise`: by how much of that each is another. */
interface Backend {
  readonly clients: number
  capacity: number
  millis: number
  readonly noise?: number
  inFlight?: number
}

interface Flight {
  readonly at: number
  readonly began: number
  readonly route: string
}

/** Backends that share a limit, and clients that ask again at once. */
const simulation = (backends: Record<string, Backend>, settings: Partial<Settings> = {}) => {
  const limit = new Limit({ min: 4, max: 1000, initial: 20, tolerance: 1.5, ...settings })
  const draws = Seeded.make(1)
  const random = () => draws.below(1e9) / 1e9
  const flights: Array<Flight> = []
  let now = 0
  const fill = (): void => {
    // By turns, so that none has all the places.
    for (let isOn = true; isOn; ) {
      isOn = false
      for (const [route, backend] of Object.entries(backends)) {
        const { capacity, clients, inFlight = 0, millis, noise = 0 } = backend
        if (flights.length >= limit.current || inFlight >= clients) continue
        isOn = true
        backend.inFlight = inFlight + 1
        const factor = 1 - noise - noise * Math.log(1 - random())
        flights.push({ at: now + millis * factor * Math.max(1, backend.inFlight / capacity), began: now, route })
        limit.begin(flights.length)
      }
    }
  }
  /** Runs for so many seconds: how many were served in each, by route, and the most and the least in flight. */
  const run = (seconds: number) => {
    const end = now + seconds * 1000
    const served: Record<string, number> = {}
    let [most, least] = [0, Number.POSITIVE_INFINITY]
    for (;;) {
      fill()
      most = Math.max(most, flights.length)
      least = Math.min(least, flights.length)
      const next = flights.reduce((first, flight) => (flight.at < first.at ? flight : first))
      if (next.at > end) break
      now = next.at
      flights.splice(flights.indexOf(next), 1)
      const backend = backends[next.route] as Backend
      backend.inFlight = (backend.inFlight ?? 1) - 1
      served[next.route] = (served[next.route] ?? 0) + 1 / seconds
      limit.sample(next.route, next.began, now, random)
    }
    return { served, most, least }
  }
  return { limit, run }
}

const within = (value: number, low: number, high: number, what: string) =>
  assert.isTrue(value >= low && value <= high, `${what}: ${value} is not within ${low} and ${high}`)

describe("with 200 clients", () => {
  it.each<[capacity: number, millis: number, noise: number, initial: number]>([
    [20, 20, 0, 20],
    [20, 20, 0, 4],
    [20, 20, 0, 500],
    [20, 20, 0.5, 20],
    [5, 50, 0, 20],
    [5, 50, 0.5, 20],
    [100, 20, 0, 20],
    [100, 200, 0, 20],
    [20, 1000, 0, 20]
  ])("a backend for %s, that takes %s ms, with noise of %s, from %s", (capacity, millis, noise, initial) => {
    const backend = { clients: 200, capacity, millis, noise }
    const { run } = simulation({ one: backend }, { initial })
    run(60)
    const { most, served } = run(40)
    // With all in flight it would be up to 40 times as many.
    within(most, capacity, capacity * 3, "in flight")
    // It is nearly as busy as it can be; probes and noise cost a little.
    within(served.one ?? 0, ((capacity * 1000) / millis) * 0.85, ((capacity * 1000) / millis) * 1.1, "served")
  })
})

it("it falls with a backend that can do less, and comes back with it", () => {
  const backend = { clients: 200, capacity: 40, millis: 50 }
  const { run } = simulation({ one: backend })
  run(30)
  within(run(10).most, 40, 90, "at first")
  backend.capacity = 8
  run(10)
  within(run(20).most, 8, 24, "while it can do less")
  backend.capacity = 40
  run(35)
  within(run(10).most, 40, 90, "afterwards")
})

it("a backend that becomes slower, not smaller, is used in full again", () => {
  const backend = { clients: 200, capacity: 20, millis: 20 }
  const { run } = simulation({ one: backend })
  run(30)
  backend.millis = 100
  run(40)
  within(run(20).served.one ?? 0, 180, 201, "served")
})

it("with few clients it does not grow, and takes nearly nothing away from them", () => {
  const { limit, run } = simulation({ one: { clients: 10, capacity: 100, millis: 50 } })
  within(run(120).served.one ?? 0, 198, 200, "served")
  within(limit.current, 10, 25, "the limit")
})

it("slow and fast routes do not hold one another back", () => {
  const { run } = simulation({
    fast: { clients: 10, capacity: 50, millis: 5 },
    slow: { clients: 30, capacity: 50, millis: 500 }
  })
  run(60)
  const { served } = run(40)
  within(served.fast ?? 0, 1900, 2000, "fast")
  within(served.slow ?? 0, 55, 60, "slow")
})

it("the bounds hold", () => {
  const bounds = { min: 10, max: 30 }
  assert.strictEqual(simulation({ one: { clients: 100, capacity: 1000, millis: 50 } }, bounds).run(60).most, 30)
  const low = simulation({ one: { clients: 100, capacity: 1, millis: 50 } }, bounds)
  low.run(60)
  within(low.run(20).least, 9, 30, "at the lower bound, with one that has just ended")
})
