/**
 * What users can import: the public names as a snapshot, and no way in to the internal files.
 */
import { assert, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as PublicModules from "./publicModules.ts"
import * as Sources from "./sources.ts"

const internal = PublicModules.internals(Sources.read())

it.effect("the public names are those of the snapshot", () =>
  Effect.gen(function* () {
    const modules = yield* PublicModules.load
    const text = modules.map(({ specifier, values, types }) =>
      [specifier, ...values.map((name) => `  ${name}`), ...types.map((name) => `  type ${name}`)].join("\n")
    )
    yield* Effect.promise(() => expect(`${text.join("\n\n")}\n`).toMatchFileSnapshot("exports.snapshot.txt"))
  })
)

it.effect("the package, its modules and its testing module can be imported", () =>
  Effect.gen(function* () {
    const found = yield* PublicModules.importAll(["effect-web", "effect-web/Route", "effect-web/testing"])
    assert.deepStrictEqual(
      Object.entries(found).filter(([, names]) => typeof names === "string"),
      []
    )
  })
)

it.effect("no internal file can be imported", () =>
  Effect.gen(function* () {
    const specifiers = ["effect-web/internal/anything", ...internal.map(PublicModules.specifierOf)]
    const found = yield* PublicModules.importAll(specifiers)
    assert.deepStrictEqual(
      specifiers.filter((specifier) => !String(found[specifier]).startsWith("ERR_PACKAGE_PATH_NOT_EXPORTED")),
      [],
      'package.json closes each internal folder by its own line in exports, as "./server/internal/*": null'
    )
  })
)

it.effect("a file outside src cannot be imported", () =>
  Effect.gen(function* () {
    const specifiers = ["effect-web/src/Route", "effect-web/../test/sources", "effect-web/Route.ts"]
    const found = yield* PublicModules.importAll(specifiers)
    for (const specifier of specifiers) assert.isString(found[specifier], specifier)
  })
)

describe("the specifier of a file", () => {
  const rows = [
    ["src/index.ts", "effect-web"],
    ["src/Route.ts", "effect-web/Route"],
    ["src/http/Uri.ts", "effect-web/http/Uri"],
    ["src/testing/index.ts", "effect-web/testing"]
  ] as const
  for (const [path, wanted] of rows) {
    it(`${path} is ${wanted}`, () => assert.strictEqual(PublicModules.specifierOf(path), wanted))
  }
})

it("the types of a module are those it declares and those it passes on", () => {
  const source = Sources.make(
    "src/A.ts",
    [
      "export interface A {}",
      "export type B<T> = T // export type C = 1",
      "export declare namespace D {\n  export type E = 1\n}",
      "interface F {}",
      'export { type G, h, type I as J } from "./G.ts"',
      'export type { K, L as M } from "./K.ts"',
      "export const n = 1"
    ].join("\n")
  )
  assert.deepStrictEqual(PublicModules.typesOf(source), ["A", "B", "D", "G", "J", "K", "M"])
})
