/**
 * The package as a user gets it: packed, unpacked into a project, type-checked and run there. Nothing is fetched.
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PublicModules from "./publicModules.ts"
import { run } from "./run.ts"
import * as Sources from "./sources.ts"

const notPacked = new Set([".git", "node_modules", "dist", "coverage"])
const modules = Path.join(Sources.root, "node_modules")

const temporary = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(Path.join(Fs.realpathSync(Os.tmpdir()), "effect-web-package-"))),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
)

/** A copy of the repository, so that the build is nobody else's. */
const copyTo = (folder: string): void => {
  for (const name of Fs.readdirSync(Sources.root).filter((name) => !notPacked.has(name))) {
    Fs.cpSync(Path.join(Sources.root, name), Path.join(folder, name), {
      recursive: true,
      filter: (source) => Path.basename(source) !== "node_modules"
    })
  }
  Fs.symlinkSync(modules, Path.join(folder, "node_modules"))
}

const succeed = (command: string, args: ReadonlyArray<string>, cwd: string) =>
  Effect.map(run(command, args, cwd), ({ code, output, errors }) => {
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}\n${output}\n${errors}`)
    return output
  })

/** A project whose `node_modules` has the unpacked package, and links to what the package expects beside it. */
class Project extends Context.Service<Project, { readonly folder: string; readonly packed: string }>()("test/Project") {
  static readonly layer = Layer.effect(
    this,
    Effect.gen(function* () {
      const base = yield* temporary
      const [copy, folder] = [Path.join(base, "copy"), Path.join(base, "project")]
      const packed = Path.join(folder, "node_modules", "effect-web")
      for (const path of [copy, packed, Path.join(folder, "node_modules", "@effect"), Path.join(base, "out")]) {
        Fs.mkdirSync(path, { recursive: true })
      }
      copyTo(copy)
      yield* succeed("npm", ["pack", "--pack-destination", Path.join(base, "out")], copy)
      const archive = Path.join(base, "out", Fs.readdirSync(Path.join(base, "out"))[0]!)
      yield* succeed("tar", ["-xzf", archive, "-C", packed, "--strip-components=1"], base)
      for (const name of ["effect", "@effect/platform-node", "@types", "mime"]) {
        Fs.symlinkSync(Path.join(modules, name), Path.join(folder, "node_modules", name))
      }
      Fs.writeFileSync(Path.join(folder, "package.json"), JSON.stringify({ name: "project", type: "module" }))
      return { folder, packed }
    })
  )
}

const configuration = {
  compilerOptions: {
    target: "ES2024",
    lib: ["ES2024", "ESNext.Disposable", "DOM", "DOM.Iterable"],
    module: "NodeNext",
    types: ["node"],
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false
  },
  files: ["program.ts"]
}

const imports = `
import * as Effect from "effect/Effect"
import { App, Response, Route, Server } from "effect-web"
import * as DeepRoute from "effect-web/Route"
import * as Testing from "effect-web/testing"
`

const typed = `${imports}
const app = App.make({ user: Route.get("/{name}", ({ params }) => Effect.succeed(Response.text(params.name))) })
export const started = Effect.map(Server.start(app, { port: 0 }), (server): string => server.url)
export const path: string = App.urls(app).user({ name: "Ada" })
export const modules = [DeepRoute.get satisfies typeof Route.get, Testing]
`

const running = `${imports}
const app = App.make({ home: Route.get("/", Effect.succeed(Response.text("Hello"))) })
const program = Effect.gen(function*() {
  const server = yield* Server.start(app, { host: "127.0.0.1", port: 0 })
  const [status, body] = yield* Effect.promise(() =>
    fetch(new URL("/", server.url)).then((response) => response.text().then((body) => [response.status, body])))
  return { status, body, same: DeepRoute.get === Route.get, testing: Object.keys(Testing).length > 0 }
}).pipe(Effect.scoped)
process.stdout.write(JSON.stringify(await Effect.runPromise(program)))
`

layer(Project.layer, { timeout: "2 minutes", excludeTestServices: true })("the packed package", (it) => {
  it.effect("has the build, the sources it maps to, the licence and nothing of the repository's own", () =>
    Effect.gen(function* () {
      const { packed } = yield* Project
      const names = Fs.readdirSync(packed).filter((name) => name !== "README.md")
      assert.deepStrictEqual(names.sort(), ["LICENSE", "dist", "package.json", "src"])
      const built = Sources.read().map(({ path }) => path.replace(/^src/, "dist").replace(/\.ts$/, ".js"))
      assert.deepStrictEqual(
        built.filter((path) => !Fs.existsSync(Path.join(packed, path))),
        []
      )
    })
  )

  it.effect(
    "type-checks in a strict project, its own declarations included",
    () =>
      Effect.gen(function* () {
        const { folder } = yield* Project
        const specifiers = Sources.read()
          .filter(({ path }) => !path.includes("/internal/"))
          .map(({ path }) => PublicModules.specifierOf(path))
        const all = specifiers.map((specifier, at) => `import * as M${at} from "${specifier}"\nexport { M${at} }`)
        Fs.writeFileSync(Path.join(folder, "program.ts"), [typed, ...all].join("\n"))
        Fs.writeFileSync(Path.join(folder, "tsconfig.json"), JSON.stringify(configuration))
        const { output } = yield* run(Path.join(modules, ".bin", "tsc"), ["--pretty", "false", "-p", "."], folder)
        // Paths of the linked packages begin with "..": what is wrong in them is not ours.
        assert.deepStrictEqual(
          output.split("\n").filter((line) => /\berror TS\d+/.test(line) && !line.startsWith("..")),
          []
        )
      }),
    120_000
  )

  it.effect(
    "answers a request under Node",
    () =>
      Effect.gen(function* () {
        const { folder } = yield* Project
        Fs.writeFileSync(Path.join(folder, "program.mjs"), running)
        const output = yield* succeed(process.execPath, ["program.mjs"], folder)
        assert.deepStrictEqual(JSON.parse(output), { status: 200, body: "Hello", same: true, testing: true })
      }),
    60_000
  )

  it.effect("keeps its internal files to itself", () =>
    Effect.gen(function* () {
      const { folder } = yield* Project
      const internal = PublicModules.internals(Sources.read()).map(PublicModules.specifierOf)
      const program = `for (const name of ${JSON.stringify(["effect-web/internal/anything", ...internal])})
        await import(name).then(() => console.log(name), ({ code }) => code === "ERR_PACKAGE_PATH_NOT_EXPORTED" || console.log(name, code))`
      Fs.writeFileSync(Path.join(folder, "internal.mjs"), program)
      assert.strictEqual(yield* succeed(process.execPath, ["internal.mjs"], folder), "")
    })
  )
})
