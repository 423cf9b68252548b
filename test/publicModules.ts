/**
 * What a user of the package can import: the modules and the names in them, as Node itself finds them by the exports of
 * package.json.
 */
import * as Effect from "effect/Effect"
import { run } from "./run.ts"
import * as Sources from "./sources.ts"

/** A module: how a user names it, its file, its values (what exists when it runs) and its types. */
export interface PublicModule {
  readonly specifier: string
  readonly path: string
  readonly values: ReadonlyArray<string>
  readonly types: ReadonlyArray<string>
}

const isInternal = (path: string): boolean => path.split("/").includes("internal")

/** The specifier of a file of `src/`: `src/http/Uri.ts` is `effect-web/http/Uri`. */
export const specifierOf = (path: string): string =>
  path.replace(/^src(?=\/)/, "effect-web").replace(/(?:\/index)?\.ts$/, "")

/** The files of `src/` that are not for users. */
export const internals = (sources: ReadonlyArray<Sources.Source>): ReadonlyArray<string> =>
  sources.map(({ path }) => path).filter(isInternal)

const typeDeclaration = /^export\s+(?:declare\s+)?(?:interface|type|namespace)\s+([\w$]+)/gm
const clause = /^export\s+(type\s+)?\{([^}]*)\}/gm

/** The types that a source exports by name, those it passes on included. */
export const typesOf = ({ code }: Sources.Source): ReadonlyArray<string> => {
  const passed = [...code.matchAll(clause)].flatMap(([, all, names]) =>
    names!
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "" && (all !== undefined || name.startsWith("type ")))
      .map((name) => name.replace(/^type\s+/, "").replace(/^.*\sas\s+/, ""))
  )
  return [...new Set([...[...code.matchAll(typeDeclaration)].map((match) => match[1]!), ...passed])]
}

const program = `
const found = {}
for (const specifier of process.argv.slice(1)) {
  found[specifier] = await import(specifier).then(Object.keys, (error) => (error.code ?? error.name) + ": " + error.message)
}
process.stdout.write(JSON.stringify(found))`

/** Imports each specifier in one Node process: the names of its values, or the code and the message of the error. */
export const importAll = (
  specifiers: ReadonlyArray<string>
): Effect.Effect<{ readonly [specifier: string]: ReadonlyArray<string> | string }> =>
  Effect.map(
    run(
      process.execPath,
      ["--conditions=effect-web-source", "--input-type=module", "--eval", program, "--", ...specifiers],
      Sources.root
    ),
    ({ code, output, errors }) => {
      if (code !== 0) throw new Error(`node ended with ${code}: ${errors}`)
      return JSON.parse(output)
    }
  )

/** All public modules, sorted by specifier. A module that does not load is a defect that names it. */
export const load: Effect.Effect<ReadonlyArray<PublicModule>> = Effect.gen(function* () {
  const sources = Sources.read().filter(({ path }) => !isInternal(path))
  const found = yield* importAll(sources.map(({ path }) => specifierOf(path)))
  return sources
    .map((source) => {
      const specifier = specifierOf(source.path)
      const values = found[specifier]
      if (typeof values !== "object") throw new Error(`${specifier} does not load: ${values}`)
      const types = typesOf(source).filter((name) => !values.includes(name))
      return { specifier, path: source.path, values: [...values].sort(), types: types.sort() }
    })
    .sort((a, b) => (a.specifier < b.specifier ? -1 : 1))
})
