/**
 * A program in a process of its own.
 */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A process that runs. */
export interface Child {
  /** What it has written to standard output, to standard error. */
  readonly output: () => string
  readonly errors: () => string
  /** Waits for a text on standard output. */
  readonly says: (text: string) => Effect.Effect<true>
  readonly signal: (signal: "SIGINT" | "SIGTERM") => Effect.Effect<void>
  /** Waits for its end: the exit code, or the signal that ended it. */
  readonly ended: Effect.Effect<number | string>
}

/** Runs a program of the folder `programs`; it is killed when the scope closes. */
export const run = (program: string, ...args: ReadonlyArray<string>): Effect.Effect<Child, never, Scope.Scope> => {
  const path = Path.join(import.meta.dirname, "programs", program)
  const spawn = () => ChildProcess.spawn(process.execPath, ["--conditions=effect-web-source", path, ...args])
  const acquired = Effect.acquireRelease(Effect.sync(spawn), (child) => Effect.sync(() => void child.kill("SIGKILL")))
  return Effect.map(acquired, (child) => {
    let [output, errors] = ["", ""]
    let ended: number | string | undefined
    child.stdout.on("data", (chunk) => (output += chunk))
    child.stderr.on("data", (chunk) => (errors += chunk))
    child.on("close", (code, signal) => {
      ended = code ?? signal ?? ""
    })
    // Tries again whenever something has come.
    const wait = <A>(attempt: () => A | undefined): Effect.Effect<A> =>
      Effect.callback((resume) => {
        const look = () => {
          const found = attempt()
          if (found !== undefined) resume(Effect.succeed(found))
        }
        child.stdout.on("data", look)
        child.on("close", look)
        look()
      })
    return {
      output: () => output,
      errors: () => errors,
      says: (text) => wait(() => (output.includes(text) ? true : undefined)),
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      ended: wait(() => ended)
    }
  })
}
