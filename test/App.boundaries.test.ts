import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import type * as Middleware from "../src/Middleware.ts"
import * as Response from "../src/Response.ts"
import * as Route from "../src/Route.ts"
import { answer, handle, says } from "./apps.ts"

const ok = says("ok")

// Misses say in whose middleware they were: the innermost first.
const marked = (mark: string): Middleware.Middleware => {
  const text = (error: { readonly text?: string }) => `${error.text ?? ""}${mark}`
  return (handler) =>
    Effect.mapError(handler, (error) => {
      if (error instanceof HttpError.NotFound) return new HttpError.NotFound({ text: text(error) }) as typeof error
      if (!(error instanceof HttpError.MethodNotAllowed)) return error
      return new HttpError.MethodNotAllowed({ ...error, text: text(error) }) as typeof error
    })
}

const app = (mark: string, routes: App.Routes, options?: App.Options): App.Any =>
  App.make(routes, options).pipe(App.use(marked(mark)))

const deep = app("deep ", { y: Route.get("/y", ok), d: Route.get("/{d:\\d+}", ok) })
const admin = app("admin ", {
  home: Route.get("", ok),
  stat: Route.get("/stat", ok),
  item: Route.post("/items/{id}", ok),
  deep: Route.mount("/deep", deep)
})
const root = app("root ", {
  early: Route.put("/admin/items/{id:\\d+}", ok),
  admin: Route.mount("/admin", admin),
  late: Route.post("/admin/late", ok),
  orgs: Route.mount("/{org}/org", app("org ", { x: Route.get("/x", ok) })),
  tenant: Route.host("t.test", app("tenant ", { x: Route.get("/x", ok) }))
})

describe("what is not found", () => {
  it.effect.each<[line: string, status: number, where: string, host?: string]>([
    ["GET /nothing", 404, "root "],
    ["GET /adminx", 404, "root "],
    ["GET /admin/", 404, "admin root "],
    ["GET /admin/nothing", 404, "admin root "],
    ["GET /admin//stat", 404, "admin root "],
    ["GET /admin/deep", 404, "deep admin root "],
    ["GET /admin/deep/x", 404, "deep admin root "],
    ["GET /admin/deeper", 404, "admin root "],
    ["GET /acme/org/nothing", 404, "org root "],
    ["GET /acme/nothing", 404, "root "],
    ["GET /nothing", 404, "tenant root ", "t.test"],
    ["GET /admin/nothing", 404, "tenant root ", "t.test"],
    ["POST /x", 405, "tenant root ", "t.test"],
    ["POST /admin/stat", 405, "admin root "],
    ["POST /admin", 405, "admin root "],
    ["GET /admin/items/x", 405, "admin root "],
    ["GET /admin/items/7", 405, "root "],
    ["GET /admin/late", 405, "root "],
    ["POST /admin/deep/y", 405, "deep admin root "],
    ["POST /admin/deep/7", 405, "deep admin root "],
    ["POST /acme/org/x", 405, "org root "]
  ])("%s is %i in %s", ([line, status, where, host]) =>
    Effect.map(Effect.flip(handle(root, line, host === undefined ? {} : { host })), (error) => {
      assert.isTrue(HttpError.isHttpError(error))
      const { status: found, text } = error as HttpError.HttpError
      assert.deepStrictEqual([found, text], [status, where])
    })
  )

  it.effect("allows what the routes around the mount take too", () =>
    Effect.map(answer(root, "GET /admin/items/7"), ({ headers }) =>
      assert.strictEqual(headers.allow, "OPTIONS, POST, PUT")
    )
  )

  it.effect("is one failure for all requests, which none can change", () =>
    Effect.map(Effect.flip(handle(App.make({}), "GET /")), (error) => {
      assert.throws(() => Object.assign(error as object, { text: "changed" }), TypeError)
    })
  )
})

describe("an app mounted at the root", () => {
  const site = app("site ", { about: Route.get("/about", ok), page: Route.get("/pages/{id}", ok) })
  const both = app("root ", {
    first: Route.mount("/", site),
    second: Route.mount("", app("second ", { other: Route.get("/other/{id}", ok) })),
    api: Route.mount("/api", app("api ", { inner: Route.mount("/", app("inner ", { x: Route.get("/x", ok) })) })),
    own: Route.get("/own", ok)
  })
  it.effect.each([
    ["GET /about", 200, "ok"],
    ["GET /pages/1", 200, "ok"],
    ["GET /other/1", 200, "ok"],
    ["GET /own", 200, "ok"],
    ["GET /api/x", 200, "ok"],
    ["POST /about", 405, "site root "],
    ["POST /other/1", 405, "second root "],
    ["POST /own", 405, "root "],
    ["POST /api/x", 405, "inner api root "],
    ["GET /api/y", 404, "inner api root "],
    ["GET /api", 404, "inner api root "],
    ["GET /nothing", 404, "site root "]
  ] as const)("%s is %i in %s", ([line, status, text]) =>
    Effect.map(answer(both, line), (found) => {
      assert.strictEqual(found.status, status)
      assert.include(found.text, text)
    })
  )
})

describe("the renderer of failures", () => {
  const renders = (mark: string): App.Options => ({
    errorResponse: ({ error }) => Effect.succeed(Response.text(`${mark} ${error.status}`, { status: error.status }))
  })
  const failing = Route.get("/fails", Effect.fail(new HttpError.Gone()))
  const dying = Route.get("/dies", Effect.die("no"))
  const plain = App.make({ failing, dying })
  const nested = App.make(
    {
      failing,
      plain: Route.mount("/plain", plain),
      own: Route.mount("/own", App.make({ failing, dying, plain: Route.mount("/plain", plain) }, renders("own"))),
      host: Route.host("t.test", App.make({ failing }, renders("host")))
    },
    renders("root")
  )
  it.effect.each<[line: string, text: string, host?: string]>([
    ["GET /fails", "root 410"],
    ["GET /nothing", "root 404"],
    ["PUT /fails", "root 405"],
    ["GET /%", "root 400"],
    ["GET /plain/fails", "root 410"],
    ["GET /plain/nothing", "root 404"],
    ["GET /own/fails", "own 410"],
    ["GET /own/dies", "own 500"],
    ["GET /own/nothing", "own 404"],
    ["PUT /own/fails", "own 405"],
    ["GET /own/plain/fails", "own 410"],
    ["GET /own/plain/nothing", "own 404"],
    ["GET /fails", "host 410", "t.test"],
    ["GET /nothing", "host 404", "t.test"],
    ["GET /%", "host 400", "t.test"]
  ])("of %s is %s: the one of the innermost app that has one", ([line, text, host]) =>
    Effect.map(answer(nested, line, host === undefined ? {} : { host }), (found) =>
      assert.strictEqual(found.text, text)
    )
  )
})
