import { assert, describe, it } from "@effect/vitest"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import { MaxBodySize } from "effect/http/HttpServerRequest"
import * as App from "../src/App.ts"
import type * as Middleware from "../src/Middleware.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { answer, handle, says } from "./apps.ts"

describe("bodyLimit", () => {
  const size = Effect.gen(function* () {
    const limit = yield* MaxBodySize
    return limit === undefined ? "none" : ByteSize.format(limit)
  })
  const limit = Route.get("/limit", Effect.map(size, Response.text))
  const own = Route.get("/own", Effect.map(size, Response.text)).pipe(Route.bodyLimit("30 B"))
  const header: Middleware.Middleware = (handler) =>
    Effect.flatMap(size, (text) => Effect.map(handler, Response.setHeader("x-limit", text)))
  const routes = { limit, own }
  const inherits = App.make(routes).pipe(App.use(header))
  const overrides = App.make({ ...routes, deep: Route.mount("/deep", inherits) }, { bodyLimit: "20 B" }).pipe(
    App.use(header)
  )
  const app = App.make(
    { ...routes, inherits: Route.mount("/inherits", inherits), overrides: Route.mount("/overrides", overrides) },
    { bodyLimit: 10 }
  )
  it.effect.each<[path: string, handler: string, middleware?: string]>([
    ["/limit", "10 B"],
    ["/own", "30 B"],
    ["/inherits/limit", "10 B", "10 B"],
    ["/inherits/own", "30 B", "10 B"],
    ["/overrides/limit", "20 B", "20 B"],
    ["/overrides/own", "30 B", "20 B"],
    ["/overrides/deep/limit", "20 B", "20 B"],
    ["/overrides/deep/own", "30 B", "20 B"]
  ])("at %s is %s for the handler and %s for the app's middleware", ([path, size, middleware]) =>
    Effect.map(handle(app, `GET ${path}`), ({ headers, text }) =>
      assert.deepStrictEqual([text, headers["x-limit"]], [size, middleware])
    )
  )

  it.effect("the middleware of a route applied after its limit stands outside of it", () => {
    const app = App.make({ it: limit.pipe(Route.bodyLimit(5), Route.use(header)) }, { bodyLimit: 10 })
    return Effect.map(handle(app, "GET /limit"), ({ headers, text }) =>
      assert.deepStrictEqual([text, headers["x-limit"]], ["5 B", "10 B"])
    )
  })
})

describe("normalizePath", () => {
  const routes = {
    item: Route.get("/items/{id}", says("item")),
    list: Route.get("/list/", says("list")),
    files: Route.get("/files/{path:.+}/", says("files")),
    save: Route.post("/save", says("save"))
  }
  const mounted = App.make(routes)
  const app = App.make(
    {
      ...routes,
      inherits: Route.mount("/inherits", mounted),
      strict: Route.mount("/strict", App.make(routes, { normalizePath: false })),
      host: Route.host("t.test", mounted),
      own: Route.host("own.test", App.make(routes, { normalizePath: false }))
    },
    { normalizePath: true }
  )
  const lax = App.make({ lax: Route.mount("/lax", App.make(routes, { normalizePath: true })), ...routes })

  it.effect.each<[app: App.Any, line: string, location: string, host?: string]>([
    [app, "GET //items/7", "/items/7"],
    [app, "GET /items//7", "/items/7"],
    [app, "GET ///items///7//", "/items/7"],
    [app, "GET /items/7/?a=1&b=//x/", "/items/7?a=1&b=//x/"],
    [app, "GET /items/a%20b%2Fc/", "/items/a%20b%2Fc"],
    [app, "HEAD /items/7/", "/items/7"],
    [app, "GET /list", "/list/"],
    [app, "POST /save/", "/save"],
    [app, "GET /inherits/list", "/inherits/list/"],
    [app, "GET /inherits//list/", "/inherits/list/"],
    [app, "GET /list", "/list/", "t.test"],
    [lax, "GET /lax/list", "/lax/list/"]
  ])("%s: %s is redirected to %s", ([app, line, location, host]) =>
    Effect.map(answer(app, line, host === undefined ? {} : { host }), ({ headers, status }) =>
      assert.deepStrictEqual([status, headers.location], [308, location])
    )
  )

  it.effect.each<[app: App.Any, line: string, status: number, host?: string]>([
    [app, "GET /nothing/", 404],
    [app, "GET /Items/7/", 404],
    [app, "GET /save/", 404],
    [app, "GET /save", 405],
    [app, "OPTIONS /save/", 404],
    [app, "GET /%/", 400],
    [app, "GET /strict/list", 404],
    [app, "GET /list", 404, "own.test"],
    [lax, "GET /list", 404]
  ])("%s: %s is not redirected but %i", ([app, line, status, host]) =>
    Effect.map(answer(app, line, host === undefined ? {} : { host }), (found) =>
      assert.strictEqual(found.status, status)
    )
  )

  it.effect.each([
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "//\\evil.example",
    "/\t/evil.example",
    "/%09/evil.example",
    "/%2Fevil.example",
    "/%2F%2Fevil.example",
    "//%2Fevil.example",
    "/%5Cevil.example",
    "/%5C%5Cevil.example",
    "//evil.example/%2e%2e",
    "/..//evil.example",
    "/.//evil.example",
    "//evil.example@here.example",
    "/https://evil.example",
    "//evil.example?x=//y",
    "//"
  ])("a redirect for %s stays on the host", (path) => {
    const all = App.make(
      { root: Route.get("/", says("root")), all: Route.get("/{path:.+}/", says("all")) },
      { normalizePath: true }
    )
    return Effect.map(answer(all, `GET ${path}`), ({ headers, status }) => {
      const { location } = headers
      assert.strictEqual(status, 308)
      assert.strictEqual(new URL(location!, "http://here.example").host, "here.example", location)
      assert.notMatch(location!, /^\/[/\\\s]/)
    })
  })
})
