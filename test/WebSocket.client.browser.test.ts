/**
 * The derived client in a real browser: the sources as they are, without their types, and no bundler.
 */
import * as Fs from "node:fs"
import * as Module from "node:module"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as App from "../src/App.ts"
import * as Html from "../src/Html.ts"
import { html } from "../src/Html.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import * as Server from "../src/server/Server.ts"
import * as WebSocket from "../src/WebSocket.ts"
import * as Browser from "./browser.ts"
import * as Sources from "./sources.ts"

const squares = WebSocket.make(
  { receive: Schema.Struct({ n: Schema.Int }), send: Schema.Struct({ square: Schema.Int }) },
  (socket) => Stream.runForEach(socket.messages, ({ n }) => socket.send({ square: n * n }))
)

const script = Effect.fnUntraced(function* (path: string, read: (text: string) => string) {
  const file = /\.[jt]s$/.test(path) ? path : `${path}.js`
  if (!Fs.existsSync(file)) return yield* new HttpError.NotFound({})
  return Response.text(read(Fs.readFileSync(file, "utf8")), { contentType: "text/javascript" })
})
const packages = `${Sources.root}node_modules/`
const imports = { "effect/": "/package/effect/dist/", "effect-web/WebSocket": "/src/WebSocket.ts" }

// What a page would have, after its types are gone.
const program = `
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as WebSocket from "effect-web/WebSocket"

const contract = { receive: Schema.Struct({ n: Schema.Int }), send: Schema.Struct({ square: Schema.Int }) }
globalThis.result = Effect.gen(function* () {
  const socket = yield* WebSocket.client(contract, "/squares")
  for (const n of [2, 3]) yield* socket.send({ n })
  const squares = yield* Stream.runCollect(Stream.take(socket.messages, 2))
  return [...squares, yield* socket.close()]
}).pipe(Effect.scoped, Effect.runPromise)
`
const app = App.make({
  page: Route.get(
    "/",
    Response.html(html`<!doctype html>
      <script type="importmap">${Html.raw(JSON.stringify({ imports }))}</script>
      <script type="module">${Html.raw(program)}</script>`)
  ),
  source: Route.get("/src/{path:.*}", ({ params }) =>
    script(`${Sources.root}src/${params.path}`, (text) => Module.stripTypeScriptTypes(text))
  ),
  package: Route.get("/package/{path:.*}", ({ params }) => script(packages + params.path, (text) => text)),
  squares: Route.websocket("/squares", squares)
})

it.live(
  "in a page it sends, receives, knows the path of its URL, and closes",
  () =>
    Effect.gen(function* () {
      const { url } = yield* Server.start(app, { host: "127.0.0.1", port: 0 })
      const page = yield* Browser.start()
      yield* page.open(url)
      const received = yield* page.run(() => (globalThis as unknown as { readonly result: Promise<unknown> }).result)
      assert.deepStrictEqual(received, [{ square: 4 }, { square: 9 }, { code: 1000, reason: "" }])
      assert.deepStrictEqual([...page.errors], [])
    }),
  60_000
)
