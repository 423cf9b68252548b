/**
 * The disk of Node's engine.
 *
 * ```ts
 * Effect.provideService(handler, Files, nodeFiles)
 * ```
 *
 * What a healthy disk answers from memory is asked for synchronously: a `stat` takes 2 µs and 40 µs in the thread pool, a read of 64 KiB
 * takes 4 µs and 30. Where an answer took long, as on a network or from a disk that has to seek, the thread pool is used for a while,
 * so that a slow disk holds up its own requests only.
 */
import * as Crypto from "node:crypto"
import * as Fs from "node:fs"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { FileFailure, reasonOf } from "../../../internal/files/failure.ts"
import type { Files, Info, OpenFile } from "../../../internal/files/files.ts"

// A synchronous answer that took longer, in milliseconds, sends those of the next ten seconds to the pool.
const patience = 2
const pause = 10_000
let slowUntil = 0

/** Whether the disk is to be asked in the thread pool. */
export const isSlow = (): boolean => slowUntil !== 0 && performance.now() < slowUntil

/** Calls the disk synchronously. */
export const timed = <A>(f: () => A): A => {
  const start = performance.now()
  try {
    return f()
  } finally {
    const end = performance.now()
    if (end - start > patience) slowUntil = end + pause
  }
}

const toFailure = (cause: unknown): FileFailure =>
  new FileFailure(reasonOf((cause as NodeJS.ErrnoException).code), cause)

const notFound = Exit.fail(new FileFailure("NotFound", undefined))

type Call<A> = (done: (error: NodeJS.ErrnoException | null, value: A) => void) => void

const inPool = <A>(call: Call<A>): Effect.Effect<A, FileFailure> =>
  Effect.callback((resume) => {
    try {
      call((error, value) => resume(error === null ? Exit.succeed(value) : Exit.fail(toFailure(error))))
    } catch (error) {
      // Arguments are refused at once, as a path with NUL in it.
      resume(Exit.fail(toFailure(error)))
    }
  })

// Synchronously, or in the thread pool.
const ask = <A, B>(
  synchronous: () => A,
  asynchronous: Call<A>,
  f: (value: A) => Exit.Exit<B, FileFailure>
): Effect.Effect<B, FileFailure> => {
  const answer = (value: () => A): Exit.Exit<B, FileFailure> => {
    try {
      return f(value())
    } catch (error) {
      return Exit.fail(toFailure(error))
    }
  }
  if (!isSlow()) return answer(() => timed(synchronous))
  return Effect.flatMapEager(inPool(asynchronous), (value) => answer(() => value))
}

const toInfo = (stats: Fs.Stats): Info => ({
  kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other",
  size: stats.size,
  modified: stats.mtimeMs,
  changed: stats.ctimeMs,
  device: stats.dev,
  node: stats.ino
})

/** An open descriptor. */
export class NodeFile implements OpenFile {
  readonly path: string
  readonly info: Info
  private readonly descriptor: number
  private reading = false
  private state: "open" | "closing" | "closed" = "open"
  readonly close = Effect.sync(() => this.closeUnsafe())

  constructor(path: string, info: Info, descriptor: number) {
    this.path = path
    this.info = info
    this.descriptor = descriptor
  }

  read(position: number, length: number): Effect.Effect<Uint8Array, FileFailure> {
    return Effect.suspend(() => {
      const buffer = Buffer.allocUnsafeSlow(length)
      return ask(
        () => this.readSync(buffer, position, length),
        (done) => this.readAsync(buffer, position, length, done),
        (count) => Exit.succeed(buffer.subarray(0, count))
      )
    })
  }

  /** Reads into a buffer. Throws what the system says. */
  readSync(buffer: Buffer, position: number, length: number): number {
    return Fs.readSync(this.descriptor, buffer, 0, length, position)
  }

  /** Reads into a buffer, in the thread pool; one at a time. */
  readAsync(
    buffer: Buffer,
    position: number,
    length: number,
    done: (error: NodeJS.ErrnoException | null, count: number) => void
  ): void {
    this.reading = true
    Fs.read(this.descriptor, buffer, 0, length, position, (error, count) => {
      this.reading = false
      if (this.state === "closing") this.closeUnsafe()
      done(error, count)
    })
  }

  /** A descriptor must not be closed under a read: its number may be another file's by then. */
  closeUnsafe(): void {
    if (this.state === "closed") return
    this.state = this.reading ? "closing" : "closed"
    if (this.state === "closed") Fs.closeSync(this.descriptor)
  }
}

// A FIFO that took the place of a file would keep the reader waiting for a writer (the flag is not there on Windows).
const flags = Fs.constants.O_RDONLY | (Fs.constants.O_NONBLOCK ?? 0)

const opened = (path: string, descriptor: number): Exit.Exit<NodeFile, FileFailure> => {
  const file = new NodeFile(path, toInfo(Fs.fstatSync(descriptor)), descriptor)
  if (file.info.kind === "file") return Exit.succeed(file)
  file.closeUnsafe()
  return Exit.fail(new FileFailure("Forbidden", undefined))
}

const kindOf = (entry: Fs.Dirent): Info["kind"] | "link" =>
  entry.isFile() ? "file" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "link" : "other"

/** The disk. */
export const nodeFiles: Files = {
  stat: (path) =>
    ask(
      () => Fs.statSync(path, { throwIfNoEntry: false }),
      (done) => Fs.stat(path, done),
      (stats) => (stats === undefined ? notFound : Exit.succeed(toInfo(stats)))
    ),
  open: (path) =>
    ask(
      () => Fs.openSync(path, flags),
      (done) => Fs.open(path, flags, done),
      (descriptor) => opened(path, descriptor)
    ),
  realPath: (path) =>
    ask(
      () => Fs.realpathSync.native(path),
      (done) => Fs.realpath.native(path, done),
      (real) => Exit.succeed(real)
    ),
  list: (path) =>
    Effect.map(
      inPool<Array<Fs.Dirent>>((done) => Fs.readdir(path, { withFileTypes: true }, done)),
      (entries) => entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
    ),
  hash: () => {
    const hash = Crypto.createHash("sha256")
    return { update: (bytes) => void hash.update(bytes), digest: Effect.sync(() => hash.digest("base64url")) }
  }
}
