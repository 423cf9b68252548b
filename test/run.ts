/**
 * Runs a program to its end, as an Effect.
 */
import * as ChildProcess from "node:child_process"
import * as Effect from "effect/Effect"

/** How a program ended: its exit code and what it wrote. */
export interface Ended {
  readonly code: number
  readonly output: string
  readonly errors: string
}

/** Runs `command` in the folder `cwd`. It is killed when the effect is interrupted. */
export const run = (command: string, args: ReadonlyArray<string>, cwd: string): Effect.Effect<Ended> =>
  Effect.callback((resume, signal) => {
    ChildProcess.execFile(
      command,
      args,
      { cwd, signal, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, npm_config_offline: "true" } },
      (error, output, errors) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
        resume(Effect.succeed({ code, output, errors: code === -1 ? `${String(error)}\n${errors}` : errors }))
      }
    )
  })
