/**
 * Texts of a time that change once a second.
 *
 * ```ts
 * const hour = perSecond((second) => new Date(second * 1000).toISOString().slice(11, 13))
 * hour(clock.currentTimeMillisUnsafe())
 * ```
 */

/** Computes the text of a second once; gives it for milliseconds since 1970. */
export const perSecond = (text: (second: number) => string): ((millis: number) => string) => {
  let [last, made] = [Number.NaN, ""]
  return (millis) => {
    const second = Math.floor(millis / 1000)
    if (second !== last) {
      last = second
      made = text(second)
    }
    return made
  }
}
