/**
 * Files as they are served: with their validators, and where they are small with their bytes, held in memory.
 *
 * ```ts
 * const store = make(16 * 1024 * 1024)
 * const found = yield* find(store, files, { path: "public/app.css", key: "app.css", describe, check })
 * ```
 *
 * What is held is good for as long as one `stat` says that the file is the same. What looks settled only (it changed within the
 * tick of the clock of its file system, so that the next change would not show) is not held.
 *
 * @spec RFC 9110 §8.8
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as EntityTag from "../../http/EntityTag.ts"
import { concat } from "../multipart/writer.ts"
import type { FileFailure } from "./failure.ts"
import { type Files, type Info, isSame, isSettled, now, type OpenFile } from "./files.ts"

/** What an answer says of a file besides what the file itself says; names in lower case. */
export interface Head {
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
}

/** A regular file in one state. */
export interface StoredFile {
  readonly path: string
  readonly info: Info
  readonly head: Head
  /** All its bytes, where they are few. */
  readonly bytes: Uint8Array | undefined
  readonly tag: EntityTag.EntityTag
  readonly lastModified: Date
  /** SHA-256 of its content, once it is known. */
  digest: string | undefined
  /** Answers that are the same for all who get them. */
  full: HttpServerResponse | undefined
  notModified: HttpServerResponse | undefined
  /** Since it was last considered for eviction. */
  used: boolean
}

/** What to look for. */
export interface Wanted {
  readonly path: string
  /** Names the file in the store together with how it is described. */
  readonly key: string
  readonly describe: () => Head
  /** Fails when the file at the path may not be served; asked when it is read. */
  readonly check: (path: string) => Effect.Effect<void, FileFailure>
}

/** Held files, the longest unused first. */
export interface Store {
  readonly limit: number
  readonly held: Map<string, StoredFile>
  size: number
}

/** A store of at most so many bytes. */
export const make = (limit: number): Store => ({ limit, held: new Map(), size: 0 })

/** Files up to this size are read whole. */
export const small = 64 * 1024

/** A file, or of what other kind it is. */
export type Found = StoredFile | "directory" | "other"

/** Looks a file up. */
export const find = (store: Store, files: Files, wanted: Wanted): Effect.Effect<Found, FileFailure> =>
  Effect.flatMapEager(files.stat(wanted.path), (info): Effect.Effect<Found, FileFailure> => {
    const held = store.held.get(wanted.key)
    if (held !== undefined && isSame(held.info, info)) {
      held.used = true
      return Exit.succeed(held)
    }
    if (info.kind !== "file") return Exit.succeed(info.kind)
    return Effect.map(Effect.andThen(wanted.check(wanted.path), load(files, wanted, info)), (file) => {
      put(store, wanted.key, file)
      return file
    })
  })

const load = (files: Files, { describe, path }: Wanted, info: Info): Effect.Effect<StoredFile, FileFailure> =>
  info.size > small
    ? Effect.sync(() => fromInfo(path, info, describe()))
    : Effect.acquireUseRelease(
        files.open(path),
        (file) =>
          Effect.flatMap(readAll(file), (bytes) =>
            bytes === undefined
              ? Effect.sync(() => fromInfo(path, file.info, describe()))
              : Effect.map(digestOf(files, [bytes]), (digest) => fromBytes(path, file.info, describe(), bytes, digest))
          ),
        (file) => file.close
      )

// Undefined when it has become more than a small file.
const readAll = Effect.fnUntraced(function* (file: OpenFile) {
  const pieces: Array<Uint8Array> = []
  let size = 0
  while (size <= small) {
    // One more than it should have: fewer are the end. It may have become large since it was looked up.
    const wanted = Math.min(Math.max(file.info.size, size), small) - size + 1
    const piece = yield* file.read(size, wanted)
    pieces.push(piece)
    size += piece.length
    if (piece.length < wanted) return pieces.length === 1 ? piece : concat(pieces)
  }
  return undefined
})

const digestOf = (files: Files, pieces: ReadonlyArray<Uint8Array>): Effect.Effect<string> => {
  const hash = files.hash()
  pieces.forEach(hash.update)
  return hash.digest
}

// No later than the answer itself (§8.8.2.1).
const lastModified = ({ modified }: Info): Date => new Date(Math.min(modified, now()))

const rest = { full: undefined, notModified: undefined, used: false }

// 132 bits of the content: the same on every machine that serves it.
const fromBytes = (path: string, info: Info, head: Head, bytes: Uint8Array, digest: string): StoredFile => {
  const tag = EntityTag.make(digest.slice(0, 22))
  return { path, info, head, bytes, tag, lastModified: lastModified(info), digest, ...rest }
}

/**
 * A file that is too large to be read whole. While another change might not show, its tag is weak, and another one each time: it
 * matches nothing (§8.8.1).
 */
export const fromInfo = (path: string, info: Info, head: Head): StoredFile => {
  const at = now()
  const state = [info.size, micros(info.modified), micros(info.changed), info.node]
  const weak = !isSettled(info, at)
  const parts = weak ? [...state, at, unsettled++] : state
  const tag = EntityTag.make(parts.map((part) => part.toString(36)).join("-"), { weak })
  return { path, info, head, bytes: undefined, tag, lastModified: lastModified(info), digest: undefined, ...rest }
}

let unsettled = 0

const micros = (millis: number): number => Math.round(millis * 1000)

// What an entry costs besides its bytes.
const overhead = 1024

const costOf = ({ bytes }: StoredFile): number => overhead + (bytes?.length ?? 0)

const put = (store: Store, key: string, file: StoredFile): void => {
  drop(store, key)
  const at = now()
  if (costOf(file) > store.limit || !isSettled(file.info, at) || file.info.modified > at) return
  store.held.set(key, file)
  store.size += costOf(file)
  for (const [oldest, { used }] of store.held) {
    if (store.size <= store.limit) break
    const candidate = store.held.get(oldest)!
    drop(store, oldest)
    if (!used || oldest === key) continue
    // It was of use since: it gets another turn, at the end.
    candidate.used = false
    store.held.set(oldest, candidate)
    store.size += costOf(candidate)
  }
}

const drop = (store: Store, key: string): void => {
  const held = store.held.get(key)
  if (held === undefined) return
  store.held.delete(key)
  store.size -= costOf(held)
}

/** SHA-256 of a file's content in base64url, read once for each of its states. */
export const digest = (files: Files, stored: StoredFile): Effect.Effect<string, FileFailure> =>
  stored.digest !== undefined
    ? Effect.succeed(stored.digest)
    : Effect.acquireUseRelease(
        files.open(stored.path),
        Effect.fnUntraced(function* (file) {
          const hash = files.hash()
          let position = 0
          for (;;) {
            const piece = yield* file.read(position, small)
            if (piece.length === 0) break
            hash.update(piece)
            position += piece.length
          }
          const digest = yield* hash.digest
          if (isSame(file.info, stored.info)) stored.digest = digest
          return digest
        }),
        (file) => file.close
      )
