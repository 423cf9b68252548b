/**
 * A program with workers in the hands of a test.
 */
import * as ChildProcess from "node:child_process"
import * as Http from "node:http"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** A program that runs. */
export interface Supervised {
  readonly pid: number
  /** What it has written to standard output, to standard error. */
  readonly output: () => string
  readonly errors: () => string
  /** Waits until the output has a text so many times. */
  readonly says: (text: string, times?: number) => Effect.Effect<true>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Waits for its end: the exit code, or the signal that ended it. */
  readonly ended: Effect.Effect<number | string>
  /** Where it listens; after it has said so. */
  readonly url: () => string
  /** The processes of all workers that it has said to run, the last ones first. */
  readonly workers: () => ReadonlyArray<number>
}

/** Starts a file. When the scope closes the supervisor is killed: its workers then end by themselves. */
export const start = Effect.fnUntraced(function* (
  file: string,
  options: object = {},
  env: Readonly<Record<string, string>> = {}
): Effect.fn.Return<Supervised, never, Scope.Scope> {
  const spawn = () =>
    ChildProcess.spawn(process.execPath, [file, JSON.stringify(options)], { env: { ...process.env, ...env } })
  const child = yield* Effect.acquireRelease(Effect.sync(spawn), (child) => Effect.sync(() => child.kill("SIGKILL")))
  let [output, errors] = ["", ""]
  let ended: number | string | undefined
  // Looks again whenever something has come.
  const wait = <A>(attempt: () => A | undefined, what: string): Effect.Effect<A> =>
    Effect.callback<A>((resume) => {
      const look = () => {
        const found = attempt()
        if (found === undefined) return
        forget()
        resume(Effect.succeed(found))
      }
      const forget = () => {
        child.stdout.off("data", look)
        child.off("close", look)
      }
      child.stdout.on("data", look)
      child.on("close", look)
      look()
      return Effect.sync(forget)
    }).pipe(
      Effect.timeoutOrElse({
        duration: "20 seconds",
        orElse: () => Effect.die(new Error(`The program did not ${what}: ${output}${errors}`))
      })
    )
  child.stdout.on("data", (chunk) => (output += chunk))
  child.stderr.on("data", (chunk) => (errors += chunk))
  child.on("close", (code, signal) => {
    ended = code ?? signal ?? ""
  })
  return {
    pid: child.pid ?? 0,
    output: () => output,
    errors: () => errors,
    says: (text, times = 1) => wait(() => (output.split(text).length > times ? true : undefined), `say "${text}"`),
    kill: (signal) => Effect.sync(() => void child.kill(signal)),
    ended: wait(() => ended, "end"),
    url: () => /Running on (\S+) =/.exec(output)?.[1] ?? "",
    workers: () => (/.*process(?:es)? ([\d, ]+)\) run/s.exec(output)?.[1] ?? "").split(", ").map(Number)
  }
})

/** Starts a file, and waits until all its workers run. */
export const running = (file: string, options: object = {}, env: Readonly<Record<string, string>> = {}) =>
  Effect.tap(start(file, options, env), (program) => program.says(") run on "))

/** An answer: its status and body. The connection is of its own, unless an agent is given. */
export const get = (url: string, options: Http.RequestOptions = {}, body?: Uint8Array): Effect.Effect<string, Error> =>
  Effect.callback((resume) => {
    const request = Http.request(url, { agent: false, ...options }, (response) => {
      let text = ""
      response.on("data", (chunk) => (text += chunk))
      response.on("end", () => resume(Effect.succeed(`${response.statusCode} ${text}`)))
      response.on("error", (error) => resume(Effect.fail(error)))
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.end(body)
  })

/** Whether a process is there. */
export const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Waits until the processes are gone. */
export const gone = (pids: ReadonlyArray<number>): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const timer = setInterval(() => {
      if (pids.some(alive)) return
      clearInterval(timer)
      resume(Effect.void)
    }, 10)
    return Effect.sync(() => clearInterval(timer))
  }).pipe(Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.die(new Error("They are still there")) }))
