/**
 * The time until which a request has to be answered, as a value of its fibers, and what ends when it is over.
 *
 * ```ts
 * const limited = until(work, Duration.seconds(5), () => Effect.fail(new Exceeded()))
 * ```
 *
 * Unlike `Effect.timeout`: what is interrupted because the client left knows why, and what ends at once costs no timer.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { Handler } from "../../Handler.ts"
import * as HttpError from "../../HttpError.ts"
import * as FileBody from "../files/body.ts"

/**
 * The time that the request had is over. It is 503 and not 504: this server took too long, whoever it waited for.
 *
 * @spec RFC 9110 §15.6.4
 */
export class Exceeded extends HttpError.define<Exceeded>()("DeadlineExceeded", { status: 503 }) {}

/** Until when, in nanoseconds of the monotonic clock; undefined where there is no limit. */
export const Until = Context.Reference<bigint | undefined>("effect-web/Deadline", { defaultValue: () => undefined })

/** The time that is left, never below zero. */
export const remaining: Effect.Effect<Duration.Duration | undefined> = Effect.withFiber((fiber) => {
  const until = fiber.getRef(Until)
  if (until === undefined) return Effect.undefined
  return Effect.succeed(left(until, fiber.getRef(Clock.Clock)))
})

const left = (until: bigint, clock: Clock.Clock): Duration.Duration => {
  const nanos = until - clock.monotonicTimeNanosUnsafe()
  return Duration.nanos(nanos < 0n ? 0n : nanos)
}

/** When it will be, unless the request's own time is over before. */
export const earliest = (duration: Duration.Duration): Effect.Effect<bigint | undefined> =>
  Effect.withFiber((fiber) => {
    const own = fiber.getRef(Until)
    if (!Duration.isFinite(duration)) return Effect.succeed(own)
    const then = fiber.getRef(Clock.Clock).monotonicTimeNanosUnsafe() + Duration.toNanosUnsafe(duration)
    return Effect.succeed(own !== undefined && own < then ? own : then)
  })

const text = "The answer took too long"
const exceeded = Effect.suspend(() => Effect.fail(new Exceeded({ text })))

/** Interrupts the effect, and waits for its finalizers, when the time has come. */
export const cut = <A, E, R>(effect: Effect.Effect<A, E, R>, until: bigint): Effect.Effect<A, E | Exceeded, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiber((parent) => {
      const time = left(until, parent.getRef(Clock.Clock))
      if (Duration.isZero(time)) return exceeded
      const own = Effect.provideService(restore(effect), Until, until)
      return Effect.flatMap(Effect.forkChild(own, { startImmediately: true }), (child) => {
        const done = child.pollUnsafe()
        return done ?? watched(child, time, parent.id, restore)
      })
    })
  )

const watched = <A, E>(
  child: Fiber.Fiber<A, E>,
  time: Duration.Duration,
  id: number,
  restore: <B, F, S>(effect: Effect.Effect<B, F, S>) => Effect.Effect<B, F, S>
): Effect.Effect<A, E | Exceeded> => {
  let isLate = false
  const end = Effect.sync(() => {
    isLate = true
    child.interruptUnsafe(id)
  })
  const timed = Effect.forkChild(Effect.interruptible(Effect.andThen(Effect.sleep(time), end)), {
    startImmediately: true
  })
  return Effect.flatMap(timed, (timer) =>
    restore(Fiber.await(child)).pipe(
      Effect.onExit((exit) => (Exit.isSuccess(exit) ? Effect.void : passOn(child, exit.cause, id))),
      Effect.ensuring(Effect.sync(() => timer.interruptUnsafe(id))),
      Effect.flatMap((exit): Effect.Effect<A, E | Exceeded> => {
        const isCut = isLate && Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
        return isCut ? exceeded : exit
      })
    )
  )
}

// That the client left is an annotation of the interruption.
const passOn = <A, E>(child: Fiber.Fiber<A, E>, cause: Cause.Cause<unknown>, id: number): Effect.Effect<unknown> => {
  const why = cause.reasons.find(Cause.isInterruptReason)
  child.interruptUnsafe(id, why && Cause.reasonAnnotations(why))
  return Fiber.await(child)
}

/** As `cut`, for a handler, with the stream that it answers with; a file that is sent has the limits of the connection. */
export const answer = <E, R>(handler: Handler<E, R>, until: bigint): Handler<E | Exceeded, R> =>
  Effect.map(cut(handler, until), (response) => {
    const { body } = response
    if (body?._tag !== "Stream" || FileBody.of(body.stream) !== undefined) return response
    const over = Effect.flatMap(Clock.Clock, (clock) => Effect.sleep(left(until, clock)))
    const limited = Stream.interruptWhen(body.stream, Effect.andThen(over, exceeded)).pipe(
      Stream.provideService(Until, until)
    )
    return HttpServerResponse.setBody(response, HttpBody.stream(limited, body.contentType, body.contentLength))
  })
