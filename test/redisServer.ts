/**
 * A Redis server of one's own, on a socket in a temporary folder, without persistence. It is Debian's package "redis-server".
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Whether the machine has it. */
export const isInstalled = ChildProcess.spawnSync("redis-server", ["--version"]).status === 0

/** A server that runs, and can be stopped and started again: what it had is lost then. */
export interface RedisServer {
  /** The path of its socket. */
  readonly path: string
  readonly kill: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

/** Starts a server; it ends with the scope. */
export const make: Effect.Effect<RedisServer, never, Scope.Scope> = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "redis-"))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
  )
  const path = Path.join(folder, "redis.sock")
  let child: ChildProcess.ChildProcess | undefined
  const start = Effect.callback<void>((resume) => {
    const flags = ["--port", "0", "--unixsocket", path, "--dir", folder, "--save", "", "--appendonly", "no"]
    child = ChildProcess.spawn("redis-server", flags, { stdio: ["ignore", "pipe", "inherit"] })
    child.stdout?.on("data", (bytes) => {
      if (String(bytes).includes("ready to accept connections")) resume(Effect.void)
    })
    child.once("exit", (code) => resume(Effect.die(new Error(`redis-server ended with ${code}`))))
  })
  const kill = Effect.callback<void>((resume) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) resume(Effect.void)
    child?.once("exit", () => resume(Effect.void))
    child?.kill("SIGKILL")
  })
  yield* Effect.acquireRelease(start, () => kill)
  return { path, start, kill }
})
