/**
 * Runs named checks for probes: all at the same time, each once for all that ask meanwhile.
 *
 * ```ts
 * const results = yield* make([{ name: "db", check: ping }], { cache: 1000, timeout: "2 seconds" })
 * ```
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { OnDrain } from "./draining.ts"
import { perServer } from "./serverMemory.ts"

/** A check and how it is called. */
export interface Named {
  readonly name: string
  readonly check: Effect.Effect<unknown, unknown, unknown>
  readonly timeout?: Duration.Input
  readonly critical?: boolean
}

/** What came of a check, by the words of the draft. */
export interface Result {
  readonly name: string
  readonly status: "pass" | "warn" | "fail"
  readonly time: string
  readonly observedValue: number
  readonly observedUnit: "ms"
  readonly output?: string
}

/** The results of all checks, in their order. */
export type Probe = Effect.Effect<ReadonlyArray<Result>, never, unknown>

interface Slot {
  readonly fiber: Fiber.Fiber<Result>
  /** When its result was there. */
  at: number | undefined
  status: Result["status"]
  /** The check itself, which may go on when its time is up. */
  work: Fiber.Fiber<unknown, unknown> | undefined
}

interface Settings {
  /** In milliseconds. */
  readonly cache: number
  readonly timeout: Duration.Input
}

/** Makes the probe; each server has results of its own. */
export const make = (checks: ReadonlyArray<Named>, settings: Settings): Probe => {
  const memories = new WeakMap<object, Map<string, Slot>>()
  return Effect.flatMap(
    perServer(memories, () => new Map()),
    (slots) => Effect.forEach(checks, (check) => shared(slots, check, settings), { concurrency: "unbounded" })
  )
}

const shared = Effect.fnUntraced(function* (slots: Map<string, Slot>, check: Named, settings: Settings) {
  const now = yield* Clock.currentTimeMillis
  let slot = slots.get(check.name)
  const isOld = slot?.at !== undefined && now - slot.at >= settings.cache
  // One that does not let itself be interrupted is not begun a second time.
  const isStuck = slot?.work !== undefined && slot.work.pollUnsafe() === undefined
  if (slot === undefined || (isOld && !isStuck)) {
    slot = yield* begin(check, settings, slot?.status ?? "pass")
    slots.set(check.name, slot)
  }
  const exit = yield* Fiber.await(slot.fiber)
  // Interrupted, because the server stops.
  return Exit.isSuccess(exit) ? exit.value : yield* result(check.name, "fail", now, "The server stops")
})

// In a fiber of its own: whoever asked first may leave before the others.
const begin = Effect.fnUntraced(function* (check: Named, settings: Settings, before: Result["status"]) {
  const onDrain = yield* OnDrain
  const clock = yield* Clock.Clock
  let slot: Slot | undefined
  const take = (work: Slot["work"]): void => {
    if (slot !== undefined) slot.work = work
  }
  const fiber = yield* Effect.forkDetach(run(check, settings, before, take))
  const begun: Slot = { fiber, at: undefined, status: before, work: undefined }
  slot = begun
  const forget = onDrain(() => fiber.interruptUnsafe())
  fiber.addObserver((exit) => {
    forget()
    begun.at = clock.currentTimeMillisUnsafe()
    if (Exit.isSuccess(exit)) begun.status = exit.value.status
  })
  return begun
})

const run = Effect.fnUntraced(function* (
  { check, critical = true, name, timeout }: Named,
  settings: Settings,
  before: Result["status"],
  take: (work: Fiber.Fiber<unknown, unknown>) => void
) {
  const begun = yield* Clock.currentTimeMillis
  const limit = Duration.fromInputUnsafe(timeout ?? settings.timeout)
  // In a fiber of its own too: what does not let itself be interrupted holds up nobody.
  const fiber = yield* Effect.forkDetach(Effect.scoped(check))
  take(fiber)
  const ended = Effect.timeoutOption(Fiber.await(fiber), limit)
  const exit = yield* Effect.ensuring(
    ended,
    Effect.sync(() => fiber.interruptUnsafe())
  )
  const bad = critical ? "fail" : "warn"
  if (Option.isSome(exit)) {
    if (Exit.isSuccess(exit.value)) {
      if (before !== "pass") yield* Effect.logInfo(`The check "${name}" passes again`)
      return yield* result(name, "pass", begun, undefined)
    }
    if (before === "pass") yield* Effect.logWarning(`The check "${name}" fails`, exit.value.cause)
    return yield* result(name, bad, begun, "failed")
  }
  const output = `took longer than ${Duration.format(limit)}`
  if (before === "pass") yield* Effect.logWarning(`The check "${name}" ${output}`)
  return yield* result(name, bad, begun, output)
})

const result = Effect.fnUntraced(function* (
  name: string,
  status: Result["status"],
  begun: number,
  output: string | undefined
): Effect.fn.Return<Result> {
  const now = yield* Clock.currentTimeMillis
  const time = DateTime.formatIso(DateTime.makeUnsafe(now))
  const found = { name, status, time, observedValue: now - begun, observedUnit: "ms" as const }
  return output === undefined ? found : { ...found, output }
})
