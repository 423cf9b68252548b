/**
 * A generator of numbers that gives the same ones each time: what a test finds with a seed, it finds again.
 */

/** Picks from a seed. */
export interface Seeded {
  /** A whole number from 0 to below `limit`. */
  readonly below: (limit: number) => number
  readonly pick: <A>(all: ReadonlyArray<A>) => A
  readonly chance: (probability: number) => boolean
}

/** Mulberry32: 32 bits of state, good enough to choose rows of a test. */
export const make = (seed: number): Seeded => {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return { below, pick: (all) => all[below(all.length)]!, chance: (probability) => next() < probability }
}
