/**
 * Writes chunks to a file that is there whole or not at all: into a temporary file beside it, which is synced and then renamed.
 *
 * ```ts
 * const size = yield* saveTo(open, "/var/uploads/42.mp3")
 * ```
 *
 * @source aiohttp, the loop over `BodyPartReader.read_chunk` of its documentation
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type { Failure } from "../../Multipart.ts"
import { type Chunks, forEach } from "../bodies/bodyChunks.ts"

/** Opens what is written. */
type Open = Effect.Effect<Chunks, Failure, Scope.Scope>

/** A service of the platform. It is no part of the types: under `Server` it is always there. */
export const platform = <I, S>(service: Context.Key<I, S>): Effect.Effect<S> =>
  Effect.withFiber((fiber) => {
    const found = Context.getOption(fiber.context as Context.Context<I>, service)
    if (found._tag === "Some") return Exit.succeed(found.value)
    const text = `Multipart: there is no ${service.key} to write a file with: provide it, as NodeServices.layer does`
    return Effect.die(new Error(text))
  })

/** Gives the size in bytes. What the file system refuses is a defect; the temporary file is removed whatever happens. */
export const saveTo = (open: Open, path: string): Effect.Effect<number, Failure> =>
  Effect.gen(function* () {
    const files = yield* platform(FileSystem.FileSystem)
    const paths = yield* platform(Path.Path)
    const name = (yield* Random.next).toString(36).slice(2)
    const temporary = paths.join(paths.dirname(path), `.${name}.part`)
    let isOurs = false
    const create = Effect.tap(files.open(temporary, { flag: "wx" }), () => Effect.sync(() => (isOurs = true)))
    const written = Effect.flatMap(Effect.uninterruptible(create), (file) =>
      Effect.tap(writeAll(file, open), () => Effect.uninterruptible(file.sync))
    )
    const renamed = Effect.tap(files.rename(temporary, path), () => Effect.sync(() => (isOurs = false)))
    return yield* Effect.tap(Effect.scoped(written), () => Effect.uninterruptible(renamed)).pipe(
      Effect.onExit(() => (isOurs ? Effect.ignore(files.remove(temporary)) : Effect.void))
    )
  }).pipe(dieOfPlatform(path))

/** Writes chunks to a new file, which nobody else may read. Gives the size in bytes. */
export const spool = (files: FileSystem.FileSystem, open: Open, path: string): Effect.Effect<number, Failure> =>
  Effect.scoped(Effect.flatMap(files.open(path, { flag: "wx", mode: 0o600 }), (file) => writeAll(file, open))).pipe(
    dieOfPlatform(path)
  )

// A failed write is said by the number of its descriptor only.
const dieOfPlatform =
  (path: string) =>
  <A>(effect: Effect.Effect<A, Failure | PlatformError>): Effect.Effect<A, Failure> =>
    Effect.catchTag(effect, "PlatformError", (error) => {
      const { message } = error.cause instanceof Error ? error.cause : error
      return Effect.die(new Error(`Multipart: "${path}" cannot be written: ${message}`, { cause: error }))
    })

const kibibyte = 1024

// Chunks are copied into a block, which grows with the file to 256 KiB: to write costs more than to copy
const writeAll = (file: FileSystem.File, open: Open): Effect.Effect<number, Failure | PlatformError, Scope.Scope> =>
  Effect.suspend(() => {
    let block = new Uint8Array(16 * kibibyte)
    let [used, size] = [0, 0]
    const flush = Effect.suspend(() => {
      // A write that went on after its file was closed could hit another file
      const written = Effect.uninterruptible(file.writeAll(block.subarray(0, used)))
      return Effect.map(written, () => {
        size += used
        used = 0
        if (block.length < 256 * kibibyte) block = new Uint8Array(block.length * 2)
      })
    })
    const add = (
      chunks: Chunks,
      array: ReadonlyArray<Uint8Array>,
      index: number,
      from: number
    ): Effect.Effect<void, PlatformError> => {
      const chunk = array[index]
      if (chunk === undefined) return Effect.void
      const to = Math.min(chunk.length, from + block.length - used)
      block.set(chunk.subarray(from, to), used)
      used += to - from
      if (used === block.length) return Effect.flatMap(flush, () => add(chunks, array, index, to))
      // Copied: with a heap of 25 MB it took half the time of an upload to collect chunks as garbage
      chunks.release(chunk)
      return add(chunks, array, index + 1, 0)
    }
    const all = Effect.flatMap(open, (chunks) => forEach(chunks, (array) => add(chunks, array, 0, 0)))
    return Effect.andThen(
      all,
      Effect.map(flush, () => size)
    )
  })
