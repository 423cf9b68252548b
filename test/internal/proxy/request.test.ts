/**
 * The path of a request for an upstream server.
 */
import { assert, describe, it } from "@effect/vitest"
import * as HttpError from "../../../src/HttpError.ts"
import { path } from "../../../src/internal/proxy/request.ts"

describe("a path", () => {
  const rows: ReadonlyArray<readonly [url: string, wanted: string]> = [
    ["/", "/base/"],
    ["/a?b#c", "/base/a?b#c"],
    ["http://evil.example/a?b", "/base/a?b"],
    ["http://evil.example", "/base/"],
    ["https://evil.example?b", "/base/?b"],
    ["//evil.example", "/base//evil.example"],
    ["/...", "/base/..."],
    ["/a..b/.c/d.", "/base/a..b/.c/d."],
    ["/%2e%2ex", "/base/%2e%2ex"],
    ["/?a=/../b", "/base/?a=/../b"]
  ]
  for (const [url, wanted] of rows) {
    it(`of ${url} is ${wanted}`, () => assert.strictEqual(path(url, "/base", undefined), wanted))
  }

  const refused = [
    "/..",
    "/.",
    "/../",
    "/a/..",
    "/a/.?b",
    "/%2E.",
    "/.%2e/a",
    "/a\\..",
    "/a%2F..%2fb",
    "/a%5c%2e%2E",
    "/..;a",
    "/..%3Ba"
  ]
  for (const url of refused) {
    it(`of ${url} is refused`, () => assert.instanceOf(path(url, "", undefined), HttpError.BadRequest))
  }

  it("is rewritten without the query, and never to another server", () => {
    assert.strictEqual(
      path("/a?b=/a", "", (path) => path.replaceAll("/a", "/c")),
      "/c?b=/a"
    )
    assert.strictEqual(
      path("/a", "", () => ""),
      "/"
    )
    assert.strictEqual(
      path("/a", "/base", () => "http://evil.example"),
      "/base/http://evil.example"
    )
    assert.strictEqual(
      path("/a", "", () => "@evil.example"),
      "/@evil.example"
    )
    assert.throws(() => path("/a", "", () => "/a b"), TypeError, /rewrite gave "\/a b"; give a path/)
  })
})
