/**
 * Compressed siblings: `app.css.br` in place of `app.css`, for clients that take it.
 *
 * ```ts
 * const choose = codings(["br", "gzip"])
 * const stored = yield* choose(request.headers["accept-encoding"], store, files, wanted, original)
 * ```
 *
 * A sibling has its own validators and length, and the type of the original. One that is older than the original, in whole seconds, is
 * left alone: it was made of another one. So is one that may not be served, as a link that leads outside of the root.
 *
 * @source aiohttp.web.FileResponse
 * @spec RFC 9110 §8.4, §12.5.3
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Accept from "../../http/Accept.ts"
import type { Files } from "./files.ts"
import * as FileStore from "./store.ts"

/** A content coding that a sibling may have: `.zst`, `.br` or `.gz`. */
export type Coding = "zstd" | "br" | "gzip"

const extensions: Readonly<Record<Coding, string>> = { zstd: ".zst", br: ".br", gzip: ".gz" }

/** The codings that an option asks for, in the order of preference. */
export const fromOption = (option: boolean | ReadonlyArray<Coding> | undefined): ReadonlyArray<Coding> =>
  option === true ? ["br", "zstd", "gzip"] : option === false || option === undefined ? [] : option

/** Finds what of a file and its siblings the client likes best. */
export type Choose = (
  acceptEncoding: string | undefined,
  store: FileStore.Store,
  files: Files,
  wanted: FileStore.Wanted,
  original: FileStore.StoredFile
) => Effect.Effect<FileStore.StoredFile>

/** Makes the choice between these codings, the first before the next where the client does not mind. */
export const choice = (offers: ReadonlyArray<Coding>): Choose => {
  const preferred = remembered((header: string) => ranked(header, offers))
  return (acceptEncoding, store, files, wanted, original) => {
    if (acceptEncoding === undefined || offers.length === 0) return Exit.succeed(original)
    const codings = preferred(acceptEncoding)
    const pick = (at: number): Effect.Effect<FileStore.StoredFile> => {
      const coding = codings[at]
      if (coding === undefined) return Exit.succeed(original)
      const found = Effect.catchEager(FileStore.find(store, files, sibling(wanted, original, coding)), () => none)
      return Effect.flatMapEager(found, (file) =>
        typeof file === "string" || seconds(file) < seconds(original) ? pick(at + 1) : Exit.succeed(file)
      )
    }
    return pick(0)
  }
}

const none = Exit.succeed("other" as const)

const seconds = ({ info }: FileStore.StoredFile): number => Math.floor(info.modified / 1000)

const sibling = (wanted: FileStore.Wanted, { head }: FileStore.StoredFile, coding: Coding): FileStore.Wanted => ({
  ...wanted,
  path: wanted.path + extensions[coding],
  key: `${wanted.key}\0${coding}`,
  describe: () => ({ ...head, headers: { ...head.headers, "content-encoding": coding } })
})

// Those that the client likes no less than no coding at all, the best first.
const ranked = (header: string, offers: ReadonlyArray<Coding>): ReadonlyArray<Coding> => {
  const found: Array<Coding> = []
  let left: ReadonlyArray<Coding> = offers
  for (;;) {
    const best = Accept.encoding(header, [...left, "identity"])
    const coding = left.find((each) => each === best)
    if (coding === undefined) return found
    found.push(coding)
    left = left.filter((each) => each !== coding)
  }
}

// Browsers send a handful of values; others must not fill the memory.
const most = 100

const remembered = <A>(f: (header: string) => A): ((header: string) => A) => {
  const known = new Map<string, A>()
  return (header) => {
    const before = known.get(header)
    if (before !== undefined) return before
    const made = f(header)
    if (known.size >= most) known.clear()
    if (header.length <= 200) known.set(header, made)
    return made
  }
}
