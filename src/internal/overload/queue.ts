/**
 * Who waits: by priority, then every key in its turn, so that none waits for the many of another.
 *
 * ```ts
 * const waiter = queue.add("ada", 1) // undefined when there is no room
 * queue.next(false)?.wake()
 * ```
 */

/** Someone who waits. */
export interface Waiter {
  readonly key: string
  /** The higher the sooner. */
  readonly level: number
  state: "waiting" | "in" | "out"
  wake: () => void
}

type Keys = Map<string, Array<Waiter>>

/** A queue of so many levels. */
export class FairQueue {
  size = 0
  // A key that had its turn goes to the end of its level.
  private readonly levels: ReadonlyArray<Keys>

  constructor(levels: number) {
    this.levels = Array.from({ length: levels }, () => new Map())
  }

  /**
   * Takes one in. With no room the last one of a lower level, or of a key with more in the queue than this one has, makes room and is
   * woken.
   */
  add(key: string, level: number, room: number): Waiter | undefined {
    if (this.size >= room && !this.yields(key, level)) return undefined
    const waiter: Waiter = { key, level, state: "waiting", wake: () => {} }
    const keys = this.levels[level] as Keys
    const row = keys.get(key)
    if (row === undefined) keys.set(key, [waiter])
    else row.push(waiter)
    this.size++
    return waiter
  }

  /** Takes the next one out: of its key the first, or the last that came where waiting has become long. */
  next(isLate: boolean): Waiter | undefined {
    for (let level = this.levels.length - 1; level >= 0; level--) {
      const keys = this.levels[level] as Keys
      for (const [key, row] of keys) {
        const waiter = (isLate ? row.at(-1) : row[0]) as Waiter
        this.remove(waiter)
        if (keys.delete(key) && row.length > 0) keys.set(key, row)
        waiter.state = "in"
        return waiter
      }
    }
    return undefined
  }

  /** One waits no longer. */
  remove(waiter: Waiter): void {
    const keys = this.levels[waiter.level] as Keys
    const row = keys.get(waiter.key)
    const at = row === undefined ? -1 : row.lastIndexOf(waiter)
    if (row === undefined || at === -1) return
    row.splice(at, 1)
    if (row.length === 0) keys.delete(waiter.key)
    this.size--
  }

  private yields(key: string, level: number): boolean {
    const lowest = this.levels.findIndex((keys) => keys.size > 0)
    if (lowest === -1 || lowest > level) return false
    const keys = this.levels[lowest] as Keys
    let longest: Array<Waiter> = []
    for (const row of keys.values()) if (row.length > longest.length) longest = row
    const own = keys.get(key)?.length ?? 0
    // Of two with as many none pushes the other out.
    if (lowest === level && longest.length <= own + 1) return false
    const last = longest.at(-1) as Waiter
    this.remove(last)
    last.state = "out"
    last.wake()
    return true
  }
}
