/**
 * For how long clients may keep a file without asking: by pattern, by fingerprint, by version.
 *
 * ```ts
 * const cacheControl = rules({ cacheControl: { "**\/*.html": "no-cache", "**": "max-age=3600" }, fingerprints: true })
 * cacheControl("assets/index-BxY12abc.css") // "public, max-age=31536000, immutable"
 * ```
 *
 * @spec RFC 9111 §5.2.2; RFC 8246
 */
import * as Glob from "effect/Glob"
import { checkHeader } from "../responses/responseHead.ts"

/** What a name with a fingerprint is answered with: what it names never changes. */
export const immutable = "public, max-age=31536000, immutable"

/** What is answered unless something else is said: clients ask each time, and get a 304. */
export const usual = "no-cache"

/** Cache-Control of all files, by glob pattern (the first that matches), or by the path below the root; undefined is none. */
export type CacheControl = string | { readonly [pattern: string]: string } | ((path: string) => string | undefined)

/** Makes the rules. Throws a TypeError for a value that no header can carry. */
export const rules = (options: {
  readonly cacheControl: CacheControl | undefined
  readonly fingerprints: boolean
}): ((path: string) => string | undefined) => {
  const rule = ruleOf(options.cacheControl ?? usual)
  return options.fingerprints ? (path) => (hasFingerprint(path) ? immutable : rule(path)) : rule
}

const ruleOf = (option: CacheControl): ((path: string) => string | undefined) => {
  if (typeof option === "function") return option
  if (typeof option === "string") {
    checkHeader("cache-control", option)
    return () => option
  }
  const patterns = Object.entries(option).map(([pattern, value]) => {
    checkHeader("cache-control", value)
    return { glob: Glob.make(pattern, { dot: true }), value }
  })
  return (path) => patterns.find(({ glob }) => Glob.match(glob, path))?.value ?? usual
}

/**
 * Whether bundlers have put a hash of the content into the name: `app.3f9a1c2b.js`, `index-BxY12abc.css`. Eight characters or more
 * before the extension, behind "-" or ".", with letters and digits, or letters of both cases, but no words as people write them: of
 * "API-Overview.html" and "vacation1.jpg" the content changes. A hash that looks like one is asked for each time, which does no harm.
 */
export const hasFingerprint = (path: string): boolean => {
  const hash = /[-.]([\w-]{8,64})(?:\.[a-z]\w*){1,2}$/i.exec(path.slice(path.lastIndexOf("/") + 1))?.[1]
  if (hash === undefined) return false
  // Behind a name with "-" in it stand eight; what is hexadecimal is one hash.
  const end = /^[\da-f]+$/i.test(hash) ? hash : hash.slice(-8)
  if (!/^[\da-f]+$/i.test(end) && end.split(/[-_]/).every(isWord)) return false
  return /[a-z]/i.test(end) && (/\d/.test(end) || (/[a-z]/.test(end) && /[A-Z]/.test(end)))
}

const isWord = (text: string): boolean => /^[A-Z]?[a-z]*\d*$/.test(text)
