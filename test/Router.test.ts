import { assert, describe, it } from "@effect/vitest"
import * as Pattern from "../src/http/Pattern.ts"
import * as Router from "../src/Router.ts"
import { router } from "./routers.ts"

const answer = (found: Router.Found<string>): object =>
  found.entry === undefined
    ? { allowed: found.allowed, owner: found.owner?.value }
    : { route: found.entry.value, params: { ...found.params } }

const request = (routes: ReadonlyArray<string>, text: string) => {
  const [method = "", path = ""] = text.split(" ")
  return answer(Router.find(router(...routes), method, Pattern.decode(path) ?? "?"))
}

const missing = { allowed: [], owner: undefined }

describe("Router", () => {
  describe("a path", () => {
    it.each<[routes: ReadonlyArray<string>, request: string, params: object | undefined]>([
      [["GET /"], "GET /", {}],
      [["GET /users"], "GET /users", {}],
      [["GET /users"], "GET /users/", undefined],
      [["GET /users"], "GET //users", undefined],
      [["GET /users"], "GET /Users", undefined],
      [["GET /users/"], "GET /users", undefined],
      [["GET /users/"], "GET /users/", {}],
      [["GET //users"], "GET //users", {}],
      [["GET /users"], "GET users", undefined],
      [["GET /users"], "GET *", undefined],
      [["GET /{id}"], "GET *x", undefined],
      [["GET /a/{id}"], "GET *a/x", undefined],
      [["GET /{path:.*}"], "GET *", undefined],
      [["GET /{id}"], "GET /42", { id: "42" }],
      [["GET /{id}"], "GET /", undefined],
      [["GET /{id}"], "GET /42/", undefined],
      [["GET /{id}"], "GET //42", undefined],
      [["GET /{id}/"], "GET /42/", { id: "42" }],
      [["GET /{id}/"], "GET /42", undefined],
      [["GET /a/{id}/b"], "GET /a/1/b", { id: "1" }],
      [["GET /a/{id}/b"], "GET /a//b", undefined],
      [["GET /{__proto__}/{constructor}"], "GET /a/b", JSON.parse(`{ "__proto__": "a", "constructor": "b" }`)],
      [["GET /{name}.{ext}"], "GET /a.tar.gz", { name: "a.tar", ext: "gz" }],
      [["GET /{name}.{ext}"], "GET /a.", undefined],
      [["GET /{a}{b}"], "GET /xyz", { a: "xy", b: "z" }],
      [["GET /{a}{b}"], "GET /x", undefined],
      [["GET /v{n:\\d+}/x"], "GET /v12/x", { n: "12" }],
      [["GET /v{n:\\d+}/x"], "GET /v/x", undefined],
      [["GET /{id:\\d+}"], "GET /42", { id: "42" }],
      [["GET /{id:\\d+}"], "GET /42x", undefined],
      [["GET /{id:\\d+}"], "GET /x42", undefined],
      [["GET /{id:\\d{2,4}}"], "GET /12345", undefined],
      [["GET /{a:x|y}"], "GET /y", { a: "y" }],
      [["GET /{a:x|y}/z"], "GET /y/z", { a: "y" }],
      [["GET /{a:x|y}"], "GET /xy", undefined],
      [["GET /{n:\\d*}"], "GET /", { n: "" }],
      [["GET /{ids:([0-9]+)(,([0-9]+))*}"], "GET /467%2C802,1", { ids: "467,802,1" }],
      [["GET /{a:(?<x>.)\\k<x>}"], "GET /oo", { a: "oo" }],
      [["GET /{a:(?<x>.)\\k<x>}"], "GET /ou", undefined],
      [["GET /{a:[^/]+}/b"], "GET /x/b", { a: "x" }],
      [["GET /{a:[ -~]+}"], "GET /x/y", { a: "x/y" }],
      [["GET /{a:[+-9]+}"], "GET /1/2", { a: "1/2" }],
      [["GET /{a:[^x]+}"], "GET /1/2", { a: "1/2" }],
      [["GET /{a:\\W}"], "GET //", { a: "/" }],
      [["GET /{a:\\x2f}"], "GET //", { a: "/" }],
      [["GET /{a:\\u{2f}}"], "GET //", { a: "/" }],
      [["GET /{a:b/c}/d"], "GET /b/c/d", { a: "b/c" }],
      [["GET /{a:(?i:b)}"], "GET /B", { a: "B" }],
      [["GET /files/{path:.*}"], "GET /files/", { path: "" }],
      [["GET /files/{path:.*}"], "GET /files", undefined],
      [["GET /files/{path:.*}"], "GET /files/a/b/", { path: "a/b/" }],
      [["GET /files/{path:.*}"], "GET /files//a", { path: "/a" }],
      [["GET /files/{path:.*}"], "GET /files/a%0Ab", { path: "a\nb" }],
      [["GET /files/{path:.*}"], "GET /files/a%E2%80%A8b", { path: "a\u2028b" }],
      [["GET /files/{path:.+}"], "GET /files/", undefined],
      [["GET /files/{path:.+}"], "GET /files/%0A", { path: "\n" }],
      [["GET /files/{path:.+}/raw"], "GET /files/a/b%0A/raw", { path: "a/b\n" }],
      [["GET /files{path:.*}"], "GET /files", { path: "" }],
      [["GET /files{path:.*}"], "GET /files/a", { path: "/a" }],
      [["GET /files{path:.*}"], "GET /filesystem", { path: "ystem" }],
      [["GET /core/locations{tail:.*}"], "GET /core/locations", { tail: "" }],
      [["GET /{org}/{path:.*}"], "GET /acme/a/b", { org: "acme", path: "a/b" }],
      [["GET /{id:\\d+}/{path:.*}"], "GET /7/a/b", { id: "7", path: "a/b" }],
      [["GET /{id:\\d+}/{path:.*}"], "GET /x/a/b", undefined],
      [["GET /{a:.*}/{b}"], "GET /x/y/z", { a: "x/y", b: "z" }]
    ])("%j: %j gives %j", (routes, text, params) =>
      assert.deepStrictEqual(request(routes, text), params === undefined ? missing : { route: routes[0], params })
    )
  })

  describe("an encoded path", () => {
    it.each<[route: string, request: string, params: object | undefined]>([
      ["GET /dyn/{name}", "GET /dyn/a%2Fb", { name: "a/b" }],
      ["GET /dyn/{name}", "GET /dyn/a%2fb", { name: "a/b" }],
      ["GET /dyn/{name}", "GET /dyn/a/b", undefined],
      ["GET /dyn/{name}", "GET /dyn/a%252Fb", { name: "a%2Fb" }],
      ["GET /dyn/{name}", "GET /dyn/a%25b", { name: "a%b" }],
      ["GET /dyn/{name}", "GET /dyn/a%2525b", { name: "a%25b" }],
      ["GET /dyn/{name}", "GET /dyn/a+b", { name: "a+b" }],
      ["GET /dyn/{name}", "GET /dyn/%2F", { name: "/" }],
      ["GET /dyn/{name}", "GET /dyn/%00", { name: "\0" }],
      ["GET /dyn/{path:.*}", "GET /dyn/a%2Fb/c", { path: "a/b/c" }],
      ["GET /{a:%2F}", "GET /%2f", { a: "/" }],
      ["GET /рус", "GET /%D1%80%D1%83%D1%81", {}],
      ["GET /%D1%80", "GET /%d1%80", {}],
      ["GET /a:b", "GET /a%3Ab", {}],
      ["GET /a%3Ab", "GET /a:b", {}],
      ["GET /1%2C3", "GET /1,3", {}],
      ["GET /a%2fb", "GET /a%2Fb", {}],
      ["GET /a%2Fb", "GET /a/b", undefined],
      ["GET /a/b", "GET /a%2Fb", undefined],
      ["GET /100%25", "GET /100%25", {}],
      ["GET /%7Bid%7D", "GET /{id}", {}],
      ["GET /a%7B%7D{x:\\d}", "GET /a%7B%7D1", { x: "1" }],
      ["GET /a.b", "GET /axb", undefined],
      ["GET /{x}/(a|b)+$", "GET /1/(a|b)+$", { x: "1" }]
    ])("%j: %j gives %j", (route, text, params) =>
      assert.deepStrictEqual(request([route], text), params === undefined ? missing : { route, params })
    )

    it.each([
      ["GET /{a}", "/x"],
      ["GET /{a:x}", "/x"],
      ["GET /x", "/x"]
    ])("the parameters of %j inherit nothing", (route, path) => {
      const found = Router.find(router(route), "GET", path)
      const params = found.entry === undefined ? assert.fail("not found") : found.params
      for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) assert.notProperty(params, name)
      assert.strictEqual(Object.getPrototypeOf(params), null)
    })
  })

  describe("which route answers", () => {
    it.each<[rule: string, routes: ReadonlyArray<string>, request: string, route: string, params?: object]>([
      [
        "a fixed path declared before a pattern",
        ["GET /users/me", "GET /users/{id}"],
        "GET /users/me",
        "GET /users/me"
      ],
      ["a fixed path declared after a pattern", ["GET /users/{id}", "GET /users/me"], "GET /users/me", "GET /users/me"],
      ["a fixed path declared after a catch-all", ["* /{path:.*}", "GET /a/b"], "GET /a/b", "GET /a/b"],
      [
        "a pattern where the fixed path has not the method",
        ["GET /users/me", "POST /users/{id}"],
        "POST /users/me",
        "POST /users/{id}",
        { id: "me" }
      ],
      ["the first of two patterns", ["GET /{id:\\d+}", "GET /{name}"], "GET /42", "GET /{id:\\d+}", { id: "42" }],
      [
        "the next pattern where the first does not match",
        ["GET /{id:\\d+}", "GET /{name}"],
        "GET /x",
        "GET /{name}",
        { name: "x" }
      ],
      [
        "the first pattern, although the later has more literals",
        ["GET /{a}/{b}", "POST /x/{b}", "GET /x/{b:\\d*}"],
        "GET /x/1",
        "GET /{a}/{b}",
        { a: "x", b: "1" }
      ],
      [
        "the later pattern where the first has not the method",
        ["GET /{a}", "POST /{b:\\d+}"],
        "POST /1",
        "POST /{b:\\d+}",
        { b: "1" }
      ],
      [
        "the pattern declared between two routes of another path",
        ["GET /{a}", "POST /{b:\\d+}", "POST /{c}"],
        "POST /1",
        "POST /{b:\\d+}",
        { b: "1" }
      ],
      [
        "the names are those of the route, not of the path",
        ["GET /{a}", "POST /{b}"],
        "POST /1",
        "POST /{b}",
        { b: "1" }
      ],
      ["HEAD: the GET of the path", ["GET /x"], "HEAD /x", "GET /x"],
      ["HEAD: the GET of the pattern", ["POST /{a}", "GET /{b}"], "HEAD /1", "GET /{b}", { b: "1" }],
      ["HEAD: its own route, declared before GET", ["HEAD /x", "GET /x"], "HEAD /x", "HEAD /x"],
      ["HEAD: its own route, declared after GET", ["GET /x", "HEAD /x"], "HEAD /x", "HEAD /x"],
      [
        "HEAD: its own route of the pattern, declared after GET",
        ["GET /{a}", "GET /{b:\\d*}", "HEAD /{c}"],
        "HEAD /1",
        "HEAD /{c}",
        { c: "1" }
      ],
      ["HEAD: the path that answers GET", ["HEAD /{a}", "GET /x"], "HEAD /x", "GET /x"],
      ["HEAD: GET before the route for any method", ["* /x", "GET /x"], "HEAD /x", "GET /x"],
      ["GET beside a route for any method, declared before it", ["GET /x", "* /x"], "GET /x", "GET /x"],
      ["GET beside a route for any method, declared after it", ["* /x", "GET /x"], "GET /x", "GET /x"],
      ["any method beside GET", ["GET /x", "* /x"], "PURGE /x", "* /x"],
      ["any method, fixed, before a pattern with the method", ["PURGE /{a}", "* /x"], "PURGE /x", "* /x"],
      ["a method that is no standard one", ["PROPFIND /x"], "PROPFIND /x", "PROPFIND /x"],
      ["one of several methods", ["GET,POST /x"], "POST /x", "GET,POST /x"],
      ["a subtree at its own path", ["* /old/***"], "GET /old", "* /old/***"],
      ["a subtree below its path", ["* /old/***"], "GET /old/a/b", "* /old/***"],
      ["a subtree with a slash only", ["* /old/***"], "GET /old/", "* /old/***"],
      ["a subtree with a parameter", ["* /{org}/old/***"], "GET /acme/old/x", "* /{org}/old/***", { org: "acme" }],
      ["a subtree with a regex", ["* /{n:\\d+}/old/***"], "GET /7/old/%0A", "* /{n:\\d+}/old/***", { n: "7" }],
      ["a subtree of everything", ["* /***"], "GET /x/y", "* /***"],
      ["a fixed path in a subtree declared before it", ["* /old/***", "GET /old/x"], "GET /old/x", "GET /old/x"]
    ])("%s: %j: %j is %j", (_, routes, text, route, params = {}) =>
      assert.deepStrictEqual(request(routes, text), { route, params })
    )

    it.each<[routes: ReadonlyArray<string>, request: string]>([
      [["* /old/***"], "GET /older"],
      [["* /{n:\\d+}/old/***"], "GET /x/old/y"],
      [["GET /x"], "get /x"],
      [["GET /x"], "GET /y"]
    ])("%j: %j is not found", (routes, text) => {
      assert.notProperty(request(routes, text), "route")
    })
  })

  describe("what the path allows", () => {
    it.each<[routes: ReadonlyArray<string>, request: string, allowed: ReadonlyArray<string>, owner?: string]>([
      [["GET /x"], "POST /x", ["GET", "HEAD", "OPTIONS"], "GET /x"],
      [["GET /x"], "get /x", ["GET", "HEAD", "OPTIONS"], "GET /x"],
      [["POST /x"], "GET /x", ["OPTIONS", "POST"], "POST /x"],
      [["POST /x"], "HEAD /x", ["OPTIONS", "POST"], "POST /x"],
      [["HEAD /x"], "GET /x", ["HEAD", "OPTIONS"], "HEAD /x"],
      [["OPTIONS /x"], "GET /x", ["OPTIONS"], "OPTIONS /x"],
      [["GET /x", "PUT /x"], "OPTIONS /x", ["GET", "HEAD", "OPTIONS", "PUT"], "GET /x"],
      [["POST /{a}", "PUT /{b:\\d+}", "GET /42"], "DELETE /42", ["GET", "HEAD", "OPTIONS", "POST", "PUT"], "GET /42"],
      [["POST /{a}", "PUT /{b:\\d+}", "GET /42"], "DELETE /7", ["OPTIONS", "POST", "PUT"], "POST /{a}"],
      [["POST /{a}", "PUT /{b:\\d+}", "GET /42"], "DELETE /x", ["OPTIONS", "POST"], "POST /{a}"],
      [["GET /{a}", "POST /{b:.*}"], "PUT /x", ["GET", "HEAD", "OPTIONS", "POST"], "GET /{a}"],
      [["PROPFIND,LOCK /x"], "GET /x", ["LOCK", "OPTIONS", "PROPFIND"], "PROPFIND,LOCK /x"],
      [["GET /m/{a}", "* /m/..."], "GET /m/1/2", [], "* /m/..."],
      [["GET /m/{a}", "* /m/..."], "POST /m/1", ["GET", "HEAD", "OPTIONS"], "GET /m/{a}"],
      [["GET /m/{a}", "* /m/..."], "GET /m", [], "* /m/..."],
      [["GET /m/{a}", "* /m/..."], "GET /mx", []],
      [["* /m/...", "GET /{x}/y"], "POST /m/y", [], "* /m/..."],
      [["* /m/...", "GET /{x}/y"], "GET /m/y", [], "* /m/..."],
      [["POST /{x}/y", "* /m/..."], "GET /m/y", ["OPTIONS", "POST"], "POST /{x}/y"],
      [["* /m/...", "GET /m/x"], "POST /m/x", ["GET", "HEAD", "OPTIONS"], "GET /m/x"],
      [["* /m/n/...", "* /m/..."], "GET /m/n/x", [], "* /m/n/..."],
      [["* /m/n/...", "* /m/..."], "GET /m/o", [], "* /m/..."],
      [["* /{org}/..."], "GET /acme/x", [], "* /{org}/..."],
      [["* /{org}/..."], "GET /", []],
      [["* /{n:\\d+}/..."], "GET /7/%0A", [], "* /{n:\\d+}/..."],
      [["* /{n:\\d+}/..."], "GET /x/y", []],
      [["* /..."], "GET /x", [], "* /..."]
    ])("%j: %j may be %j, and is answered by the app of %j", (routes, text, allowed, owner) =>
      assert.deepStrictEqual(request(routes, text), { allowed, owner })
    )
  })
})
