/** Every process the bench starts, so that none outlives it. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process"

const alive = new Set<ChildProcess>()

/** Starts a command with its output as pipes; it is killed when the bench ends, however that comes. */
export const start = (command: string, args: ReadonlyArray<string>, options: SpawnOptions): ChildProcess => {
  // The kernel kills the child even when the bench itself is killed with SIGKILL.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", command, ...args], {
    ...options,
    stdio: ["ignore", "pipe", "pipe"]
  })
  alive.add(child)
  const forget = () => alive.delete(child)
  child.once("exit", forget)
  child.once("error", forget)
  return child
}

export const stop = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill("SIGKILL")
  })

/** Kills what is left when this process exits, is interrupted or is terminated. */
export const stopAllAtExit = (): void => {
  process.on("exit", () => {
    for (const child of alive) child.kill("SIGKILL")
  })
  process.on("SIGINT", () => process.exit(130))
  process.on("SIGTERM", () => process.exit(143))
}
