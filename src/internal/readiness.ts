/**
 * Whether the server may be given requests: what readiness probes ask.
 *
 * ```ts
 * const reason = (yield* Unready)()
 * ```
 */
import * as Context from "effect/Context"

/** Why the server shall be given no more requests; undefined when it may. Under other engines it always may. */
export const Unready = Context.Reference<() => string | undefined>("effect-web/Unready", {
  defaultValue: () => () => undefined
})
