/**
 * What StaticFiles may be told.
 *
 * ```ts
 * StaticFiles.make({ root: "dist", fallback: "index.html", fingerprints: true, precompressed: true })
 * ```
 */
import type * as ByteSize from "effect/ByteSize"
import type * as Caching from "./caching.ts"
import type { Coding } from "./codings.ts"

/** Which files, and how. */
export interface Options {
  /** The directory: a path from the working directory, or a `file:` URL. */
  readonly root: string | URL
  /** What a directory is answered with: the file of this name in it; true, and unless given, "index.html". */
  readonly index?: boolean | string
  /**
   * Answers what is not there with this file, for single-page apps: where HTML is asked for by name, and the last segment has no
   * dot in it. Paths that match a pattern of `exclude` stay 404.
   */
  readonly fallback?: string | { readonly file: string; readonly exclude: ReadonlyArray<string> }
  /** Whether a directory without an index is listed; otherwise it is Forbidden (403). */
  readonly listing?: boolean
  /** Whether names that begin with a dot are served. */
  readonly dotfiles?: boolean
  /** Whether links may lead outside of the root; those that stay inside are followed in any case. */
  readonly followSymlinks?: boolean
  /** Whether `app.css.br`, `.zst` and `.gz` stand in for `app.css` where the client takes them; a list names those that do. */
  readonly precompressed?: boolean | ReadonlyArray<Coding>
  /**
   * Cache-Control: of all files; by glob pattern of the path below the root, as `{ "assets/**": "max-age=3600" }`, where the first
   * that matches counts; or by a function of that path. "no-cache" where nothing is said: clients ask each time, and get a 304.
   */
  readonly cacheControl?: Caching.CacheControl
  /** Whether names with a hash in them, as bundlers make them (`index-BxY12abc.css`), are `immutable` for a year. */
  readonly fingerprints?: boolean
  /** Content types by extension, as `{ glb: "model/gltf-binary" }`, in place of the registered ones. */
  readonly contentTypes?: { readonly [extension: string]: string }
  /** The most memory that the small files may take; 16 MiB unless given, 0 for none. */
  readonly memory?: ByteSize.Input
}
