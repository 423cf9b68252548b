/**
 * The rules of the architecture: each finds the places that break it and says how to mend them.
 */
import { isBuiltin } from "node:module"
import { type Import, lineAt, type Source } from "./sources.ts"

/** A place that breaks a rule. */
export interface Finding {
  readonly path: string
  readonly line: number
  readonly text: string
}

/** A rule: `title` is what holds, `cure` what to do where it does not. */
export interface Rule {
  readonly title: string
  readonly cure: string
  readonly find: (sources: ReadonlyArray<Source>) => ReadonlyArray<Finding>
}

/** One line for each finding, then the cure. */
export const report = (rule: Rule, findings: ReadonlyArray<Finding>): string =>
  [...findings.map(({ path, line, text }) => `${path}:${line} ${text}`), `Cure: ${rule.cure}`].join("\n")

const perImport = (broken: (path: string, one: Import) => string | undefined): Rule["find"] => {
  return (sources) =>
    sources.flatMap(({ path, imports }) =>
      imports.flatMap((one) => {
        const text = broken(path, one)
        return text === undefined ? [] : [{ path, line: one.line, text }]
      })
    )
}

const perMatch = (pattern: RegExp, allowed: (source: Source, line: number) => boolean = () => false): Rule["find"] => {
  return (sources) =>
    sources.flatMap((source) => {
      const lines = source.text.split("\n")
      return [...source.code.matchAll(pattern)]
        .map((match) => lineAt(source.code, match.index + match[0].search(/\S/)))
        .filter((line) => !allowed(source, line))
        .map((line) => ({ path: source.path, line, text: lines[line - 1]!.trim() }))
    })
}

const barrel = 5
const layers = new Map([
  ["http", 0],
  ["", 1],
  ["internal", 1],
  ["middleware", 2],
  ["handlers", 2],
  ["server", 3],
  ["testing", 4]
])

const folderOf = (path: string): string => /^src\/(?:([^/]+)\/)?/.exec(path)?.[1] ?? ""

const layerOf = (path: string): number | undefined =>
  /^src\/(?:testing\/)?index\.ts$/.test(path) ? barrel : layers.get(folderOf(path))

const layering: Rule = {
  title: "a file imports only from its own layer or below",
  cure:
    "move what is shared down (0 src/http, 1 src and src/internal, 2 src/middleware and src/handlers, 3 src/server, " +
    "4 src/testing), and import the module itself, never a barrel; a new folder needs a layer",
  find: perImport((path, { target }) => {
    if (target === undefined) return undefined
    const [from, to] = [layerOf(path), layerOf(target)]
    if (from === undefined) return `is in no layer`
    if (to === undefined || !target.startsWith("src/")) return `imports ${target}, which is in no layer`
    return to > from ? `(layer ${from}) imports ${target} (${to === barrel ? "a barrel" : `layer ${to}`})` : undefined
  })
}

const islands: Rule = {
  title: "a middleware or ready handler imports none of its siblings",
  cure: "move what both need to src/http or src/internal, or hand it over as an option",
  find: perImport((path, { target }) =>
    target !== undefined && /^(?:middleware|handlers)$/.test(folderOf(path)) && folderOf(path) === folderOf(target)
      ? `imports its sibling ${target}`
      : undefined
  )
}

const cycles: Rule = {
  title: "no file imports itself, not through others either",
  cure: "move what both need to a third file; what is needed for its types only, import with `import type`",
  find: (sources) => {
    const byPath = new Map(sources.map((source) => [source.path, source]))
    const done = new Set<string>()
    const visit = (path: string, above: ReadonlyArray<string>): ReadonlyArray<Finding> => {
      if (done.has(path)) return []
      const trail = [...above, path]
      const values = (byPath.get(path)?.imports ?? []).filter(({ kind }) => kind === "value")
      const found = values.flatMap(({ target, line }) => {
        if (target === undefined) return []
        const start = trail.indexOf(target)
        if (start < 0) return visit(target, trail)
        return [{ path, line, text: `closes the cycle ${[...trail.slice(start), target].join(" -> ")}` }]
      })
      done.add(path)
      return found
    }
    return sources.flatMap(({ path }) => visit(path, []))
  }
}

const header: Rule = {
  title: "every file begins with a doc comment",
  cure: "say in one sentence what the module is for, then a five-line example, @source and @spec",
  find: (sources) =>
    sources
      .filter(({ text }) => !/^\/\*\*[\s*]*[^\s*/]/.test(text))
      .map(({ path }) => ({ path, line: 1, text: "has no header" }))
}

const most = 250
const length: Rule = {
  title: `no file is longer than ${most} lines`,
  cure: "split it where the second concept begins; 120 lines are usual",
  find: (sources) =>
    sources
      .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }))
      .filter(({ lines }) => lines > most)
      .map(({ path, lines }) => ({ path, line: most + 1, text: `has ${lines} lines` }))
}

const names: Rule = {
  title: "no file is named after nothing",
  cure: "name it by the word that its user types; a file of utils, helpers, common or types has no such word",
  find: (sources) =>
    sources
      .filter(({ path }) => /\/(?:utils?|helpers?|common|types)(?:\/|\.ts$)/i.test(path))
      .map(({ path }) => ({ path, line: 1, text: "has a name that says nothing" }))
}

const defaults: Rule = {
  title: "no default export",
  cure: "export it by name: the module is the namespace",
  find: perMatch(/^[ \t]*export\s+default\b|^[ \t]*export\s*\{[^}]*\bas\s+default\b/gm)
}

const deep: Rule = {
  title: "Effect is imported module by module",
  cure: 'import * as Effect from "effect/Effect": the barrels load three times as long',
  find: perImport((_, { specifier }) =>
    /^effect(?:\/|$)/.test(specifier) && !/\/[A-Z]\w*$/.test(specifier)
      ? `imports the barrel "${specifier}"`
      : undefined
  )
}

const node: Rule = {
  title: "only server and testing know Node",
  cure: "take what is needed as a service or an option, and give it in src/server",
  find: perImport((path, { specifier }) =>
    (isBuiltin(specifier) || specifier.startsWith("@effect/platform-node")) &&
    !/^(?:server|testing)$/.test(folderOf(path))
      ? `imports "${specifier}"`
      : undefined
  )
}

const platform: Rule = {
  title: "the barrel of @effect/platform-node is never imported",
  cure: 'import its module, as "@effect/platform-node/NodeHttpServer": the barrel loads undici, redis and ws',
  find: perImport((_, { specifier }) =>
    /^@effect\/platform-node(?:\/index)?$/.test(specifier) ? `imports "${specifier}"` : undefined
  )
}

const endings: Rule = {
  title: "own modules are imported by relative paths that end in .ts",
  cure: 'write "./Name.ts"; Node runs the sources as they are, and the build rewrites the ending',
  find: perImport((_, { specifier, target }) =>
    (target === undefined ? /^effect-web(?:\/|$)/.test(specifier) : !specifier.endsWith(".ts"))
      ? `imports "${specifier}"`
      : undefined
  )
}

/** Only a `//` comment counts: a doc comment stands above every export. */
const hasReason = ({ text }: Source, line: number): boolean => /^\s*\/\/\s*\S/.test(text.split("\n")[line - 2] ?? "")

const any: Rule = {
  title: "no `any` without a reason",
  cure: "use the type, a type parameter or `unknown`; where `any` is the only way, the `//` line above says why",
  find: perMatch(/(?::|\bas|\bextends|=>|[=<|&,])[ \t\n]*\bany\b(?!\s*[:?(.=])/g, hasReason)
}

const asynchronous: Rule = {
  title: "no async function",
  cure: "write an Effect; Effect.tryPromise takes what others give as a promise",
  find: perMatch(/(?<![.\w$])async\b(?=\s*(?:function\b|\(|\*|[\w$]+\s*(?:=>|\()))/g)
}

const clock: Rule = {
  title: "time and chance come from Clock and Random",
  cure: "yield* Clock.currentTimeMillis or Random.next: tests set them",
  find: perMatch(/\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b/g)
}

/** All rules. */
export const rules = {
  layering,
  islands,
  cycles,
  header,
  length,
  names,
  defaults,
  deep,
  node,
  platform,
  endings,
  any,
  asynchronous,
  clock
} as const
