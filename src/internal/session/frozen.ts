/**
 * Data that nobody can change, so that it need not be read anew for everyone who asks.
 *
 * ```ts
 * frozen({ count: 1, tags: ["a"] }) // true, and from now on a TypeError for who writes to it
 * frozen({ since: new Date() }) // false: a Date can be set
 * ```
 */

/** Freezes plain objects and arrays, all the way down. False where something in it can still be changed. */
export const frozen = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return typeof value !== "function"
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return false
  Object.freeze(value)
  let all = true
  for (const key of Reflect.ownKeys(value)) if (!frozen(Reflect.get(value, key))) all = false
  return all
}
