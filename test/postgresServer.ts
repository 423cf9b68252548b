/**
 * A PostgreSQL of one's own, on a socket in a temporary folder, without durability. It is Debian's package "postgresql".
 */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

const versions = "/usr/lib/postgresql"

// The newest. Debian does not put it on the PATH.
const folderOf = (): string | undefined => {
  if (!Fs.existsSync(versions)) return undefined
  const all = Fs.readdirSync(versions).sort((a, b) => Number(b) - Number(a))
  return all.map((each) => Path.join(versions, each, "bin")).find((each) => Fs.existsSync(Path.join(each, "initdb")))
}
const programs = folderOf()

/** Whether the machine has it. */
export const isInstalled = programs !== undefined

// It refuses to run as root: then it runs as the user that the package has made.
const user = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(ChildProcess.execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

/** A server that runs, and can be stopped and started again with what it had. */
export interface PostgresServer {
  /** The folder of its socket, as libpq's PGHOST wants it. */
  readonly host: string
  readonly kill: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

/** Starts a server; it ends with the scope. */
export const make: Effect.Effect<PostgresServer, never, Scope.Scope> = Effect.gen(function* () {
  const owner = yield* Effect.sync(user)
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "postgres-"))
      if (owner.uid !== undefined) Fs.chownSync(folder, owner.uid, owner.gid as number)
      return folder
    }),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
  )
  const data = Path.join(folder, "data")
  const program = (name: string) => Path.join(programs ?? "", name)
  const initdb = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
  yield* Effect.sync(() =>
    ChildProcess.execFileSync(program("initdb"), initdb, { ...owner, cwd: folder, stdio: "pipe" })
  )

  let child: ChildProcess.ChildProcess | undefined
  const start = Effect.callback<void>((resume) => {
    const settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB"]
    const flags = ["-D", data, "-k", folder, "-h", "", ...settings.flatMap((each) => ["-c", each])]
    child = ChildProcess.spawn(program("postgres"), flags, {
      ...owner,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"]
    })
    let log = ""
    child.stderr?.on("data", (bytes) => {
      log += bytes
      if (String(bytes).includes("ready to accept connections")) resume(Effect.void)
    })
    child.once("exit", (code) => resume(Effect.die(new Error(`postgres ended with ${code}: ${log}`))))
  })
  // SIGQUIT: at once, without leaving shared memory behind.
  const kill = Effect.callback<void>((resume) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGQUIT")
  })
  yield* Effect.acquireRelease(start, () => kill)
  return { host: folder, start, kill }
})

/** Connections to a server. */
export const layer = ({ host }: PostgresServer, username = "postgres") =>
  PgClient.layer({ host, username, database: "postgres", maxConnections: 5, connectTimeout: "5 seconds" })

/** Connections to a server of their own. */
export const layerOwn = Layer.unwrap(Effect.map(make, layer))
