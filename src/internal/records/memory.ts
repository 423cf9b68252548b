/**
 * Records in memory, within bounds.
 *
 * ```ts
 * const store = make({ capacity: 1000 })
 * ```
 *
 * A heap has the records by when they expire. What was overwritten or removed stays in it until it comes up, or is half of it.
 */
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { MemoryOptions, RecordStore } from "../../RecordStore.ts"
import * as ByteLimit from "../byteLimit.ts"
import { milliseconds } from "./expiry.ts"

interface Entry {
  readonly key: string
  readonly value: string
  readonly version: string
  readonly count: number
  /** In milliseconds since 1970, by the Clock. */
  readonly expires: number
}

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
        const entry = records.get(key, now)
        return entry === undefined ? undefined : { value: entry.value, version: entry.version }
      }),
    put: (key, value, { expected, expiresIn }) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (records.get(key, now)?.version !== expected) return undefined
        return records.set(key, value, now, now + milliseconds(expiresIn))
      }),
    remove: (key, { expected } = {}) =>
      Effect.sync(() => {
        if (expected === undefined || records.version(key) === expected) records.delete(key)
      })
  }
}

class Records {
  private readonly entries = new Map<string, Entry>()
  private heap: Array<Entry> = []
  private size = 0
  private count = 0
  private readonly capacity: number
  private readonly bytes: number

  constructor(capacity: number, bytes: number) {
    this.capacity = capacity
    this.bytes = bytes
  }

  get(key: string, now: number): Entry | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined || entry.expires > now) return entry
    this.delete(key)
    return undefined
  }

  version(key: string): string | undefined {
    return this.entries.get(key)?.version
  }

  delete(key: string): void {
    const entry = this.entries.get(key)
    if (entry === undefined) return
    this.entries.delete(key)
    this.size -= sizeOf(entry)
    if (this.heap.length > 2 * this.entries.size + 64) this.compact()
  }

  /** Gives the version. */
  set(key: string, value: string, now: number, expires: number): string {
    this.delete(key)
    const count = ++this.count
    const entry = { key, value, version: String(count), count, expires }
    this.makeRoom(sizeOf(entry), now)
    this.entries.set(key, entry)
    this.size += sizeOf(entry)
    push(this.heap, entry)
    return entry.version
  }

  // What has expired goes in any case, what has not only for want of room.
  private makeRoom(needed: number, now: number): void {
    for (let first = this.heap[0]; first !== undefined; first = this.heap[0]) {
      const isThere = this.entries.get(first.key) === first
      const isFull = this.entries.size >= this.capacity || this.size + needed > this.bytes
      if (isThere && first.expires > now && !isFull) return
      pop(this.heap)
      if (isThere) this.delete(first.key)
    }
  }

  // A sorted array is a heap.
  private compact(): void {
    this.heap = [...this.entries.values()].sort(compare)
  }
}

// Of those that expire at one time the older comes first.
const compare = (a: Entry, b: Entry): number => a.expires - b.expires || a.count - b.count

const sizeOf = ({ key, value }: Entry): number => 2 * (key.length + value.length)

const push = (heap: Array<Entry>, entry: Entry): void => {
  let at = heap.length
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent] as Entry
    if (compare(above, entry) < 0) break
    heap[at] = above
    at = parent
  }
  heap[at] = entry
}

const pop = (heap: Array<Entry>): void => {
  const entry = heap.pop() as Entry
  const length = heap.length
  if (length === 0) return
  let at = 0
  for (let child = 1; child < length; child = 2 * at + 1) {
    if (child + 1 < length && compare(heap[child + 1] as Entry, heap[child] as Entry) < 0) child++
    const below = heap[child] as Entry
    if (compare(below, entry) > 0) break
    heap[at] = below
    at = child
  }
  heap[at] = entry
}
