/**
 * The body of an event stream: what is sent beside the events, and when it ends.
 *
 * ```ts
 * const bytes = body(frames, { keepAlive: Duration.seconds(15), opening, farewell })
 * ```
 *
 * The events are pulled in a fiber of their own, one pull at a time and only when the client has taken what came before, so that
 * something can be sent while there is none: the opening, when nothing has come for 100 ms; a comment, when nothing was sent for
 * `keepAlive`; the farewell, when the server begins to stop.
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Draining } from "../lifecycle/draining.ts"
import { comment } from "./event.ts"

/** What is sent beside the events. */
export interface Options {
  readonly keepAlive: Duration.Duration
  readonly opening: Uint8Array
  readonly farewell: Uint8Array
}

/** Cuts the connection of the event stream that the fiber feeds, if it does, even while its client reads nothing. */
export const Cut = Context.Reference<() => void>("effect-web/Sse/Cut", { defaultValue: () => () => {} })

type Frames = NonEmptyReadonlyArray<Uint8Array>

/** What there is to do: the watchers say it, the feed does it. */
class Line {
  isOpen = false
  isOver = false
  mustOpen = false
  mustBeat = false
  mustLeave = false
  /** When something was sent last. */
  sent = 0
  now: () => number = () => 0
  cut: () => void = () => {}
  private readonly opening: Uint8Array
  private isWoken = false
  private resume: ((effect: Effect.Effect<void>) => void) | undefined

  constructor(opening: Uint8Array) {
    this.opening = opening
  }

  /** Sends the frames, the first time behind the opening, which is sent alone where there are none. */
  send(...frames: ReadonlyArray<Uint8Array>): Effect.Effect<Frames> {
    const all = this.isOpen ? frames : [this.opening, ...frames]
    this.isOpen = true
    this.mustBeat = false
    this.sent = this.now()
    // Nobody sends nothing once it is open.
    return Effect.succeed(all as unknown as Frames)
  }

  wake(): void {
    this.isWoken = true
    const { resume } = this
    this.resume = undefined
    resume?.(Effect.void)
  }

  /** To be called before anything is looked at: what happens from then on wakes. */
  look(): void {
    this.isWoken = false
  }

  readonly woken = Effect.callback<void>((resume) => {
    if (this.isWoken) resume(Effect.void)
    else this.resume = resume
  })
}

/** The body of the frames. */
export const body = <E>(frames: Stream.Stream<Uint8Array, E>, options: Options): Stream.Stream<Uint8Array, E> =>
  Stream.suspend(() => {
    const line = new Line(options.opening)
    const fed = Stream.provideService(frames, Cut, () => line.cut())
    return Stream.transformPull(fed, (pull, scope) =>
      Effect.withFiber((fiber) => {
        const clock = fiber.getRef(Clock.Clock)
        line.now = () => clock.currentTimeMillisUnsafe()
        line.sent = line.now()
        line.cut = () => fiber.interruptUnsafe()
        const watchers = [opening(line), beating(line, options.keepAlive), leaving(line, fiber.getRef(Draining))]
        const watched = Effect.forEach(watchers, (watcher) => Effect.forkIn(watcher, scope, { startImmediately: true }))
        return Effect.as(watched, feed(line, pull, scope, options.farewell))
      })
    )
  })

// Each pull gives what came of the events, or what else there is to send.
const feed = <E>(
  line: Line,
  pull: Pull.Pull<Frames, E>,
  scope: Scope.Scope,
  farewell: Uint8Array
): Pull.Pull<Frames, E> => {
  let pulling: Fiber.Fiber<Frames, E | Cause.Done> | undefined
  const begin = Effect.map(Effect.forkIn(pull, scope, { startImmediately: true }), (fiber) => {
    pulling = fiber
    fiber.addObserver(() => line.wake())
  })
  const step = Effect.suspend((): Pull.Pull<Frames, E> => {
    if (line.isOver) return Cause.done()
    line.look()
    const exit = pulling?.pollUnsafe()
    if (exit !== undefined) pulling = undefined
    if (exit !== undefined && Exit.isFailure(exit)) {
      if (line.isOpen || !Pull.isDoneCause(exit.cause)) return exit
      line.isOver = true
      return line.send()
    }
    const frames = exit?.value ?? []
    if (line.mustLeave) {
      line.isOver = true
      return line.send(...frames, farewell)
    }
    if (frames.length > 0) return line.send(...frames)
    if (line.mustOpen && !line.isOpen) return line.send()
    if (line.mustBeat) return line.isOpen ? line.send(comment.bytes) : line.send()
    return Effect.flatMap(pulling === undefined ? begin : line.woken, () => step)
  })
  return step
}

// By the real clock: a client in a test waits for the head, and no test would think of letting time pass for it.
const grace = (millis: number): Effect.Effect<void> =>
  Effect.provideService(Effect.sleep(millis), Clock.Clock, Clock.Clock.defaultValue())

const opening = (line: Line): Effect.Effect<void> =>
  Effect.map(grace(100), () => {
    line.mustOpen = true
    line.wake()
  })

const beating = (line: Line, keepAlive: Duration.Duration): Effect.Effect<void> => {
  if (!Duration.isFinite(keepAlive)) return Effect.void
  const loop: Effect.Effect<void> = Effect.suspend(() => {
    const rest = line.sent + Duration.toMillis(keepAlive) - line.now()
    if (rest > 0) return Effect.flatMap(Effect.sleep(rest), () => loop)
    line.mustBeat = true
    line.sent = line.now()
    line.wake()
    return loop
  })
  return loop
}

// A client that reads nothing would not take the farewell, and hold the server.
const leaving = (line: Line, draining: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.andThen(
    draining,
    Effect.suspend(() => {
      line.mustLeave = true
      line.wake()
      return Effect.map(grace(1000), () => line.cut())
    })
  )
