/**
 * Records in memory, within bounds.
 *
 * ```ts
 * const store = make({ capacity: 1000 })
 * ```
 *
 * A heap has the records by when they expire. What was overwritten or removed stays in it until it comes up, or is half of it. When
 * there is no room, what goes first is not what expires soonest: a claim of half a minute may be worth more than an answer of a day.
 */
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { MemoryOptions, RecordStore } from "../../RecordStore.ts"
import * as ByteLimit from "../byteLimit.ts"
import { type Expiring, Heap } from "../heap.ts"
import { notShared } from "../lifecycle/neighbours.ts"
import { milliseconds } from "./expiry.ts"

interface Entry extends Expiring {
  readonly key: string
  readonly value: string
  readonly version: string
}

const alone = notShared("RecordStore.memory keeps records", "take RecordStore.redis or RecordStore.sql")

/** Makes a store. */
export const make = (options: MemoryOptions): RecordStore => {
  const { capacity = 100_000 } = options
  if (!(capacity >= 1))
    throw new TypeError(`RecordStore.memory: a capacity of ${capacity} holds nothing; give 1 or more`)
  const size = options.size === undefined ? ByteSize.mebibytes(64) : ByteLimit.parse(options.size)
  const records = new Records(capacity, Number(size))
  return {
    get: (key) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const entry = records.use(key, now)
        return entry === undefined ? undefined : { value: entry.value, version: entry.version }
      }),
    put: (key, value, { expected, expiresIn }) =>
      Effect.map(Effect.andThen(alone, Clock.currentTimeMillis), (now) => {
        if (records.find(key, now)?.version !== expected) return undefined
        return records.set(key, value, now, now + milliseconds(expiresIn))
      }),
    remove: (key, { expected } = {}) =>
      Effect.sync(() => {
        if (expected === undefined || records.version(key) === expected) records.delete(key)
      })
  }
}

/** Records in the order of their use, and what they take. */
class Segment {
  readonly entries = new Map<string, Entry>()
  size = 0

  add(entry: Entry): void {
    this.entries.set(entry.key, entry)
    this.size += sizeOf(entry)
  }

  delete(entry: Entry): void {
    this.entries.delete(entry.key)
    this.size -= sizeOf(entry)
  }
}

class Records {
  /** Those that nobody has asked for since they came, as of visitors that never come back, and the others. */
  private readonly fresh = new Segment()
  private readonly used = new Segment()
  private readonly heap = new Heap<Entry>()
  private count = 0
  private readonly capacity: number
  private readonly bytes: number

  constructor(capacity: number, bytes: number) {
    this.capacity = capacity
    this.bytes = bytes
  }

  /** The record, which counts as used. */
  use(key: string, now: number): Entry | undefined {
    const entry = this.find(key, now)
    if (entry === undefined) return undefined
    this.segmentOf(key).delete(entry)
    this.used.add(entry)
    return entry
  }

  find(key: string, now: number): Entry | undefined {
    const entry = this.at(key)
    if (entry === undefined || entry.expires > now) return entry
    this.delete(key)
    return undefined
  }

  version(key: string): string | undefined {
    return this.at(key)?.version
  }

  delete(key: string): void {
    const entry = this.at(key)
    if (entry === undefined) return
    this.segmentOf(key).delete(entry)
    const entries = this.fresh.entries.size + this.used.entries.size
    if (this.heap.size > 2 * entries + 64) {
      this.heap.replace([...this.fresh.entries.values(), ...this.used.entries.values()])
    }
  }

  /** Gives the version. */
  set(key: string, value: string, now: number, expires: number): string {
    const segment = this.segmentOf(key)
    this.delete(key)
    const count = ++this.count
    const entry = { key, value, version: String(count), count, expires }
    this.expire(now)
    this.makeRoom(sizeOf(entry))
    segment.add(entry)
    this.heap.push(entry)
    return entry.version
  }

  private at(key: string): Entry | undefined {
    return this.fresh.entries.get(key) ?? this.used.entries.get(key)
  }

  private segmentOf(key: string): Segment {
    return this.used.entries.has(key) ? this.used : this.fresh
  }

  private expire(now: number): void {
    for (let first = this.heap.top; first !== undefined; first = this.heap.top) {
      const isThere = this.at(first.key) === first
      if (isThere && first.expires > now) return
      this.heap.pop()
      if (isThere) this.delete(first.key)
    }
  }

  // Those that nobody has asked for go as long as they are half of it.
  private makeRoom(needed: number): void {
    const { bytes, capacity, fresh, used } = this
    while (fresh.entries.size + used.entries.size >= capacity || fresh.size + used.size + needed > bytes) {
      const isHalf = 2 * fresh.entries.size >= capacity || 2 * fresh.size >= bytes
      const [first, second] = isHalf ? [fresh, used] : [used, fresh]
      const [oldest] = first.entries.size > 0 ? first.entries.values() : second.entries.values()
      if (oldest === undefined) return
      this.delete(oldest.key)
    }
  }
}

const sizeOf = ({ key, value }: Entry): number => 2 * (key.length + value.length)
