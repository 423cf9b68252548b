/**
 * A program of the folder `programs` in a process of its own, which a test signals.
 *
 * ```ts
 * const program = yield* run("phases.ts", JSON.stringify({ shutdownTimeout: "1 second" }))
 * yield* program.signal("SIGTERM")
 * assert.deepStrictEqual(yield* program.ended, 0)
 * ```
 */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { until } from "../server/both.ts"

/** A program that runs. */
export interface Program {
  /** What it has written to standard output and standard error, without its banner. */
  readonly output: () => string
  /** Waits for a line that matches, and gives its first group. It is a defect when none comes in five seconds. */
  readonly says: (line: RegExp) => Effect.Effect<string>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Opens the gate of its handlers. */
  readonly open: Effect.Effect<void>
  /** Waits for its end: the exit code, or the signal that ended it. */
  readonly ended: Effect.Effect<number | string>
  /** The port of its first TCP site. */
  readonly port: number
}

/** Starts a program and waits for its banner, for a line "waits", or for its end. It is killed when the scope closes. */
export const run = Effect.fnUntraced(function* (
  program: string,
  ...args: ReadonlyArray<string>
): Effect.fn.Return<Program, never, Scope.Scope> {
  const path = Path.join(import.meta.dirname, "programs", program)
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => ChildProcess.spawn(process.execPath, ["--conditions=effect-web-source", path, ...args])),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )
  let output = ""
  let ended: number | string | undefined
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk))
  child.on("close", (code, signal) => {
    ended = code ?? signal ?? ""
  })
  const end = Effect.callback<number | string>((resume) => {
    if (ended !== undefined) resume(Effect.succeed(ended))
    else child.once("close", () => resume(Effect.sync(() => ended as number | string)))
  })
  const says = (line: RegExp): Effect.Effect<string> =>
    until(() => line.test(output)).pipe(
      Effect.map(() => line.exec(output)?.[1] ?? ""),
      Effect.catchDefect(() => Effect.die(new Error(`No ${line} in ${JSON.stringify(output)}`)))
    )
  // By events and without a limit of its own: to start takes as long as the machine is busy.
  yield* Effect.callback<void>((resume) => {
    const look = () => {
      if (/quit\)\n|^waits/m.test(output) || ended !== undefined) resume(Effect.void)
    }
    for (const stream of [child.stdout, child.stderr]) stream.on("data", look)
    child.on("close", look)
  })
  return {
    output: () => output.replace(/^=====.*\n|^\(Press.*\n/gm, ""),
    says,
    signal: (signal) => Effect.sync(() => void child.kill(signal)),
    open: Effect.sync(() => void child.kill("SIGUSR2")),
    ended: end,
    port: Number(/:(\d+) =/.exec(output)?.[1] ?? 0)
  }
})

/** The line of the stop, without its times. */
export const report = ({ output }: Program): string =>
  /(\w+) (?:\(#\d+\): |fiber=#\d+ message=")(Stopped in [^"\n]*?)(?:"| \{|\n)/
    .exec(output())
    ?.slice(1)
    .join(" ")
    .replace(/\d+(?:\.\d+)? m?s\b/g, "T") ?? ""
