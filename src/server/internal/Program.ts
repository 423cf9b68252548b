/**
 * Runs an effect as the whole program: signals interrupt it, the exit code says how it ended.
 *
 * ```ts
 * Program.main(Effect.never, true)
 * ```
 *
 * Unlike Effect's `NodeRuntime.runMain`: a graceful stop exits with 0, and a second signal ends the process at once.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { ServeError } from "effect/http/HttpServerError"

const codes = { SIGINT: 130, SIGTERM: 143 } as const

/** Ends the program with 1 and this one line; nothing when there is none. */
export class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

/**
 * Runs the effect and exits: 0 when it ended or was interrupted, 1 with its failure on standard error. `atOnce` is called before a
 * second signal ends the process.
 */
export const main = <E>(effect: Effect.Effect<unknown, E>, handleSignals: boolean, atOnce = () => {}): void => {
  let stopping = false
  const onSignal = (signal: keyof typeof codes) => {
    if (stopping) {
      atOnce()
      process.exit(codes[signal])
    }
    stopping = true
    fiber.interruptUnsafe()
  }
  // Before it starts: a signal that comes meanwhile is a stop too, and no end without one.
  if (handleSignals) for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal)
  const fiber = Effect.runFork(effect)
  // What waits for something that keeps no process alive has not ended.
  setInterval(() => {}, 2 ** 31 - 1)
  fiber.addObserver((exit) => {
    const failed = Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)
    if (failed) write(reason(exit.cause))
    process.exit(failed ? 1 : 0)
  })
}

const write = (line: string): void => {
  if (line !== "") process.stderr.write(`${line}\n`)
}

// That a server cannot listen is said in one line; a stack would hide it.
const reason = (cause: Cause.Cause<unknown>): string => {
  const [only, ...more] = cause.reasons
  const isAlone = only?._tag === "Fail" && more.length === 0
  const known = isAlone && (only.error instanceof ServeError || only.error instanceof Failed)
  return known ? (only.error as Error).message : Cause.pretty(cause)
}
