/**
 * What serving files needs of a disk, so that each engine can do it in its fastest way.
 *
 * ```ts
 * const files = yield* Files
 * const info = yield* files.stat("public/app.css") // fails with a FileFailure, whose reason is one of three
 * ```
 *
 * Unless an engine gives it, it is made of Effect's FileSystem (`fileSystemFiles.ts`).
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { FileFailure } from "./failure.ts"
import { fileSystemFiles } from "./fileSystem.ts"

/** What is at a path. Times in milliseconds, with the fractions that the file system knows. */
export interface Info {
  readonly kind: "file" | "directory" | "other"
  readonly size: number
  /** When the content changed, as the file says: anybody can set it. */
  readonly modified: number
  /** When the file changed in any way, as the system says. */
  readonly changed: number
  readonly device: number
  readonly node: number
}

/** An open file: what is known of it is of this very file, whatever stands at its path by now. */
export interface OpenFile {
  readonly path: string
  readonly info: Info
  /** Up to so many bytes from a position; fewer, or none, at the end. */
  readonly read: (position: number, length: number) => Effect.Effect<Uint8Array, FileFailure>
  /** Closes it, once a running read has ended. More than once is as once. */
  readonly close: Effect.Effect<void>
}

/** SHA-256 of bytes that come in pieces, in base64url. */
export interface Hash {
  readonly update: (bytes: Uint8Array) => void
  readonly digest: Effect.Effect<string>
}

/** A disk. Links are followed. */
export interface Files {
  readonly stat: (path: string) => Effect.Effect<Info, FileFailure>
  /** Opens a regular file. */
  readonly open: (path: string) => Effect.Effect<OpenFile, FileFailure>
  /** The path without links in it. */
  readonly realPath: (path: string) => Effect.Effect<string, FileFailure>
  readonly list: (
    path: string
  ) => Effect.Effect<ReadonlyArray<{ readonly name: string; readonly kind: Info["kind"] | "link" }>, FileFailure>
  readonly hash: () => Hash
}

/** The disk of the engine. */
export const Files = Context.Reference<Files>("effect-web/Files", { defaultValue: () => fileSystemFiles })

/** Whether two are the same file in the same state, as far as the file system can tell. */
export const isSame = (left: Info, right: Info): boolean =>
  left.changed === right.changed &&
  left.modified === right.modified &&
  left.size === right.size &&
  left.node === right.node &&
  left.device === right.device &&
  left.kind === right.kind

// File times are of the machine's clock, whatever clock a test sets.
const clock = Clock.Clock.defaultValue()

/** The time of the clock that file times are from, in milliseconds. */
export const now = (): number => clock.currentTimeMillisUnsafe()

/**
 * Whether another change would show in the times. File systems take them from a clock that ticks, each 10 ms at most, and some
 * keep whole seconds or two: a file that changed just now may change again and look the same.
 */
export const isSettled = ({ changed }: Info, at: number): boolean => at - changed > (changed % 1000 === 0 ? 2000 : 50)
