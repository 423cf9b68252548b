/**
 * Listens on a unix socket that is a file.
 *
 * ```ts
 * const { path } = yield* UnixSocket.listen(server, Site.unix({ path: "/run/app.sock", mode: 0o660 }), bind)
 * ```
 *
 * The socket is made in a folder that nobody else may enter, gets its mode there and then its name: nobody can connect before. Whoever
 * takes its place later keeps it: only the own file is removed.
 *
 * @source aiohttp.web.UnixSite
 * @spec unix(7)
 */
import * as Fs from "node:fs"
import type * as Http from "node:http"
import * as Net from "node:net"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type { ServeError } from "effect/http/HttpServerError"
import type { Address, Unix } from "../../Site.ts"
import { CurrentWorker, type SharedSocket } from "../workers/Seat.ts"
import { failure } from "./startFailure.ts"

/** The longest path that Linux takes, in bytes; other systems take about as many. */
const longest = 107

const cures: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist; make it",
  ENOTDIR: "its folder is a file; give another `path`",
  EACCES: "that is not allowed there; give the right to write into its folder, or another `path`",
  EROFS: "its folder is read-only; give another `path`"
}

const fail = (path: string, cause: NodeJS.ErrnoException, cure = cures[cause.code ?? ""]) => failure(path, cause, cure)

/** What is done with files; what goes wrong says its cure. */
const attempt = <A>(path: string, f: () => A): Effect.Effect<A, ServeError> =>
  Effect.try({ try: f, catch: (cause) => fail(path, cause as NodeJS.ErrnoException) })

/** Listens, by a `bind` to the path that it is given. */
export const listen = Effect.fnUntraced(function* (
  server: Http.Server,
  site: Unix,
  bind: (path: string) => Effect.Effect<void, ServeError>
): Effect.fn.Return<Address, ServeError> {
  const path = Path.resolve(site.path)
  const worker = yield* CurrentWorker
  const shared = worker?.socket(path)
  const isShared = shared !== undefined && identity(path) === shared.identity
  const before = isShared ? changeOf(path) : yield* vacant(path)
  const folder = yield* attempt(path, () => folderOf(path, shared))
  const first = Path.join(folder, "s")
  const own = yield* Effect.gen(function* () {
    if (Buffer.byteLength(first) > longest || Buffer.byteLength(path) > longest)
      return yield* Effect.fail(
        fail(path, new Error("too long"), "the path is too long for a socket; give a shorter one")
      )
    yield* bind(first)
    return yield* attempt(path, () => {
      // The supervisor listens there already, for another worker.
      if (isShared && !Fs.existsSync(first)) return identity(path) as string
      if (site.mode !== undefined) Fs.chmodSync(first, site.mode)
      if (changeOf(path) !== before) throw new Error("somebody else has just made it; stop one of both")
      Fs.renameSync(first, path)
      return identity(path) as string
    })
  }).pipe(Effect.ensuring(Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))))
  if (worker !== undefined) {
    // Others may go on listening: the supervisor removes it.
    worker.shares(path, { origin: folder, identity: own })
    return { url: `unix:${path}`, path, host: undefined, port: undefined }
  }
  const { close } = server
  // When it stops, not when its last connection has ended.
  server.close = (callback) => {
    // As long as the socket is open no other file can have its number.
    if (server.listening && identity(path) === own) Fs.rmSync(path, { force: true })
    return close.call(server, callback)
  }
  return { url: `unix:${path}`, path, host: undefined, port: undefined }
})

// Workers ask their supervisor for the same socket by the path where the first of them has made it.
const folderOf = (path: string, shared: SharedSocket | undefined): string => {
  if (shared === undefined) return Fs.mkdtempSync(Path.join(Path.dirname(path), ".s"))
  Fs.mkdirSync(shared.origin, { mode: 0o700, recursive: true })
  return shared.origin
}

/** Removes the sockets that workers had in common; whoever has taken the place of one keeps it. */
export const removeShared = (sockets: Readonly<Record<string, SharedSocket>>): void => {
  for (const [path, own] of Object.entries(sockets))
    if (identity(path) === own.identity) Fs.rmSync(path, { force: true })
}

// Which file that is, if there is one.
const identity = (path: string): string | undefined => {
  const stats = Fs.lstatSync(path, { throwIfNoEntry: false, bigint: true })
  return stats && `${stats.dev}:${stats.ino}`
}

// Which file that is, and since when it is so: the number of one that is gone may be given again.
const changeOf = (path: string): string | undefined => {
  const stats = Fs.lstatSync(path, { throwIfNoEntry: false, bigint: true })
  return stats && `${identity(path)}:${stats.ctimeNs}`
}

/** Fails unless the name is free, or that of a socket where nobody listens. Gives the identity of that. */
const vacant = Effect.fnUntraced(function* (path: string): Effect.fn.Return<string | undefined, ServeError> {
  const stats = yield* attempt(path, () => Fs.lstatSync(path, { throwIfNoEntry: false }))
  if (stats === undefined) return undefined
  const before = changeOf(path)
  if (!stats.isSocket())
    return yield* Effect.fail(
      fail(path, new Error("no socket"), "a file that is no socket has this name; give another `path`")
    )
  const code = yield* connecting(path)
  if (code === "ECONNREFUSED" || code === "ENOENT") return before
  const cure =
    code === "EACCES"
      ? "the socket of another user has this name; give another `path`"
      : "somebody listens there; stop that, or give another `path`"
  return yield* Effect.fail(fail(path, new Error(String(code)), cure))
})

// How an attempt to connect ends: with the code of an error, or with undefined when somebody listens.
const connecting = (path: string): Effect.Effect<string | undefined> =>
  Effect.callback((resume) => {
    const socket = Net.connect({ path })
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.undefined)
    })
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resume(Effect.succeed(code)))
    return Effect.sync(() => socket.destroy())
  })
