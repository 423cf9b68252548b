/**
 * The body of a response that is in an open file: an ordinary stream, which an engine that knows a faster way need not run.
 *
 * ```ts
 * const body = make(file, [{ start: 0, end: 1_000_000 }])
 * of(body) // { file, segments }: what the fast way needs
 * ```
 *
 * A middleware that changes the stream makes another one of it, which is run as any.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { OpenFile } from "./files.ts"

/** Bytes that are there, or those of the file from `start` up to `end`. */
export type Segment = Uint8Array | { readonly start: number; readonly end: number }

/** What a body is made of, one after the other. */
export interface Source {
  readonly file: OpenFile
  readonly segments: ReadonlyArray<Segment>
}

const symbol = Symbol("effect-web/fileBody")

/** So many bytes are read at once. */
export const chunkSize = 64 * 1024

/** The stream. It fails when the file has become shorter; it does not close the file. */
export const make = (file: OpenFile, segments: ReadonlyArray<Segment>): Stream.Stream<Uint8Array, unknown> =>
  Object.assign(Stream.fromPull(Effect.sync(() => pull(file, segments))), { [symbol]: { file, segments } })

/** What a stream is made of, if it is of a file. */
export const of = (stream: object & { readonly [symbol]?: Source }): Source | undefined => stream[symbol]

/** How many bytes they are. */
export const lengthOf = (segments: ReadonlyArray<Segment>): number =>
  segments.reduce(
    (sum, segment) => sum + (segment instanceof Uint8Array ? segment.length : segment.end - segment.start),
    0
  )

/** Why a body broke off: what was promised is not there any more. */
export const shrunk = ({ path }: OpenFile): Error => new Error(`The file "${path}" became shorter while it was sent`)

const pull = (file: OpenFile, segments: ReadonlyArray<Segment>) => {
  let index = 0
  let position = 0
  const next: Effect.Effect<readonly [Uint8Array], unknown> = Effect.suspend(() => {
    const segment = segments[index]
    if (segment === undefined) return Cause.done()
    if (segment instanceof Uint8Array) {
      index++
      return Effect.succeed([segment] as const)
    }
    const from = segment.start + position
    if (from >= segment.end) {
      index++
      position = 0
      return next
    }
    return Effect.flatMap(file.read(from, Math.min(chunkSize, segment.end - from)), (bytes) => {
      position += bytes.length
      return bytes.length === 0 ? Effect.fail(shrunk(file)) : Effect.succeed([bytes] as const)
    })
  })
  return next
}
