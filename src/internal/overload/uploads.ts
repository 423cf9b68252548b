/**
 * Handlers that wait for the bodies of their requests: they take no place meanwhile, and how slowly a client sends is no latency.
 *
 * ```ts
 * const work = uploads.begin(request, now)
 * uploads.waiting(() => now) // how many wait
 * ```
 *
 * Else a few clients that send a byte now and then would hold all places. When its body has come a handler goes on at once, above the
 * limit too.
 */

/** A request of an engine that can say so. */
export interface Incoming {
  /** "awaited": its handler waits for bytes that the client has not sent; "complete": there are none to come. */
  readonly bodyState?: "complete" | "awaited" | "here"
}

/** A request that is handled. */
export interface Work {
  /** Since when it could go on, in milliseconds. */
  began: number
}

/** Those of a gate. */
export class Uploads {
  private readonly all = new Map<Work, Incoming>()

  /** One is handled from now on. */
  begin(request: Incoming, now: number): Work {
    const work: Work = { began: now }
    if ((request.bodyState ?? "complete") !== "complete") this.all.set(work, request)
    return work
  }

  end(work: Work): void {
    this.all.delete(work)
  }

  /** How many wait for their clients. */
  waiting(clock: () => number): number {
    if (this.all.size === 0) return 0
    const now = clock()
    let count = 0
    for (const [work, { bodyState }] of this.all) {
      if (bodyState === "complete") this.all.delete(work)
      else if (bodyState === "awaited") {
        work.began = now
        count++
      }
    }
    return count
  }
}
