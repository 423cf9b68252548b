/**
 * A disk made of Effect's FileSystem, for engines that bring none of their own.
 *
 * ```ts
 * const info = yield* fileSystemFiles.stat("public/app.css")
 * ```
 *
 * The FileSystem is that of the fiber. Where there is none, that is a defect which names the cure.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Base64Url from "effect/encoding/Base64Url"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import { FileFailure, reasonOf } from "./failure.ts"
import type { Files, Info, OpenFile } from "./files.ts"

const missing =
  "There is no file system: this engine has none of its own. Provide Effect's FileSystem to the handler, " +
  "as Effect.provide(NodeFileSystem.layer) does, or BunFileSystem.layer"

const use = <A>(
  f: (fileSystem: FileSystem.FileSystem) => Effect.Effect<A, PlatformError>
): Effect.Effect<A, FileFailure> =>
  Effect.withFiber((fiber) => {
    const found = Context.getOption(fiber.context, FileSystem.FileSystem)
    return Option.isNone(found) ? Effect.die(new Error(missing)) : Effect.mapError(f(found.value), toFailure)
  })

const toFailure = (error: PlatformError): FileFailure => {
  const { cause, reason } = error
  if (reason._tag === "NotFound" || reason._tag === "BadArgument") return new FileFailure("NotFound", error)
  if (reason._tag === "PermissionDenied") return new FileFailure("Forbidden", error)
  return new FileFailure(reasonOf(Predicate.hasProperty(cause, "code") ? cause.code : undefined), error)
}

const toInfo = (info: FileSystem.File.Info): Info => {
  const modified = Option.getOrUndefined(info.mtime)?.getTime() ?? 0
  return {
    kind: info.type === "File" ? "file" : info.type === "Directory" ? "directory" : "other",
    size: Number(info.size),
    modified,
    // It knows no better.
    changed: modified,
    device: Number(info.dev),
    node: Number(Option.getOrElse(info.ino, () => 0n))
  }
}

const open = (path: string): Effect.Effect<OpenFile, FileFailure> =>
  use((fileSystem) => {
    const scope = Scope.makeUnsafe()
    const opened = Effect.gen(function* () {
      const file = yield* Scope.provide(fileSystem.open(path), scope)
      return {
        path,
        info: toInfo(yield* file.stat),
        read: (position, length) =>
          Effect.suspend(() => {
            const buffer = new Uint8Array(length)
            const reading = file.read(buffer, { position: BigInt(position) })
            return Effect.mapError(
              Effect.map(reading, (count) => buffer.subarray(0, count)),
              toFailure
            )
          }),
        close: Scope.close(scope, Exit.void)
      } satisfies OpenFile
    })
    return Effect.onError(opened, () => Scope.close(scope, Exit.void))
  })

/** The disk. */
export const fileSystemFiles: Files = {
  stat: (path) => use((fileSystem) => Effect.map(fileSystem.stat(path), toInfo)),
  open,
  realPath: (path) => use((fileSystem) => fileSystem.realPath(path)),
  list: (path) =>
    use((fileSystem) =>
      Effect.map(fileSystem.readDirectoryEntries(path), (entries) =>
        entries.map(({ name, type }) => ({
          name,
          kind:
            type === "File" ? "file" : type === "Directory" ? "directory" : type === "SymbolicLink" ? "link" : "other"
        }))
      )
    ),
  hash: () => {
    // The Web's own digest takes all at once.
    const pieces: Array<Uint8Array> = []
    return {
      update: (bytes) => {
        pieces.push(bytes)
      },
      digest: Effect.promise(() => new Blob(pieces as Array<Uint8Array<ArrayBuffer>>).arrayBuffer()).pipe(
        Effect.flatMap((bytes) => Effect.promise(() => crypto.subtle.digest("SHA-256", bytes))),
        Effect.map((digest) => Base64Url.encode(new Uint8Array(digest)))
      )
    }
  }
}
