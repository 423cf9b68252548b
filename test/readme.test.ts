/**
 * What the README names exists: the paths and the names in its tables; and it names every public module.
 */
import * as Fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Markdown from "./markdown.ts"
import * as PublicModules from "./publicModules.ts"
import * as Sources from "./sources.ts"

const file = `${Sources.root}README.md`
const readme = Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : ""
const tables = Markdown.tables(readme)
const wanted = ["aiohttp.web", "effect-web", "example", "test"]
const isMain = ({ columns }: Markdown.Table): boolean => wanted.every((name) => columns.includes(name))

/** The folder that a bare file name in a column is in. */
const folderOf: { readonly [column: string]: string } = { example: "examples/", test: "test/" }

const missing = (column: string, cell: string): ReadonlyArray<string> =>
  Markdown.paths(cell).filter(
    (path) => !["", folderOf[column] ?? ""].some((folder) => Fs.existsSync(`${Sources.root}${folder}${path}`))
  )

/** The declarations of Effect's modules, for names such as `Layer.provide`. */
const declarations = ["effect", "@effect/platform-node"].flatMap((name) => {
  const folder = `${Sources.root}node_modules/${name}/dist/`
  return Fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => `${folder}${path}`)
})

const isOfEffect = (module: string, name: string): boolean =>
  declarations
    .filter((path) => path.endsWith(`/${module}.d.ts`))
    .some((path) => {
      const text = Fs.readFileSync(path, "utf8")
      return new RegExp(`\\b(?:const|function|class|interface|type|namespace|as) ${name}\\b`).test(text)
    })

const barrel = (path: string): ReadonlyArray<string> =>
  (Sources.read().find((source) => source.path === path)?.code ?? "")
    .split("\n")
    .flatMap((line) => /^export \* as ([\w$]+) from/.exec(line)?.[1] ?? [])

it("the README has the table of what aiohttp.web has", () => {
  const table = tables.find(isMain)
  assert.isDefined(table, `README.md has no table with the columns ${wanted.join(" | ")}`)
  assert.isNotEmpty(table!.rows)
})

it("every path in the README's tables exists", () => {
  const found = tables.flatMap(({ columns, rows }) =>
    rows.flatMap((row) => columns.flatMap((column) => missing(column, row[column]!)))
  )
  assert.deepStrictEqual(found, [])
})

it.effect("every name in the README's column effect-web is exported", () =>
  Effect.gen(function* () {
    const modules = yield* PublicModules.load
    const unknown = ([module, name]: readonly [string, string]): boolean => {
      const own = modules.filter(({ specifier }) => specifier.endsWith(`/${module}`))
      if (own.length === 0) return !isOfEffect(module, name)
      return !own.some(({ values, types }) => values.includes(name) || types.includes(name))
    }
    const rows = tables.filter(isMain).flatMap(({ rows }) => rows.filter((row) => !Markdown.isComing(row)))
    const found = rows.flatMap((row) => Markdown.identifiers(row["effect-web"]!)).filter(unknown)
    assert.deepStrictEqual(
      found.map((names) => names.join(".")),
      []
    )
  })
)

it("the README names every public module in code", () => {
  const text = Markdown.code(readme).join("\n")
  const names = ["src/index.ts", "src/testing/index.ts"].flatMap(barrel)
  assert.isNotEmpty(names, "src/index.ts exports no module")
  assert.deepStrictEqual(
    names.filter((name) => !new RegExp(`(?<![\\w$])${name}(?![\\w$])`).test(text)),
    []
  )
})

const sample = `# effect-web

\`\`\`ts
| no | table |
|---|---|
import { App, Route } from "effect-web"
\`\`\`

| aiohttp.web | effect-web | example | test |
|:--|---|---|--:|
| \`run_app\` | \`Server.run(app, { port: 8080 })\` | [hello](examples/01-hello.ts) | \`test/server/Server.test.ts\` |
| \`Response\\|text\` | \`Response.text("Html.none")\`, \`new Redirect.Found({})\` | \`02-text.ts\` | test/Response.test.ts:12, [more](./docs/a.md#b) |
| proxy | \`Proxy.make\` (coming) | | |

Text with \`\`Session.\`a\`\`\` and [a link](https://example.com).

Column | **Other** \`one\`
--- | ---
a | b`

describe("a Markdown text", () => {
  const [main, other] = Markdown.tables(sample)

  it("gives its tables, without those in fenced code", () => {
    assert.lengthOf(Markdown.tables(sample), 2)
    assert.deepStrictEqual(main!.columns, wanted)
    assert.deepStrictEqual(
      main!.rows.map((row) => row["aiohttp.web"]),
      ["`run_app`", "`Response|text`", "proxy"]
    )
    assert.deepStrictEqual(other, { columns: ["Column", "Other one"], rows: [{ Column: "a", "Other one": "b" }] })
  })

  it("gives the code of fences and spans", () => {
    const [first, ...rest] = Markdown.code(sample)
    assert.include(first!, 'from "effect-web"')
    assert.include(rest, "Proxy.make")
    assert.notInclude(rest.join(), "import")
  })

  const identifiers: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["`Server.run(app, { port: 8080 })`", ["Server.run"]],
    ['`Response.text("Html.none")`, `new Redirect.Found({})`', ["Response.text", "Redirect.Found"]],
    ["`App.make(routes).pipe(App.use(RequestId.make()))`", ["App.make", "App.use", "RequestId.make"]],
    ["`request.Body.x`, `route.path`, `Route`, Session.make in prose", []],
    ["", []]
  ]
  for (const [cell, wanted] of identifiers) {
    it(`gives the identifiers ${wanted.join(", ") || "(none)"} of ${cell || "an empty cell"}`, () => {
      assert.deepStrictEqual(
        Markdown.identifiers(cell).map((names) => names.join(".")),
        wanted
      )
    })
  }

  const paths: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["[hello](examples/01-hello.ts)", ["examples/01-hello.ts"]],
    ["`test/server/Server.test.ts`, test/App.test.ts:12", ["test/server/Server.test.ts", "test/App.test.ts"]],
    ["[more](./docs/a.md#part) and `02-text.ts`", ["docs/a.md", "02-text.ts"]],
    ["`bench/`, `src/http`", ["bench/", "src/http"]],
    ["`Body.json`, Body.json and `package.json`", ["package.json"]],
    ['[site](https://example.com/a.ts), [here](#a), `Route.get("/a/b.ts")`, and/or, `/items/{id}`, 1.5', []]
  ]
  for (const [cell, wanted] of paths) {
    it(`gives the paths ${wanted.join(", ") || "(none)"} of ${cell}`, () => {
      assert.deepStrictEqual(Markdown.paths(cell), wanted)
    })
  }

  const coming: ReadonlyArray<readonly [string, boolean]> = [
    ["coming", true],
    ["*coming*", true],
    ["`Proxy.make` (coming)", true],
    ["`Proxy.make` _coming soon_", true],
    ["coming: 0.3", true],
    ["headers coming from a proxy", false],
    ["incoming", false],
    ["", false]
  ]
  for (const [cell, wanted] of coming) {
    it(`${wanted ? "marks" : "does not mark"} a row with the cell "${cell}" as coming`, () => {
      assert.strictEqual(Markdown.isComing({ "effect-web": "`A.b`", test: cell }), wanted)
    })
  }
})
