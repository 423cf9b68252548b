/**
 * Forms with files, decoded by a schema: what is read from what, what is refused, and that nothing is left behind.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import type * as Body from "../src/Body.ts"
import type * as HttpError from "../src/HttpError.ts"
import * as Multipart from "../src/Multipart.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { served } from "../src/testing/Served.ts"
import type { Sent } from "./bodies.ts"
import { body, field, file, form, latin1, type Part, run, type } from "./multiparts.ts"
import { until } from "./server/both.ts"

const Photo = Schema.Struct({
  title: Schema.NonEmptyString,
  year: Schema.optionalKey(Schema.Int),
  tags: Schema.optionalKey(Schema.Array(Schema.String)),
  photo: Schema.optionalKey(Multipart.File),
  more: Schema.optionalKey(Schema.Array(Multipart.File)),
  notes: Schema.optionalKey(Schema.fromJsonString(Schema.Struct({ a: Schema.Int })))
})
const photo = Multipart.form(Photo)

/** What is known of files, in their place. */
const shown = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(shown)
    : Schema.is(Multipart.File)(value)
      ? [value.name, value.filename, value.contentType, value.size]
      : value

const read = (from: Sent) =>
  run(
    Effect.map(photo, (form) => Object.fromEntries(Object.entries(form).map(([name, value]) => [name, shown(value)]))),
    from
  ).pipe(Effect.provide(NodeServices.layer))

const title = field("title", "T")

describe("a form decodes", () => {
  const rows: ReadonlyArray<readonly [string, ReadonlyArray<Part>, unknown]> = [
    ["texts", [title], { title: "T" }],
    ["numbers of texts", [title, field("year", "1999")], { title: "T", year: 1999 }],
    [
      "JSON of texts",
      [title, field("notes", '{"a":1}', "\r\nContent-Type: application/json")],
      { title: "T", notes: { a: 1 } }
    ],
    ["one value where several may be", [title, field("tags", "a")], { title: "T", tags: ["a"] }],
    ["several values", [field("tags", "a"), title, field("tags", "")], { title: "T", tags: ["a", ""] }],
    [
      "a file",
      [title, file("photo", "a.png", "png", "\r\nContent-Type: image/png")],
      { title: "T", photo: ["photo", "a.png", "image/png", 3] }
    ],
    [
      "an empty file with a name",
      [title, file("photo", "a.png", "")],
      { title: "T", photo: ["photo", "a.png", "application/octet-stream", 0] }
    ],
    [
      "no file where none was chosen",
      [title, file("photo", "", "", "\r\nContent-Type: application/octet-stream"), file("more", "", "")],
      { title: "T" }
    ],
    [
      "a file without a name that has content",
      [title, file("photo", "", "x")],
      { title: "T", photo: ["photo", "", "application/octet-stream", 1] }
    ],
    [
      "several files",
      [file("more", "a", "1"), title, file("more", "a", "22")],
      {
        title: "T",
        more: [
          ["more", "a", "application/octet-stream", 1],
          ["more", "a", "application/octet-stream", 2]
        ]
      }
    ],
    [
      "files in a part that is multipart, as they were sent before RFC 7578",
      [
        title,
        field(
          "more",
          body(
            [
              ['Content-Disposition: file; filename="x"', "1"],
              ['Content-Disposition: file; filename="y"', "2"]
            ],
            "c"
          ),
          "\r\nContent-Type: multipart/mixed; boundary=c"
        )
      ],
      {
        title: "T",
        more: [
          ["more", "x", "application/octet-stream", 1],
          ["more", "y", "application/octet-stream", 1]
        ]
      }
    ],
    [
      "a file whose own type is multipart, as that of a saved page or mail: it is a file, and its content is not read",
      [title, file("photo", "page.mhtml", "From: <Saved by a browser>", "\r\nContent-Type: multipart/related")],
      { title: "T", photo: ["photo", "page.mhtml", "multipart/related", 26] }
    ],
    ["what the schema does not know not", [title, field("other", "x"), file("another", "x", "x")], { title: "T" }]
  ]
  for (const [name, parts, wanted] of rows) {
    it.effect(name, () => Effect.map(read(form(...parts)), (found) => assert.deepStrictEqual(found, wanted as object)))
  }
})

describe("a form that is not its schema is 422 with the paths,", () => {
  const rows: ReadonlyArray<
    readonly [string, ReadonlyArray<Part>, ReadonlyArray<readonly [path: string, message: string]>]
  > = [
    ["a field that is missing", [], [["title", "Missing key"]]],
    [
      "a text that is no number",
      [title, field("year", "x")],
      [["year", "Expected a string representing a finite number"]]
    ],
    ["a text for a file", [title, field("photo", "x")], [["photo", "Expected a file"]]],
    ["a file for a text", [file("title", "x", "T")], [["title", "Expected string"]]],
    ["two files for one", [title, file("photo", "x", ""), file("photo", "y", "")], [["photo", "Expected a file"]]],
    ["one of several files", [title, file("more", "x", ""), field("more", "y")], [["more.1", "Expected a file"]]]
  ]
  for (const [name, parts, wanted] of rows) {
    it.effect(name, () =>
      Effect.map(Effect.flip(read(form(...parts))), (error) => {
        const { issues = [], status } = error as HttpError.UnprocessableContent
        assert.deepStrictEqual([status, issues.map(({ path, message }) => [path.join("."), message])], [422, wanted])
      })
    )
  }
})

it.effect("a second read gets the same parts, after a failure too", () =>
  Effect.gen(function* () {
    const first = yield* photo
    const again = yield* Multipart.form(Schema.Struct({ title: Schema.String, photo: Multipart.File }))
    assert.strictEqual(again.photo, first.photo)
    const error = yield* Effect.flip(Multipart.form(Schema.Struct({ title: Schema.Int })))
    assert.strictEqual(error._tag, "UnprocessableContent")
    assert.strictEqual((yield* photo).photo, first.photo)
  }).pipe((effect) => run(effect, form(title, file("photo", "x", "y"))), Effect.provide(NodeServices.layer))
)

it.effect("a form that could not be read cannot be read by another either", () =>
  Effect.gen(function* () {
    const first = yield* Effect.flip(Multipart.form(Photo, { fieldLimit: 1 }))
    assert.strictEqual(yield* Effect.flip(photo), first)
  }).pipe((effect) => run(effect, form(field("title", "xx"))))
)

/** What the handler saw of its file; each test begins with none. */
let seen: ReadonlyArray<Multipart.File> = []
const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "effect-web-test-"))
const target = Path.join(folder, "kept")
afterAll(() => Fs.rmSync(folder, { recursive: true }))

const Upload = Schema.Struct({ title: Schema.String, file: Multipart.File })

/** Waits until the folder of the file is gone: it goes when the answer is on its way. */
const gone = Effect.suspend(() => until(() => !Fs.existsSync(Path.dirname(seen[0]?.path ?? ""))))

const show = Effect.fnUntraced(function* ({ file, title }: typeof Upload.Type) {
  seen = [file]
  const stored = Fs.readFileSync(file.path, "utf8")
  const mode = (Fs.statSync(file.path).mode & 0o777).toString(8)
  const streamed = yield* Stream.mkString(Stream.decodeText(file.stream))
  return {
    title,
    stored,
    mode,
    streamed,
    text: yield* file.text,
    saved: yield* file.saveTo(target),
    again: yield* file.text
  }
})

const app = App.make({
  described: Route.post("/described", { body: Multipart.form(Upload) }, ({ body }) =>
    Effect.map(show(body), Response.json)
  ),
  yielded: Route.post("/yielded", Effect.map(Effect.flatMap(Multipart.form(Upload), show), Response.json)),
  dies: Route.post("/dies", Effect.flatMap(Effect.flatMap(Multipart.form(Upload), show), Effect.die)),
  streams: Route.post(
    "/streams",
    Effect.map(Multipart.form(Upload), ({ file }) => {
      seen = [file]
      return Response.stream(file.stream)
    })
  )
})

const post = (path: string, ...parts: ReadonlyArray<Part>) =>
  HttpClientRequest.post(path).pipe(HttpClientRequest.bodyUint8Array(latin1(body(parts)), type))

served("the files of a form are there until the response is sent, and no longer", app, (client) =>
  Effect.gen(function* () {
    const parts = [field("title", "T"), file("file", "x.txt", "content")]
    for (const path of ["/described", "/yielded"]) {
      const answer = yield* client.execute(post(path, ...parts))
      assert.deepStrictEqual(yield* answer.json, {
        title: "T",
        stored: "content",
        mode: "600",
        streamed: "content",
        text: "content",
        saved: 7,
        again: "content"
      })
      yield* gone
      assert.strictEqual(Fs.readFileSync(target, "utf8"), "content")
    }
    const streamed = yield* client.execute(post("/streams", ...parts))
    assert.strictEqual(yield* streamed.text, "content")
    yield* gone
    assert.strictEqual((yield* client.execute(post("/dies", ...parts))).status, 500)
    yield* gone
    assert.strictEqual((yield* client.execute(post("/yielded", ...parts.slice(1)))).status, 422)
  })
)

it("a file is binary in a JSON schema", () => {
  const { schema } = Schema.toJsonSchemaDocument(Upload)
  assert.deepStrictEqual(schema.properties, { title: { type: "string" }, file: { type: "string", format: "binary" } })
})

it("types: a form is a body that needs a scope, and what its schema needs", () => {
  expectTypeOf(Multipart.form(Upload)).toEqualTypeOf<
    Body.Body<{ readonly title: string; readonly file: Multipart.File }, Scope.Scope>
  >()
  expectTypeOf<Effect.Services<typeof photo>>().toEqualTypeOf<HttpServerRequest.HttpServerRequest | Scope.Scope>()
  expectTypeOf(app["~R"]).toEqualTypeOf<never>()
})
