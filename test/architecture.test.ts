/**
 * The rules of the architecture hold for the sources, and each of them can fail.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Rule, report, rules } from "./rules.ts"
import * as Sources from "./sources.ts"

describe("the sources", () => {
  const sources = Sources.read()

  it("are found", () =>
    assert.include(
      sources.map(({ path }) => path),
      "src/index.ts"
    ))

  for (const rule of Object.values<Rule>(rules)) {
    it(rule.title, () => {
      const findings = rule.find(sources)
      if (findings.length > 0) assert.fail(report(rule, findings))
    })
  }
})

type Files = { readonly [path: string]: string }
type Row = readonly [name: string, rule: Rule, files: Files, wanted: ReadonlyArray<string>]

const lines = (count: number): string => "/** A. */\n".repeat(count)

const rows: ReadonlyArray<Row> = [
  [
    "an import from a layer above",
    rules.layering,
    {
      "src/http/Uri.ts": `/** A. */\nimport * as App from "../App.ts"\n`,
      "src/App.ts": `import type { Site } from "./server/Site.ts"`,
      "src/internal/routes.ts": `import * as Cors from "../middleware/Cors.ts"`,
      "src/handlers/Health.ts": `export * from "../server/Site.ts"`,
      "src/server/Site.ts": `const memory = () => import("../testing/Memory.ts")`
    },
    [
      "src/http/Uri.ts:2",
      "src/App.ts:1",
      "src/internal/routes.ts:1",
      "src/handlers/Health.ts:1",
      "src/server/Site.ts:1"
    ]
  ],
  [
    "an import of a barrel",
    rules.layering,
    {
      "src/App.ts": `import { Route } from "./index.ts"`,
      "src/testing/Memory.ts": `import { Route } from "./index.ts"`
    },
    ["src/App.ts:1", "src/testing/Memory.ts:1"]
  ],
  [
    "a folder without a layer, and a file outside",
    rules.layering,
    {
      "src/extra/A.ts": `import * as Uri from "../http/Uri.ts"`,
      "src/App.ts": `import manifest from "../package.json"\nimport * as A from "./extra/A.ts"`
    },
    ["src/extra/A.ts:1", "src/App.ts:1", "src/App.ts:2"]
  ],
  [
    "imports from the own layer, from below and by a barrel",
    rules.layering,
    {
      "src/index.ts": `export * as Client from "./testing/Client.ts"\nexport * as Testing from "./testing/index.ts"`,
      "src/testing/index.ts": `export * as Client from "./Client.ts"`,
      "src/testing/Client.ts": `import * as Site from "../server/Site.ts"`,
      "src/App.ts": `import * as Route from "./Route.ts"\nimport * as Uri from "./http/Uri.ts"\nimport * as tree from "./internal/tree.ts"`,
      "src/internal/tree.ts": `import type { Route } from "../Route.ts"`,
      "src/middleware/Cors.ts": `import * as Effect from "effect/Effect"\nimport * as Health from "../handlers/Health.ts"`
    },
    []
  ],
  [
    "an example in a comment and the text of a template",
    rules.layering,
    {
      "src/http/Uri.ts": `/**\n * \`\`\`ts\nimport { App } from "../App.ts"\n */\nconst page = html\`<script>\nimport a from "../App.ts"\n</script>\``
    },
    []
  ],
  [
    "a sibling",
    rules.islands,
    {
      "src/middleware/Cors.ts": `import type { Options } from "./Csrf.ts"`,
      "src/handlers/Proxy.ts": `\nimport {\n  make\n} from "./Health.ts"`,
      "src/middleware/internal/A.ts": `import "../Cors.ts"`
    },
    ["src/middleware/Cors.ts:1", "src/handlers/Proxy.ts:2", "src/middleware/internal/A.ts:1"]
  ],
  [
    "neighbours elsewhere",
    rules.islands,
    {
      "src/App.ts": `import * as Route from "./Route.ts"`,
      "src/middleware/Cors.ts": `import * as App from "../App.ts"`
    },
    []
  ],
  [
    "a cycle of three and a file that imports itself",
    rules.cycles,
    {
      "src/A.ts": `/** A. */\nimport * as B from "./B.ts"`,
      "src/B.ts": `export { c } from "./C.ts"`,
      "src/C.ts": `import "./A.ts"`,
      "src/D.ts": `import { type D } from "./D.ts"`
    },
    ["src/C.ts:1", "src/D.ts:1"]
  ],
  [
    "cycles of types, and imports made when a function runs",
    rules.cycles,
    {
      "src/A.ts": `import * as B from "./B.ts"\nimport * as C from "./C.ts"`,
      "src/B.ts": `import type * as A from "./A.ts"\nexport type { A } from "./A.ts"\nimport * as C from "./C.ts"`,
      "src/C.ts": `const a = () => import("./A.ts")`
    },
    []
  ],
  [
    "no header, an empty one, one that comes late",
    rules.header,
    {
      "src/A.ts": `import * as B from "./B.ts"`,
      "src/B.ts": `/** */\nexport const b = 1`,
      "src/C.ts": `import * as B from "./B.ts"\n/** C. */`,
      "src/D.ts": `// D`,
      "src/E.ts": `/**\n * E.\n */`
    },
    ["src/A.ts:1", "src/B.ts:1", "src/C.ts:1", "src/D.ts:1"]
  ],
  ["251 lines", rules.length, { "src/A.ts": lines(251), "src/B.ts": lines(250) }, ["src/A.ts:251"]],
  [
    "names that say nothing",
    rules.names,
    {
      "src/http/utils.ts": "",
      "src/Types.ts": "",
      "src/internal/helpers.ts": "",
      "src/common/A.ts": "",
      "src/http/MediaType.ts": "",
      "src/internal/routeTypes.ts": ""
    },
    ["src/http/utils.ts:1", "src/Types.ts:1", "src/internal/helpers.ts:1", "src/common/A.ts:1"]
  ],
  [
    "a default export",
    rules.defaults,
    {
      "src/A.ts": `\nexport default 1`,
      "src/B.ts": `export { a as default }`,
      "src/C.ts": `import { default as a } from "a"\nexport const text = "export default"\n// export default`
    },
    ["src/A.ts:2", "src/B.ts:1"]
  ],
  [
    "a barrel of Effect",
    rules.deep,
    {
      "src/A.ts": `import { Effect } from "effect"\nimport { HttpRouter } from "effect/http"\nimport type * as T from "effect/testing"`,
      "src/B.ts": `import * as Effect from "effect/Effect"\nimport * as Router from "effect/http/HttpRouter"\nimport * as E from "effect-other"`
    },
    ["src/A.ts:1", "src/A.ts:2", "src/A.ts:3"]
  ],
  [
    "Node in the core",
    rules.node,
    {
      "src/A.ts": `import * as Fs from "node:fs"\nimport type { Socket } from "net"`,
      "src/handlers/B.ts": `import * as Server from "@effect/platform-node/NodeHttpServer"`,
      "src/server/C.ts": `import * as Http from "node:http"`,
      "src/testing/D.ts": `import * as Server from "@effect/platform-node/NodeHttpServer"`
    },
    ["src/A.ts:1", "src/A.ts:2", "src/handlers/B.ts:1"]
  ],
  [
    "the barrel of the platform",
    rules.platform,
    {
      "src/server/A.ts": `import { NodeHttpServer } from "@effect/platform-node"`,
      "src/server/B.ts": `import * as Server from "@effect/platform-node/NodeHttpServer"`
    },
    ["src/server/A.ts:1"]
  ],
  [
    "a relative import without .ts, and one by the package's name",
    rules.endings,
    {
      "src/A.ts": `import * as B from "./B"\nexport * from "./B.js"\nimport type * as C from "effect-web/C"\nimport "."`,
      "src/B.ts": `import * as A from "./A.ts"\nimport * as Effect from "effect/Effect"`
    },
    ["src/A.ts:1", "src/A.ts:2", "src/A.ts:3", "src/A.ts:4"]
  ],
  [
    "an any",
    rules.any,
    {
      "src/A.ts": `/** Says nothing of it. */\nexport const f = (a: any): Effect<string, any> => a as any\nexport type T<\n  A extends any\n> = any`,
      "src/B.ts": `// the checker compares with this one only\nexport type Any = Route<any, any>\n`,
      "src/C.ts": `// any: here\nconst any = 1\nconst a = { any: 2, b: any(1) } // : any\nconst b = Schema.Any\nconst c = "as any"`
    },
    ["src/A.ts:2", "src/A.ts:2", "src/A.ts:2", "src/A.ts:4", "src/A.ts:5"]
  ],
  [
    "an async function",
    rules.asynchronous,
    {
      "src/A.ts": `async function f() {}\nconst g = async () => 1\nconst h = async x => x\nclass C {\n  async run() {}\n}\nconst t = \`\${async () => \`}\`}\``,
      "src/B.ts": `const a = Effect.async(() => {})\n// async function\nconst b = "async ()"\nconst c = { async: true }\nconst quote = /["'\`]/ // async ()`
    },
    ["src/A.ts:1", "src/A.ts:2", "src/A.ts:3", "src/A.ts:5", "src/A.ts:7"]
  ],
  [
    "the clock of the machine",
    rules.clock,
    {
      "src/A.ts": `const a = Date.now()\nconst b = Math.random()\nconst c = new Date()\nconst d = \`\${\`\${Date.now()}\`} Date.now()\``,
      "src/B.ts": "const a = new Date(0)\nconst b = Clock.currentTimeMillis // Date.now()\nconst c = `Math.random`"
    },
    ["src/A.ts:1", "src/A.ts:2", "src/A.ts:3", "src/A.ts:4"]
  ]
]

describe("a rule finds", () => {
  for (const [name, rule, files, wanted] of rows) {
    it(wanted.length === 0 ? `nothing in ${name} (${rule.title})` : name, () => {
      const findings = rule.find(Object.entries(files).map(([path, text]) => Sources.make(path, text)))
      assert.deepStrictEqual(
        findings.map(({ path, line }) => `${path}:${line}`),
        wanted
      )
    })
  }

  it("a case for each rule", () => {
    const proven = new Set(rows.filter(([, , , wanted]) => wanted.length > 0).map(([, rule]) => rule))
    assert.deepStrictEqual(
      Object.values<Rule>(rules)
        .filter((rule) => !proven.has(rule))
        .map(({ title }) => title),
      []
    )
  })
})

it("the report of a rule has each place and the cure", () => {
  const source = Sources.make(
    "src/A.ts",
    `/** A. */\nimport { Effect } from "effect"\nimport * as Http from "effect/http"`
  )
  assert.strictEqual(
    report(rules.deep, rules.deep.find([source])),
    [
      'src/A.ts:2 imports the barrel "effect"',
      'src/A.ts:3 imports the barrel "effect/http"',
      'Cure: import * as Effect from "effect/Effect": the barrels load three times as long'
    ].join("\n")
  )
})
