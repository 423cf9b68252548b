/**
 * The app that the tables of multipart bodies ask: it reads them in every way.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../../src/App.ts"
import * as Multipart from "../../src/Multipart.ts"
import * as Response from "../../src/Response.ts"
import * as Route from "../../src/Route.ts"

interface Parts extends ReadonlyArray<readonly [name: string, content: string | Parts]> {}

const read = (reader: Multipart.Reader): Effect.Effect<Parts, Multipart.Failure> =>
  Effect.gen(function* () {
    const found: Array<readonly [string, string | Parts]> = []
    for (let part = yield* reader.next; part !== undefined; part = yield* reader.next) {
      const name = part.filename === undefined ? part.name : `${part.name}/${part.filename}`
      found.push([name, part.contentType.startsWith("multipart/") ? yield* read(yield* part.parts) : yield* part.text])
    }
    return found
  })

const skip = Effect.gen(function* () {
  const parts = yield* Multipart.readerWith({ limit: "64 MiB" })
  return Response.text(String(yield* Stream.runCount(parts.stream)))
})

/** A folder for one request. */
const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-web-test-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
)

const save = Effect.gen(function* () {
  const path = yield* folder
  // Each file is synced: a thousand take their time
  const parts = yield* Multipart.readerWith({ maxParts: 20 })
  const sizes: Array<number> = []
  for (let part = yield* parts.next; part !== undefined; part = yield* parts.next) {
    sizes.push(yield* part.saveTo(`${path}/${part.filename || "none"}`))
  }
  return Response.json({ sizes, names: Fs.readdirSync(path).toSorted() })
})

const Form = Schema.Struct({
  title: Schema.String,
  count: Schema.optionalKey(Schema.Int),
  tag: Schema.optionalKey(Schema.Array(Schema.String)),
  file: Schema.optionalKey(Multipart.File)
})

const form = Effect.gen(function* () {
  const { file, ...texts } = yield* Multipart.form(Form)
  return Response.json({ ...texts, file: file && [file.filename, file.size, yield* file.text] })
})

/** Routes for every way to read a multipart body. */
export const app = App.make({
  probe: Route.get("/probe", Response.text("probe")),
  parts: Route.post("/parts", Effect.map(Effect.flatMap(Multipart.reader, read), Response.json)),
  skip: Route.post("/skip", skip),
  save: Route.post("/save", save),
  form: Route.post("/form", form)
})
