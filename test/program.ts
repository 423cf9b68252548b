/**
 * An example as a program of its own, on a free port.
 */
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Sources from "./sources.ts"

/** A program that runs. */
export interface Program {
  /** Waits until the output matches, and gives the first group. It is a defect when the program ends before. */
  readonly printed: (pattern: RegExp) => Effect.Effect<string>
  readonly kill: (signal: NodeJS.Signals) => void
  /** Waits for the end: the exit code. */
  readonly code: Effect.Effect<number>
}

/** Starts a file of the repository; it is killed when the scope closes. `PORT` is 0 unless the environment says otherwise. */
export const start = Effect.fnUntraced(function* (
  path: string,
  env: Readonly<Record<string, string>> = {}
): Effect.fn.Return<Program, never, Scope.Scope> {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ChildProcess.spawn(process.execPath, ["--conditions=effect-web-source", Sources.root + path], {
        env: { ...process.env, PORT: "0", ...env },
        stdio: ["ignore", "pipe", "pipe"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const ended = once(child, "close")
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (output += bytes))
  const printed = async (pattern: RegExp) => {
    for (;;) {
      const found = pattern.exec(output)
      if (found !== null) return found[1] ?? found[0]
      if (child.exitCode !== null) throw new Error(`${path} ended with ${child.exitCode}: ${output}`)
      await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), ended])
    }
  }
  return {
    printed: (pattern) => Effect.promise(() => printed(pattern)),
    kill: (signal) => child.kill(signal),
    code: Effect.promise(async () => (await ended)[0] as number)
  }
})
