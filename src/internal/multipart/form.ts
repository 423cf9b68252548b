/**
 * The parts of a form, all of them: texts in memory, files in a directory that the scope deletes.
 *
 * ```ts
 * const entries = yield* collect(reader, limits, () => true) // [["title", "Hello"], ["photo", file]]
 * ```
 *
 * @spec RFC 7578
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as MediaType from "../../http/MediaType.ts"
import type { Failure, File, Part, Reader } from "../../Multipart.ts"
import * as BodyChunks from "../bodies/bodyChunks.ts"
import * as Content from "./content.ts"
import { type Limits, larger, quoted } from "./limits.ts"
import { platform, spool } from "./saveTo.ts"

/** A field or a file of a form, by its name. */
export type Entry = readonly [name: string, value: string | File]

const known = new WeakSet<object>()

/** True for a file of a form. */
export const isFile = (u: unknown): u is File => typeof u === "object" && u !== null && known.has(u)

/** Reads all parts but the files that nobody knows. Those of a part that is multipart itself have its name (RFC 7578 §4.3). */
export const collect = (
  reader: Reader,
  limits: Limits,
  knows: (name: string) => boolean
): Effect.Effect<ReadonlyArray<Entry>, Failure, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Effect.cached(temporary)
    const entries: Array<Entry> = []
    let [memory, stored] = [0, 0]
    const add = (reader: Reader, outer?: string): Effect.Effect<void, Failure, Scope.Scope> =>
      Stream.runForEach(
        reader.stream,
        Effect.fnUntraced(function* (part) {
          const name = outer ?? part.name
          if (part.filename === undefined && part.contentType.startsWith("multipart/")) {
            return yield* add(yield* part.parts, name)
          }
          // Whatever its type: a page or a mail that was saved is multipart as well
          if (part.filename !== undefined) {
            if (!knows(name)) return
            const file = yield* store(part, name, part.filename, `${yield* directory}/${stored++}`)
            // What a browser sends where no file was chosen
            if (file.size > 0 || file.filename !== "") entries.push([name, file])
            return
          }
          memory += (yield* part.bytes).length
          if (memory > limits.fields) return yield* Effect.fail(larger("The fields together are", limits.fields))
          entries.push([name, yield* part.text])
        })
      )
    yield* add(reader)
    return entries
  })

const temporary = Effect.flatMap(platform(FileSystem.FileSystem), (files) =>
  Effect.orDie(files.makeTempDirectoryScoped({ prefix: "effect-web-" }))
)

const store = Effect.fnUntraced(function* (part: Part, name: string, filename: string, path: string) {
  const files = yield* platform(FileSystem.FileSystem)
  const { contentType, headers } = part
  const size = yield* spool(files, Content.openOf(part), path)
  const charset = MediaType.parse(headers["content-type"] ?? "")?.parameters.charset
  const open = Effect.map(Stream.toPull(Stream.orDie(files.stream(path))), BodyChunks.make)
  const file = Content.make(
    { name, filename, contentType, headers, size, path },
    { what: `The file ${quoted(name)}`, charset, open }
  )
  known.add(file)
  return file
})
