/**
 * Finds out that a peer is gone where nothing tells: a ping after a silence, and the end when half as long again nothing came.
 *
 * ```ts
 * const stop = Heartbeat.watch(line, Duration.seconds(30), clock)
 * ```
 *
 * Any byte is a sign of life, and so is that the peer takes what waits for it: the ping waits behind that. While nothing is read, because
 * the handler is slow, silence means nothing. All connections with one interval have one fiber, which looks at them when the first is due;
 * where many are, up to a 64th of the interval later.
 *
 * @source aiohttp.web.WebSocketResponse (heartbeat)
 * @spec RFC 6455 §5.5.2
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Line } from "./line.ts"

const pulses = new WeakMap<Clock.Clock, Map<number, Pulse>>()

/** Watches over a connection, until what it gives is called. */
export const watch = (line: Line, interval: Duration.Duration, clock: Clock.Clock): (() => void) => {
  if (line.wire.ping === undefined) return () => {}
  const silence = Duration.toMillis(interval)
  const all = pulses.get(clock) ?? new Map<number, Pulse>()
  pulses.set(clock, all)
  const pulse = all.get(silence) ?? new Pulse(clock, silence)
  all.set(silence, pulse)
  pulse.add(line)
  return () => pulse.remove(line)
}

/** When a connection is looked at next, the signs of life that it had given when it was asked for one, and what it had taken. */
interface Watched {
  due: number
  asked: number | undefined
  taken: number | undefined
}

/** The connections with one interval, in milliseconds, by one clock. */
class Pulse {
  private readonly clock: Clock.Clock
  private readonly silence: number
  private readonly lines = new Map<Line, Watched>()
  private fiber: Fiber.Fiber<unknown> | undefined

  constructor(clock: Clock.Clock, silence: number) {
    this.clock = clock
    this.silence = silence
  }

  add(line: Line): void {
    line.clock = this.clock
    line.alive()
    // Never before those that are here: nobody has to be woken.
    this.lines.set(line, { due: line.heard + this.silence, asked: undefined, taken: undefined })
    this.fiber ??= Effect.runForkWith(Context.make(Clock.Clock, this.clock))(this.beating)
  }

  remove(line: Line): void {
    this.lines.delete(line)
    if (this.lines.size > 0) return
    this.fiber?.interruptUnsafe()
    this.fiber = undefined
  }

  private readonly beating = Effect.forever(
    Effect.suspend(() => {
      const now = this.clock.currentTimeMillisUnsafe()
      let next = Number.POSITIVE_INFINITY
      for (const { due } of this.lines.values()) next = Math.min(next, due)
      return Effect.map(Effect.sleep(Math.max(next - now, this.silence / 64)), () => this.look())
    })
  )

  private look(): void {
    const now = this.clock.currentTimeMillisUnsafe()
    for (const [line, watched] of this.lines) if (watched.due <= now) this.check(line, watched, now)
  }

  private check(line: Line, watched: Watched, now: number): void {
    line.onLook?.()
    const { asked } = watched
    watched.asked = undefined
    watched.due = line.heard + this.silence
    if (asked === line.signs && !line.inbox.isPaused) {
      if (isTaking(line, watched)) this.ask(line, watched, now)
      else line.wire.terminate()
    } else if (watched.due <= now) {
      this.ask(line, watched, now)
      line.wire.ping?.()
    }
  }

  private ask(line: Line, watched: Watched, now: number): void {
    watched.asked = line.signs
    watched.taken = line.wire.taken()
    watched.due = now + this.silence / 2
  }
}

// Of what waited when it was asked some has gone, or all: the ping has gone just now, then.
const isTaking = ({ wire }: Line, { taken }: Watched): boolean => taken !== undefined && wire.taken() !== taken
