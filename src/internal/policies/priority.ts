/**
 * `Route.priority`: who is refused first when there is too much to do.
 */
import * as Policy from "./policy.ts"

/** From what is never refused to what is refused first. */
export type Priority = "critical" | "high" | "normal" | "sheddable"

const all: ReadonlyArray<Priority> = ["critical", "high", "normal", "sheddable"]

/**
 * How much a route matters when the server is overloaded, for `Overload`:
 *
 * - "critical": never refused, never waits and is not counted, as what asks for the health of the server; keep those few and cheap
 * - "high", "normal" (the default), "sheddable": of those that wait the higher is next, and the lower makes room for it
 *
 * Without an `Overload` around the route it does nothing.
 */
export const priority = (priority: Priority): Policy.Policy => {
  if (all.includes(priority)) return Policy.make("priority", priority)
  const names = all.map((name) => `"${name}"`).join(", ")
  throw new TypeError(`Route.priority: ${JSON.stringify(priority)} is none; write one of ${names}`)
}
