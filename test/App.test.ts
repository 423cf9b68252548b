import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as App from "../src/App.ts"
import * as HttpError from "../src/HttpError.ts"
import * as Route from "../src/Route.ts"
import { answer, handle, says, where } from "./apps.ts"

const ok = says("ok")

const users = App.make({
  list: Route.get("", where),
  slash: Route.get("/", where),
  one: Route.view("/{id:\\d+}", { get: where, put: where }),
  files: Route.get("/{id}/files/{path:.*}", where)
})
const app = App.make({
  home: Route.get("/", where),
  search: Route.any("/search", where),
  users: Route.mount("/users/", users),
  orgs: Route.mount("/orgs/{org}", App.make({ users: Route.mount("/users", users), all: Route.get("/all", where) })),
  site: Route.mount("/", App.make({ about: Route.get("/about", where) })),
  legacy: Route.mountHandler("/legacy/", ok),
  tenants: Route.host(
    "{tenant}.app.test",
    App.make({ home: Route.get("", where), users: Route.mount("/users", users) })
  )
})

describe("App.make", () => {
  const inner = App.make({ a: Route.get("/a", ok), b: Route.get("/{b}", ok) })
  it.each<[string, () => App.Any, string]>([
    [
      "two routes of one request",
      () => App.make({ a: Route.get("/x", ok), b: Route.get("/x", ok) }),
      `The routes "a" (GET /x) and "b" (GET /x) answer the same requests`
    ],
    [
      "a shadowed route",
      () => App.make({ a: Route.get("/{a}", ok), b: Route.get("/{b:\\d}", ok) }),
      `The route "b" (GET /{b:\\d}) is never reached, "a" (GET /{a}) takes its requests; declare it before that one`
    ],
    [
      "a shadowed route in a mount",
      () => App.make({ a: Route.get("/{a}/{b}", ok), m: Route.mount("/m", inner) }),
      `The route "m.b" (GET /m/{b}) is never reached, "a" (GET /{a}/{b}) takes its requests`
    ],
    [
      "a pattern behind a mount",
      () => App.make({ m: Route.mount("/m", inner), c: Route.get("/m/{c}/d", ok) }),
      `The route "c" (GET /m/{c}/d) is never reached, "m" (any method /m/...) takes its requests`
    ],
    [
      "two mounts at one prefix",
      () => App.make({ m: Route.mount("/m", App.make({})), n: Route.mount("/m", App.make({})) }),
      `The routes "m" (any method /m/...) and "n" (any method /m/...) answer the same requests`
    ],
    [
      "a view shadowed in one method",
      () => App.make({ a: Route.get("/{a}", ok), v: Route.view("/{b:\\d}", { post: ok, get: ok }) }),
      `The route "v" (GET /{b:\\d}) is never reached`
    ],
    ["a bad pattern", () => App.make({ a: Route.get("/{a", ok) }), `Bad pattern "/{a": the "{" at 1 is not closed`],
    [
      "a bad prefix",
      () => App.make({ a: Route.mount("a", inner) }),
      `Bad pattern "a": it does not start with "/"; write "/a"`
    ],
    [
      "a parameter of the prefix again",
      () => App.make({ m: Route.mount("/{b}", inner) }),
      `Bad pattern "/{b}/{b}": the parameter "b" is there twice`
    ],
    [
      "a host in a mounted app",
      () => App.make({ m: Route.mount("/m", App.make({ h: Route.host("a.test", inner) })) }),
      `The host "a.test" ("m.h") is inside another app; declare hosts in the root app`
    ],
    [
      "a host in the app of a host",
      () => App.make({ m: Route.host("b.test", App.make({ h: Route.host("a.test", inner) })) }),
      `The host "a.test" ("m.h") is inside another app`
    ],
    [
      "a host twice",
      () => App.make({ a: Route.host("A.test", inner), b: Route.host("a.test", inner) }),
      `"a" and "b" are the same host, a.test; remove one`
    ],
    [
      "a host twice under other names",
      () => App.make({ a: Route.host("{x}.test", inner), b: Route.host("{y}.test", inner) }),
      `"a" and "b" are the same host, {}.test; remove one`
    ],
    [
      "a parameter of the host again",
      () => App.make({ h: Route.host("{b}.test", inner) }),
      `"h.b" has a parameter of the host {b}.test again; give it another name`
    ],
    ["a bad host", () => App.make({ h: Route.host("a.test:80", inner) }), `Host pattern "a.test:80": remove the port`],
    [
      "a handler mounted across segments",
      () => App.make({ m: Route.mountHandler("/{a:.*}/x", ok) }),
      `The prefix "/{a:.*}/x" of the handler "m" may span several segments; keep its regex from matching "/", as [^/]+ does`
    ],
    ["a bad limit", () => App.make({}, { bodyLimit: "many" as never }), ``]
  ])("%s is a TypeError", (_, make, message) => assert.throws(make, TypeError, message))

  it("no routes are an app too", () => assert.deepStrictEqual(App.routes(App.make({})), []))
})

describe("App.routes", () => {
  it("are the rows of the table in the order of declaration", () => {
    assert.deepStrictEqual(
      App.routes(app).map(({ name, method, path, host }) => [name, method, path, host]),
      [
        ["home", "GET", "/", undefined],
        ["search", "*", "/search", undefined],
        ["users.list", "GET", "/users", undefined],
        ["users.slash", "GET", "/users/", undefined],
        ["users.one", "GET", "/users/{id:\\d+}", undefined],
        ["users.one", "PUT", "/users/{id:\\d+}", undefined],
        ["users.files", "GET", "/users/{id}/files/{path:.*}", undefined],
        ["orgs.users.list", "GET", "/orgs/{org}/users", undefined],
        ["orgs.users.slash", "GET", "/orgs/{org}/users/", undefined],
        ["orgs.users.one", "GET", "/orgs/{org}/users/{id:\\d+}", undefined],
        ["orgs.users.one", "PUT", "/orgs/{org}/users/{id:\\d+}", undefined],
        ["orgs.users.files", "GET", "/orgs/{org}/users/{id}/files/{path:.*}", undefined],
        ["orgs.all", "GET", "/orgs/{org}/all", undefined],
        ["site.about", "GET", "/about", undefined],
        ["legacy", "*", "/legacy/...", undefined],
        ["tenants.home", "GET", "/", "{tenant}.app.test"],
        ["tenants.users.list", "GET", "/users", "{tenant}.app.test"],
        ["tenants.users.slash", "GET", "/users/", "{tenant}.app.test"],
        ["tenants.users.one", "GET", "/users/{id:\\d+}", "{tenant}.app.test"],
        ["tenants.users.one", "PUT", "/users/{id:\\d+}", "{tenant}.app.test"],
        ["tenants.users.files", "GET", "/users/{id}/files/{path:.*}", "{tenant}.app.test"]
      ]
    )
  })

  it("carry the route itself, and none where a handler is mounted", () => {
    const rows = App.routes(app)
    assert.strictEqual(rows.find(({ name }) => name === "home")?.route, app.routes.home)
    assert.isUndefined(rows.find(({ name }) => name === "legacy")?.route)
  })

  it("a handler mounted at the root has the path of all", () =>
    assert.deepStrictEqual(
      App.routes(App.make({ all: Route.mountHandler("/", ok) })).map(({ path }) => path),
      ["/..."]
    ))

  it.effect.each([
    ["GET /", undefined, "home / {}"],
    ["PURGE /search", undefined, "search /search {}"],
    ["GET /users", undefined, "users.list /users {}"],
    ["GET /users/", undefined, "users.slash /users/ {}"],
    ["PUT /users/7", undefined, `users.one /users/{id:\\d+} {"id":"7"}`],
    ["GET /users/7/files/a%2Fb/c", undefined, `users.files /users/{id}/files/{path:.*} {"id":"7","path":"a/b/c"}`],
    ["GET /orgs/acme/users/7", undefined, `orgs.users.one /orgs/{org}/users/{id:\\d+} {"org":"acme","id":"7"}`],
    ["GET /orgs/a%20b/all", undefined, `orgs.all /orgs/{org}/all {"org":"a b"}`],
    ["GET /about", undefined, "site.about /about {}"],
    ["GET /", "acme.app.test", `tenants.home / {"tenant":"acme"}`],
    ["GET /users/7", "acme.app.test", `tenants.users.one /users/{id:\\d+} {"tenant":"acme","id":"7"}`],
    ["GET /", "app.test", "home / {}"],
    ["GET /", "a.b.app.test", "home / {}"],
    ["GET /", "", "home / {}"]
  ] as const)("%s at the host %s is %s", ([line, host, text]) =>
    Effect.map(handle(app, line, host === undefined ? {} : { host }), (found) => assert.strictEqual(found.text, text))
  )
})

describe("App.urls", () => {
  const urls = App.urls(app)
  it.each([
    [urls.home(), "/"],
    [
      urls.search({}, { query: { q: "a b&c", page: 2, tag: ["x", "y"], none: undefined } }),
      "/search?q=a+b%26c&page=2&tag=x&tag=y"
    ],
    [urls.search({}, { query: {} }), "/search"],
    [urls.home({}, { hash: "a b#c" }), "/#a%20b%23c"],
    [urls.search({}, { query: { q: 1 }, hash: "top" }), "/search?q=1#top"],
    [urls.users.list(), "/users"],
    [urls.users.slash(), "/users/"],
    [urls.users.one({ id: 7 }), "/users/7"],
    [urls.users.files({ id: "a/b", path: "c/d e" }), "/users/a%2Fb/files/c/d%20e"],
    [urls.orgs.all({ org: "ä" }), "/orgs/%C3%A4/all"],
    [urls.orgs.users.one({ org: "acme", id: "7" }), "/orgs/acme/users/7"],
    [urls.site.about(), "/about"],
    [urls.legacy(), "/legacy"],
    [urls.tenants.home(), "/"],
    [urls.tenants.users.one({ id: "7" }), "/users/7"]
  ])("%s is %s", (url, wanted) => assert.strictEqual(url, wanted))

  it("a value that the route does not match is a TypeError", () =>
    assert.throws(() => urls.users.one({ id: "x" }), TypeError, `The parameter "id" of "/users/{id:\\d+}" is "x"`))

  it("a missing parameter of the prefix is a TypeError", () =>
    // @ts-expect-error Property 'org' is missing
    assert.throws(() => urls.orgs.all({}), TypeError, `The parameter "org" of "/orgs/{org}/all" is missing`))

  it("the prefix of a handler may have parameters", () => {
    const all = App.make({ old: Route.mountHandler("/{org}/old", ok) })
    assert.strictEqual(App.urls(all).old({ org: "acme" }), "/acme/old")
  })

  it("a route at the empty path is the root", () =>
    assert.strictEqual(App.urls(App.make({ it: Route.get("", ok) })).it(), "/"))

  it.effect("lead to their routes", () =>
    Effect.gen(function* () {
      const url = urls.orgs.users.files({ org: "a/b", id: "%2F", path: "/c//d" })
      assert.strictEqual(
        (yield* handle(app, `GET ${url}`)).text,
        `orgs.users.files /orgs/{org}/users/{id}/files/{path:.*} {"org":"a/b","id":"%2F","path":"/c//d"}`
      )
    })
  )
})

describe("OPTIONS", () => {
  const views = App.make({
    view: Route.view("/view", { get: ok, put: ok }),
    own: Route.options("/own", ok),
    id: Route.post("/{id}", ok),
    any: Route.any("/any", ok)
  })
  it.effect.each([
    ["OPTIONS /view", 204, "GET, HEAD, OPTIONS, POST, PUT"],
    ["OPTIONS /x", 204, "OPTIONS, POST"],
    ["OPTIONS /own", 200, undefined],
    ["OPTIONS /any", 200, undefined],
    ["OPTIONS /x/y", 404, undefined]
  ] as const)("%s is %i with Allow: %s", ([line, status, allow]) =>
    Effect.map(answer(views, line), (found) =>
      assert.deepStrictEqual([found.status, found.headers.allow], [status, allow])
    )
  )

  it.effect("another method of the path is 405 with the same Allow", () =>
    Effect.map(answer(views, "DELETE /view"), (found) =>
      assert.deepStrictEqual([found.status, found.headers.allow], [405, "GET, HEAD, OPTIONS, POST, PUT"])
    )
  )
})

describe("a path with malformed encoding", () => {
  it.effect.each(["/%", "/%zz", "/%ff", "/users/%C3"])("%s is 400", (path) =>
    Effect.map(Effect.flip(handle(app, `GET ${path}`)), (error) => assert.instanceOf(error, HttpError.BadRequest))
  )
})
