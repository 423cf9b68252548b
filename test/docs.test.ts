/**
 * The code in the README and in `docs/` is true: it compiles, its tests pass, and its commands get what they say.
 *
 * The blocks of a page are one module. The imports that a page leaves out are these:
 */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as App from "../src/App.ts"
import * as Testing from "../src/testing/Testing.ts"
import * as Curl from "./curl.ts"
import { run } from "./run.ts"
import * as Sources from "./sources.ts"

const imports = `
import { Context, Data, Effect, Fiber, Layer, Logger, Redacted, Schema, Stream } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { AccessLog, App, Auth, Background, Body, ClientCertificate, Cors, Csrf, Deadline, ErrorResponse, Handler, Health, Hosts, html, HttpError, Jwt, Middleware, Multipart, Oidc, Overload, Proxy, RateLimit, RecordStore, Redirect, Request, RequestId, Response, Route, Room, Sealed, SecurityHeaders, Server, Session, Site, Sse, StaticFiles, TrustedProxies, WebSocket } from "effect-web"
import { tmpdir } from "node:os"
`

const pages = ["README.md", ...Fs.readdirSync(`${Sources.root}docs`).map((name) => `docs/${name}`)]

const blocks = (text: string, language: string): ReadonlyArray<string> =>
  [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, name]) => name === language).map(([, , code]) => code!)

// Serving is left to the test.
const moduleOf = (text: string): string => {
  const code = blocks(text, "ts").join("\n")
  const own = code.includes('from "effect-web"\n') ? code : imports + code
  return own.replace(/^Server\.run\(app\)$/m, "export { app }")
}

// A package of its own that looks like this one, with a module for each page.
const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "docs-"))
afterAll(() => Fs.rmSync(folder, { recursive: true }))
for (const name of ["node_modules", "src", "package.json"]) {
  Fs.symlinkSync(Sources.root + name, Path.join(folder, name))
}
Fs.writeFileSync(
  Path.join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: `${Sources.root}tsconfig.json`,
    compilerOptions: { noUnusedLocals: false },
    include: ["*.ts"]
  })
)

const files = new Map(
  pages.map((page) => {
    const text = Fs.readFileSync(Sources.root + page, "utf8")
    const file = Path.join(folder, `${Path.basename(page, ".md")}.ts`)
    Fs.writeFileSync(file, moduleOf(text))
    return [page, { file, text }] as const
  })
)

it.live("the code of all pages compiles", () =>
  Effect.gen(function* () {
    const compiler = `${Sources.root}node_modules/typescript/bin/tsc`
    const { output } = yield* run(process.execPath, [compiler, "-p", folder], folder)
    assert.strictEqual(output, "")
  })
)

interface Module {
  readonly app: App.App<never, never, App.Routes>
  /** The services that the app needs. */
  readonly layer?: Layer.Layer<never>
}

for (const [page, { file, text }] of files) {
  // A page that has tests declares them when it is imported.
  describe(page, async () => {
    const { app, layer = Layer.empty }: Module = await import(/* @vite-ignore */ file)

    it.effect("has commands that get what they say", () =>
      Effect.gen(function* () {
        const client = yield* Testing.client(app)
        for (const command of blocks(text, "sh").flatMap(Curl.parse)) yield* Curl.run(client, command)
      }).pipe(Effect.provide(layer))
    )
  })
}
