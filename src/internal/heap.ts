/**
 * What expires, with what expires soonest at the top.
 *
 * ```ts
 * const heap = new Heap<Entry>()
 * heap.push(entry)
 * if ((heap.top?.expires ?? now) < now) heap.pop()
 * ```
 */

/** What expires; of those that do at one time the one with the smaller number comes first. */
export interface Expiring {
  /** In milliseconds since 1970. */
  readonly expires: number
  readonly count: number
}

/** A binary heap. */
export class Heap<A extends Expiring> {
  private items: Array<A> = []

  get top(): A | undefined {
    return this.items[0]
  }

  get size(): number {
    return this.items.length
  }

  /** Has these instead. A sorted array is a heap. */
  replace(items: Iterable<A>): void {
    this.items = [...items].sort(compare)
  }

  push(item: A): void {
    const { items } = this
    let at = items.length
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = items[parent] as A
      if (compare(above, item) < 0) break
      items[at] = above
      at = parent
    }
    items[at] = item
  }

  pop(): void {
    const { items } = this
    const item = items.pop()
    const { length } = items
    if (item === undefined || length === 0) return
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && compare(items[child + 1] as A, items[child] as A) < 0) child++
      const below = items[child] as A
      if (compare(below, item) > 0) break
      items[at] = below
      at = child
    }
    items[at] = item
  }
}

const compare = (a: Expiring, b: Expiring): number => a.expires - b.expires || a.count - b.count
