/**
 * Finds out that a peer is gone where nothing tells: a ping after a silence, and the end when half as long again nothing came.
 *
 * ```ts
 * yield* Effect.forkScoped(Heartbeat.run(wire, line, Duration.seconds(30)))
 * ```
 *
 * Any byte is a sign of life. While nothing is read, because the handler is slow, silence means nothing.
 *
 * @source aiohttp.web.WebSocketResponse (heartbeat)
 * @spec RFC 6455 §5.5.2
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Line } from "./line.ts"
import type { Wire } from "./wire.ts"

/** Runs until it is interrupted. */
export const run = (
  { ping, terminate }: Wire,
  { inbox, onAlive }: Line,
  interval: Duration.Duration
): Effect.Effect<void> =>
  Effect.clockWith((clock) => {
    if (ping === undefined) return Effect.void
    const now = () => clock.currentTimeMillisUnsafe()
    const silence = Duration.toMillis(interval)
    let heard = now()
    let signs = 0
    onAlive(() => {
      heard = now()
      signs++
    })
    const round = Effect.suspend(() => {
      const left = heard + silence - now()
      if (left > 0) return Effect.sleep(left)
      const before = signs
      ping()
      return Effect.map(Effect.sleep(silence / 2), () => {
        if (signs === before && !inbox.isPaused()) terminate()
      })
    })
    return Effect.forever(round)
  })
