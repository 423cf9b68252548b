/**
 * Who of several processes carries out a request: the one that wrote its record first, for as long as it gives signs of life.
 *
 * ```ts
 * const claimed = yield* claims.claim(call, deadline, restore) // a version: it is ours; or what it came to
 * ```
 *
 * A claim lapses when its process dies. Nobody knows then whether the work was done: the next that comes does it again.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import type { RecordStore, Stored } from "../../RecordStore.ts"
import type { Kept } from "./answer.ts"
import * as Failure from "./failure.ts"

/** A request: two that are the same have the same fingerprint. */
export interface Call {
  readonly key: string
  readonly fingerprint: string
}

/** How long things take, in milliseconds. */
export interface Times {
  /** An answer is kept. */
  readonly expires: number
  /** A second request waits for the first. */
  readonly wait: number
  /** A claim holds without a sign of life. */
  readonly lease: number
}

/** What is in a record: `kept` when it is over. */
interface Claim {
  readonly fingerprint: string
  readonly kept?: Kept
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Claims in a store. */
export const make = <E, R>(store: RecordStore<E, R>, times: Times) => {
  const write = ({ fingerprint, key }: Call, expected: string | undefined, kept?: Kept) => {
    const claim: Claim = kept === undefined ? { fingerprint } : { fingerprint, kept }
    const expiresIn = Duration.millis(kept === undefined ? times.lease : times.expires)
    return store.put(key, JSON.stringify(claim), { expected, expiresIn })
  }
  return {
    /** Claims the request, to be called where nothing interrupts; or waits for what it comes to elsewhere. */
    claim: (call: Call, deadline: number, restore: Restore) => claim(store, write, call, deadline, restore),
    /** Gives signs of life until it is stopped, which gives the version of the claim. */
    hold: (call: Call, version: string) => hold(write, call, version, times.lease / 3),
    /** Ends a claim: with what is kept, or so that the next one that comes carries it out. What fails here is only logged. */
    settle: (call: Call, version: string, kept: Kept | undefined) => {
      if (kept === undefined) return logged(store.remove(call.key, { expected: version }))
      const tried = Effect.retry(write(call, version, kept), { times: 2 })
      return logged(Effect.tap(tried, (written) => (written === undefined ? lost : Effect.void)))
    }
  }
}

type Write<E, R> = (call: Call, expected: string | undefined, kept?: Kept) => Effect.Effect<string | undefined, E, R>

const claim = Effect.fnUntraced(function* <E, R>(
  store: RecordStore<E, R>,
  write: Write<E, R>,
  call: Call,
  deadline: number,
  restore: Restore
) {
  for (let pause = 25; ; pause = Math.min(2 * pause, 500)) {
    const found = yield* restore(store.get(call.key))
    const there = parse(found)
    if (there === undefined) {
      const version = yield* write(call, found?.version)
      if (version !== undefined) return version
      continue
    }
    if (there.fingerprint !== call.fingerprint) return yield* reused()
    if (there.kept !== undefined) return there.kept
    const left = deadline - (yield* Clock.currentTimeMillis)
    if (left <= 0) return yield* inProgress()
    yield* restore(Effect.sleep(Duration.millis(Math.min(pause, left))))
  }
})

// What is no claim is as good as nothing, and is written over.
const parse = (found: Stored | undefined): Claim | undefined => {
  if (found === undefined) return undefined
  try {
    const claim: unknown = JSON.parse(found.value)
    return Predicate.hasProperty(claim, "fingerprint") ? (claim as unknown as Claim) : undefined
  } catch {
    return undefined
  }
}

const hold = Effect.fnUntraced(function* <E, R>(write: Write<E, R>, call: Call, first: string, pause: number) {
  let version = first
  const renew = Effect.catchCause(
    Effect.suspend(() => write(call, version)),
    (cause) => Effect.as(Effect.logWarning("A claim could not be renewed", cause), version)
  )
  const renewed = Effect.map(renew, (next) => {
    version = next ?? version
    return next !== undefined
  })
  // A write is not interrupted: its version would be unknown then.
  const beat = Effect.andThen(Effect.sleep(Duration.millis(pause)), Effect.uninterruptible(renewed))
  const beats = Effect.andThen(Effect.repeat(beat, { while: (isOurs) => isOurs }), lost)
  const fiber = yield* Effect.forkChild(beats)
  return Effect.map(Fiber.interrupt(fiber), () => version)
})

const lost = Effect.logWarning("A claim was lost while its request was carried out: another process may do it again")

const logged = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.catchCause(Effect.asVoid(effect), (cause) =>
    Effect.logWarning("What a request came to could not be kept: it may be carried out again", cause)
  )

/** The failure of a key that was used for another request. */
export const reused = () =>
  new Failure.KeyReused({ text: "The Idempotency-Key was used for a request with another method, target or body" })

/** The failure of one who has waited long enough. */
export const inProgress = () =>
  new Failure.InProgress({ text: "The first request with this key is still being carried out" })
