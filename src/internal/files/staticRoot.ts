/**
 * A directory whose files are served: its options checked, its files looked up, and nothing outside of it.
 *
 * ```ts
 * const root = make({ root: "public" })
 * const file = yield* find(root, files, ["css", "app.css"])
 * ```
 *
 * @source aiohttp.web_urldispatcher.StaticResource
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Glob from "effect/Glob"
import * as ContentType from "../../http/ContentType.ts"
import * as ByteLimit from "../byteLimit.ts"
import { checkHeader } from "../responses/responseHead.ts"
import * as Caching from "./caching.ts"
import * as Codings from "./codings.ts"
import { FileFailure } from "./failure.ts"
import { type Files as Disk, Files } from "./files.ts"
import * as FilePath from "./path.ts"
import type { Options } from "./staticOptions.ts"
import * as FileStore from "./store.ts"

/** The options, ready to be used. */
export interface Root {
  readonly path: string
  readonly index: string | undefined
  readonly fallback:
    | { readonly segments: ReadonlyArray<string>; readonly exclude: ReadonlyArray<Glob.Glob> }
    | undefined
  readonly listing: boolean
  readonly dotfiles: boolean
  readonly followSymlinks: boolean
  readonly describe: (key: string) => FileStore.Head
  readonly choose: Codings.Choose
  readonly store: FileStore.Store
}

/** Checks the options. */
export const make = (options: Options): Root => {
  const {
    contentTypes = {},
    dotfiles = false,
    fallback,
    followSymlinks = false,
    index = true,
    listing = false
  } = options
  for (const [extension, type] of Object.entries(contentTypes)) {
    if (/[.A-Z]/.test(extension)) throw bad(`the extension "${extension}": write it in lower case, without the dot`)
    checkHeader("content-type", type)
  }
  const codings = Codings.fromOption(options.precompressed)
  const { cacheControl, fingerprints = false, memory } = options
  const cacheControlOf = Caching.rules({ cacheControl, fingerprints })
  return {
    path: rootOf(options.root),
    index: index === true ? "index.html" : index === false ? undefined : nameOf(index),
    fallback: fallback === undefined ? undefined : fallbackOf(fallback),
    listing,
    dotfiles,
    followSymlinks,
    describe: (key) => {
      const headers: Record<string, string> = codings.length > 0 ? { vary: "Accept-Encoding" } : {}
      const caching = cacheControlOf(key)
      if (caching !== undefined) {
        checkHeader("cache-control", caching)
        headers["cache-control"] = caching
      }
      return { contentType: ContentType.forName(key, contentTypes), headers }
    },
    choose: Codings.choice(codings),
    store: FileStore.make(Number(memory === undefined ? ByteSize.mebibytes(16) : ByteLimit.parse(memory)))
  }
}

/** The path of a root, without a slash behind it. */
export const rootOf = (root: string | URL): string => FilePath.fromOption(root).replace(/(?<=[^:])[/\\]+$/, "")

const bad = (fault: string) => new TypeError(`StaticFiles.make: ${fault}`)

const nameOf = (index: string): string => {
  if (FilePath.isName(index, true)) return index
  throw bad(`the index ${JSON.stringify(index)} is no name of a file; write one, as "index.html"`)
}

const fallbackOf = (fallback: NonNullable<Options["fallback"]>): NonNullable<Root["fallback"]> => {
  const { exclude, file } = typeof fallback === "string" ? { file: fallback, exclude: [] } : fallback
  const path = FilePath.fromText(file, true)
  if (path === undefined || path.isDirectory) {
    throw bad(`the fallback ${JSON.stringify(file)} is no file below the root; write its path, as "index.html"`)
  }
  return { segments: path.segments, exclude: exclude.map((pattern) => Glob.make(pattern, { dot: true })) }
}

/** The path of a file below the root. */
export const pathOf = (root: Pick<Root, "path">, key: string): string =>
  key === "" ? root.path : `${root.path}/${key}`

/** What to look for to get a file. */
export const wantedOf = (root: Root, files: Disk, key: string): FileStore.Wanted => {
  const path = pathOf(root, key)
  return { path, key, describe: () => root.describe(key), check: insideOf(root, files) }
}

/** Fails with NotFound when a path leads outside of the root by links, or by what a system makes of its names. */
export const inside = (
  root: Pick<Root, "path" | "followSymlinks">,
  files: Disk,
  key: string
): Effect.Effect<void, FileFailure> =>
  Effect.gen(function* () {
    const realRoot = yield* files.realPath(root.path)
    if (!key.split("/").every((name) => FilePath.isPlain(name, realRoot))) return yield* Effect.fail(outside)
    if (root.followSymlinks) return
    if (!FilePath.isInside(realRoot, yield* files.realPath(pathOf(root, key)))) return yield* Effect.fail(outside)
  })

/** The same for the path of a file: that of a sibling may be a link where that of the original is none. */
export const insideOf =
  (root: Pick<Root, "path" | "followSymlinks">, files: Disk): FileStore.Wanted["check"] =>
  (path) =>
    inside(root, files, path.slice(root.path.length + 1))

const outside = new FileFailure("NotFound", undefined)

/** Dies when the root is no directory. */
export const check = (root: Root, files: Disk): Effect.Effect<void> =>
  Effect.matchEffect(files.stat(root.path), {
    onSuccess: ({ kind }) => (kind === "directory" ? Effect.void : Effect.die(noDirectory(root, undefined))),
    onFailure: ({ cause }) => Effect.die(noDirectory(root, cause))
  })

const noDirectory = ({ path }: Root, cause: unknown): Error =>
  new Error(`StaticFiles: the root "${path}" is no directory; create it, or give the path of one`, { cause })

/** The URL of a file, with its version. */
export const url = (root: Root, prefix: string, path: string): Effect.Effect<string> => {
  const plain = `${prefix.replace(/\/+$/, "")}/${path.toWellFormed().split("/").map(encodeURIComponent).join("/")}`
  return Effect.withFiber((fiber) => {
    const files = fiber.getRef(Files)
    const parsed = FilePath.fromText(path, root.dotfiles)
    if (parsed === undefined || parsed.isDirectory) return Exit.succeed(plain)
    const found = FileStore.find(root.store, files, wantedOf(root, files, parsed.segments.join("/")))
    const versioned = Effect.flatMap(found, (file) =>
      typeof file === "string" ? Effect.succeed(plain) : Effect.map(version(files, file), (v) => `${plain}?v=${v}`)
    )
    return Effect.catch(versioned, () => Effect.succeed(plain))
  })
}

/** The version of a file: a hash of its content. */
export const version = (files: Disk, file: FileStore.StoredFile): Effect.Effect<string, FileFailure> =>
  Effect.mapEager(FileStore.digest(files, file), (digest) => digest.slice(0, 22))
